// cli_test.cc - the node's life, and what can be seen of it, through the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>

#include "tests/e2e/cli_fixture.h"

namespace tarn::e2e {
namespace {

using testing::HasSubstr;

const std::vector<std::vector<std::string>> kObservers = {
    {"status"},        {"pipe", "ls"},         {"pipe", "info", "x"}, {"session", "ls"},
    {"top", "--once"}, {"pipe", "close", "x"}, {"pipe", "rm", "x"},   {"pipe", "pop", "x"}};

TEST_F(CliTest, WhoLooksStartsNoNode) {
  for (const auto& words : kObservers) expect_error(words, 8, "node_unavailable");
  EXPECT_EQ(run({"down"}).exit_code, 0);
  run({"doctor"});
  expect_error({"status"}, 8, "node_unavailable");
}

TEST_F(CliTest, UpAndDownMayBeRepeated) {
  const Json first = json_of({"up"});
  EXPECT_EQ(first["started"], true);
  EXPECT_EQ(first["node"]["application"], "cli-test");
  EXPECT_EQ(first["node"]["user"], "tester");
  EXPECT_EQ(json_of({"up"})["started"], false);
  EXPECT_THAT(output_of({"up"}), HasSubstr("runs already"));
  EXPECT_EQ(json_of({"down"})["stopped"], true);
  EXPECT_EQ(json_of({"down"})["stopped"], false);
  EXPECT_THAT(output_of({"down"}), HasSubstr("No node was running"));
}

TEST_F(CliTest, StatusShowsTheNode) {
  output_of({"up"});
  const Json node = json_of({"status"});
  EXPECT_EQ(node.size(), 26u);
  EXPECT_GT(node["keeper_pid"], 0);
  EXPECT_GT(node["worker_pid"], 0);
  EXPECT_NE(node["keeper_pid"], node["worker_pid"]);
  EXPECT_EQ(node["worker_starts"], 1);
  EXPECT_GT(node["limit_bytes"], 0);
  EXPECT_THAT(node["directory"].get<std::string>(), HasSubstr(folder_.string()));
  EXPECT_THAT(output_of({"status"}), HasSubstr("cli-test/tester"));
}

TEST_F(CliTest, DownRefusesWhileAProgramIsAttached) {
  Program consumer(command({"pipe", "pop", "x", "--create"}));
  await_pipe("x", [](const Json&) { return true; });
  expect_error({"down"}, 1, "busy");
  EXPECT_EQ(run({"down", "--force"}).exit_code, 0);
  expect_error({"status"}, 8, "node_unavailable");
}

TEST_F(CliTest, DomainsDoNotSeeEachOther) {
  output_of({"pipe", "create", "x"});
  output_of({"--application", "other", "up"});
  EXPECT_EQ(json_of({"--application", "other", "pipe", "ls"}), Json::array());
  EXPECT_EQ(json_of({"pipe", "ls"}).size(), 1u);
  output_of({"--application", "other", "down", "--force"});
  EXPECT_EQ(json_of({"pipe", "ls"}).size(), 1u);
}

TEST_F(CliTest, SessionsAreListedUntilTheyEnd) {
  Program consumer(command({"pipe", "pop", "x", "--create"}));
  await_pipe("x", [](const Json&) { return true; });
  const auto is_listed = [&] {
    for (const Json& each : json_of({"session", "ls"})) {
      if (each["pid"] == consumer.pid()) return each["name"] == "tarn pipe pop";
    }
    return false;
  };
  EXPECT_TRUE(is_listed());
  EXPECT_THAT(output_of({"session", "ls"}), HasSubstr("tarn pipe pop"));
  consumer.signal(SIGKILL);
  consumer.wait();
  for (int i = 0; i < 500 && is_listed(); ++i) ::usleep(2000);
  EXPECT_FALSE(is_listed());
}

TEST_F(CliTest, DoctorsExitCodeAgreesWithItsFindings) {
  for (const bool with_node : {false, true}) {
    if (with_node) output_of({"up"});
    const Outcome outcome = run({"doctor", "--json"});
    const Json findings = Json::parse(outcome.out, nullptr, false);
    ASSERT_TRUE(findings.is_array());
    EXPECT_GE(findings.size(), 5u);
    bool problem = false;
    for (const Json& each : findings) {
      const std::string severity = each["severity"];
      problem = problem || severity == "problem";
      EXPECT_NE(each["subject"], "");
      EXPECT_NE(each["found"], "");
      const bool has_cure = each["cure"] != "";
      EXPECT_TRUE(has_cure || severity == "ok" || severity == "notice") << each;
    }
    EXPECT_EQ(outcome.exit_code, problem ? 9 : 0);
  }
}

TEST_F(CliTest, TopOnceIsOneFrame) {
  output_of({"pipe", "push", "spectra"}, "a\nb\n");
  const std::string text = output_of({"top", "--once", "--interval", "20ms"});
  EXPECT_THAT(text, HasSubstr("cli-test/tester"));
  EXPECT_THAT(text, HasSubstr("spectra"));
  EXPECT_THAT(text, HasSubstr("2/64"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  const Json frame = json_of({"top", "--once", "--interval", "20ms"});
  EXPECT_GE(frame["interval_ns"], 20'000'000);
  EXPECT_EQ(frame["node"]["application"], "cli-test");
  EXPECT_EQ(frame["pipes"][0]["name"], "spectra");
  EXPECT_EQ(frame["pipes"][0]["pushed_per_s"], 0.0);
  EXPECT_TRUE(frame["sessions"].is_array());
}

TEST_F(CliTest, TopInBatchesGoesOnUntilASignal) {
  output_of({"up"});
  Program top(command({"top", "--batch", "--json", "--interval", "10ms"}));
  top.await_output(2000);
  top.signal(SIGTERM);
  const Outcome outcome = top.wait();
  EXPECT_EQ(outcome.signal, SIGTERM) << outcome.err;
  const auto end = outcome.out.find('\n');
  EXPECT_TRUE(Json::parse(outcome.out.substr(0, end), nullptr, false).is_object());
}

// Reads what a terminal shows until it contains `wanted`.
std::string read_until(int terminal, const std::string& wanted) {
  std::string seen;
  pollfd entry{terminal, POLLIN, 0};
  while (seen.find(wanted) == std::string::npos && ::poll(&entry, 1, 30000) == 1) {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::read(terminal, buffer.data(), buffer.size());
    if (count <= 0) break;
    seen.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return seen;
}

TEST_F(CliTest, TopOnATerminalGivesItBackAsItWas) {
  output_of({"pipe", "create", "spectra"});
  int terminal = -1;
  winsize size{24, 100, 0, 0};
  const std::string path = TARN_TEST_BIN_DIR "/tarn";
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (child == 0) {
    ::setenv("TERM", "xterm", 1);
    ::execl(path.c_str(), path.c_str(), "top", "--interval", "20ms", nullptr);
    ::_exit(127);
  }
  const std::string begin = read_until(terminal, "spectra");
  EXPECT_THAT(begin, HasSubstr("\x1b[?1049h"));
  EXPECT_THAT(begin, HasSubstr("spectra"));
  EXPECT_EQ(::write(terminal, "q", 1), 1);
  EXPECT_THAT(read_until(terminal, "\x1b[?1049l"), HasSubstr("\x1b[?25h\x1b[?1049l"));
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(terminal);
}

TEST_F(CliTest, BashCompletesTheNamesOfPipes) {
  output_of({"pipe", "create", "spectra"});
  output_of({"pipe", "create", "sound"});
  const std::string script = "source <(" TARN_TEST_BIN_DIR
                             "/tarn completion bash);"
                             "COMP_WORDS=(" TARN_TEST_BIN_DIR
                             "/tarn pipe pop s); COMP_CWORD=3; _tarn;"
                             "printf '%s\\n' \"${COMPREPLY[@]}\" | sort";
  Program bash({"/bin/bash", "-c", script});
  EXPECT_EQ(bash.wait().out, "sound\nspectra\n");
}

TEST_F(CliTest, AResultThatCannotBeWrittenIsAFailure) {
  Program version(command({"version"}), "/dev/full");
  const Outcome outcome = version.wait();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("standard output"));
}

}  // namespace
}  // namespace tarn::e2e
