// `tarn run` and `tarn client` as a user has them.
#include <sys/stat.h>

#include <fstream>

#include "testing/supervised.h"
#include "tests/e2e/cli_fixture.h"

namespace tarn::e2e {
namespace {

class CliClientTest : public CliTest {
 protected:
  std::size_t living(const std::string& name) {
    return testkit::processes_of_client(name, folder_).size();
  }
  Json client(const std::string& name) {
    for (const Json& each : json_of({"client", "ls"})) {
      if (each["name"] == name) return each;
    }
    return Json::object();
  }
  template <class Condition>
  void await_client(const std::string& name, Condition done) {
    for (int i = 0; i < 1000; ++i) {
      const Json now = client(name);
      if (!now.empty() && done(now)) return;
      ::usleep(5000);
    }
    FAIL() << "client '" << name << "' did not get there: " << client(name).dump();
  }
  std::string write_script(const std::string& name, const std::string& text, mode_t mode) {
    const auto path = folder_ / name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
};

TEST_F(CliClientTest, RunStartsItAndLsShowsIt) {
  const std::string said = output_of({"run", "camera", "--", "sleep", "1000"});
  EXPECT_NE(said.find("Client 'camera' is running"), std::string::npos) << said;
  const Json camera = client("camera");
  EXPECT_EQ(camera["state"], "running");
  EXPECT_EQ(camera["starts"], 1);
  EXPECT_EQ(camera["command"], "sleep 1000");
  EXPECT_EQ(living("camera"), 1u);
  const std::string table = output_of({"client", "ls"});
  EXPECT_NE(table.find("camera"), std::string::npos);
  EXPECT_EQ(json_of({"status"})["clients"], 1);
}

TEST_F(CliClientTest, WhatCannotBeExecutedIsRefusedAndNotRegistered) {
  expect_error({"run", "none", "--", "/no/such/program"}, 3, "not_found");
  expect_error({"run", "none", "--", write_script("plain", "text", 0644)}, 7, "access_denied");
  EXPECT_TRUE(json_of({"client", "ls"}).empty());
  expect_error({"run", "-x", "--", "true"}, 2, "usage");
  expect_error({"client", "stop", "nobody"}, 3, "not_found");
}

TEST_F(CliClientTest, AKilledClientIsStartedAgain) {
  output_of({"run", "phoenix", "--backoff", "1ms", "--", "sleep", "1000"});
  const int first = client("phoenix")["pid"];
  ::kill(first, SIGKILL);
  await_client("phoenix", [&](const Json& now) {
    return now["state"] == "running" && now["pid"] != first && now["starts"] == 2;
  });
  EXPECT_EQ(client("phoenix")["exit_signal"], SIGKILL);
  EXPECT_EQ(living("phoenix"), 1u);
}

TEST_F(CliClientTest, OneThatKeepsFailingHasFailed) {
  output_of({"run", "broken", "--backoff", "1ms", "--limit", "3/1h", "--", "sh", "-c",
             "echo no; exit 3"});
  await_client("broken", [](const Json& now) { return now["state"] == "failed"; });
  const Json broken = client("broken");
  EXPECT_EQ(broken["starts"], 4);
  EXPECT_EQ(broken["exit_status"], 3);
  EXPECT_EQ(output_of({"client", "logs", "broken", "-n", "3"}), "no\nno\nno\n");
  EXPECT_EQ(output_of({"client", "logs", "broken"}), "no\nno\nno\nno\n");
}

TEST_F(CliClientTest, SuccessIsTheEndUnlessItIsToRunAlways) {
  output_of({"run", "done", "--", "true"});
  await_client("done", [](const Json& now) { return now["state"] == "finished"; });
  output_of(
      {"run", "again", "--restart", "always", "--limit", "2/1h", "--backoff", "1ms", "--", "true"});
  await_client("again",
               [](const Json& now) { return now["state"] == "failed" && now["starts"] == 3; });
}

TEST_F(CliClientTest, StopEndsAllThatItHasStarted) {
  output_of({"run", "family", "--", "sh", "-c", "sleep 1000 & setsid sleep 1000 & wait"});
  for (int i = 0; i < 1000 && living("family") != 3; ++i) ::usleep(5000);
  const std::string said = output_of({"client", "stop", "family"});
  EXPECT_NE(said.find("is stopped"), std::string::npos) << said;
  EXPECT_EQ(living("family"), 0u);
  output_of({"client", "restart", "family"});
  EXPECT_GE(living("family"), 1u);
}

// Who left the command's group comes to the shepherd only when all between have ended.
TEST_F(CliClientTest, StopAsksThoseFarDownAsWell) {
  const std::string path = folder_ / "farewell";
  const std::string last = write_script("last",
                                        "#!/bin/sh\ntrap 'echo bye > " + path +
                                            "; exit 0' TERM\necho ready\n"
                                            "while :; do sleep 0.01; done\n",
                                        0755);
  const std::string middle = write_script("middle", "#!/bin/sh\n" + last + " & wait\n", 0755);
  output_of(
      {"run", "deep", "--stop-timeout", "1m", "--", "sh", "-c", "setsid " + middle + " & wait"});
  for (int i = 0; i < 1000 && output_of({"client", "logs", "deep"}) != "ready\n"; ++i)
    ::usleep(5000);
  output_of({"client", "stop", "deep"});
  std::string said;
  std::getline(std::ifstream(path), said);
  EXPECT_EQ(said, "bye");
  EXPECT_EQ(living("deep"), 0u);
}

// A first thread that has ended leaves a process that looks dead, and is not.
TEST_F(CliClientTest, StopEndsAProcessWhoseFirstThreadIsGone) {
  const std::string headless =
      write_script("headless",
                   "#!/usr/bin/env python3\nimport ctypes, threading, time\n"
                   "threading.Thread(target=lambda: time.sleep(1000)).start()\n"
                   "print('ready', flush=True)\n"
                   "ctypes.CDLL(None).syscall(60, 0)  # exit: of this thread alone\n",
                   0755);
  output_of({"run", "headless", "--stop-timeout", "50ms", "--", "sh", "-c",
             "setsid " + headless + " & wait"});
  for (int i = 0; i < 1000 && output_of({"client", "logs", "headless"}) != "ready\n"; ++i)
    ::usleep(5000);
  output_of({"client", "stop", "headless"});
  EXPECT_EQ(living("headless"), 0u);
}

TEST_F(CliClientTest, AStopThatARestartOvertakesReturns) {
  output_of({"run", "deaf", "--stop-timeout", "300ms", "--", "sh", "-c",
             "trap '' TERM; echo ready; sleep 1000; sleep 1000"});
  for (int i = 0; i < 1000 && output_of({"client", "logs", "deaf"}) != "ready\n"; ++i)
    ::usleep(5000);
  Program stop(command({"client", "stop", "deaf"}));
  await_client("deaf", [](const Json& now) { return now["state"] == "stopping"; });
  output_of({"client", "restart", "deaf"});
  EXPECT_EQ(stop.wait().signal, 0);
  await_client("deaf", [](const Json& now) { return now["state"] == "running"; });
}

TEST_F(CliClientTest, WhatCannotBeExecutedAnyMoreEndsAsInAShell) {
  const std::string once = write_script("once", "#!/bin/sh\nrm $0\nexit 1\n", 0755);
  EXPECT_EQ(
      run({"run", "--wait", "gone", "--backoff", "1ms", "--limit", "2/1h", "--", once}).exit_code,
      127);
}

// It would be the client's, and end with it, whoever has joined it meanwhile.
TEST_F(CliClientTest, NoNodeIsStartedFromInside) {
  std::string words;
  for (const std::string& word : command({"pipe", "ls"})) words += word + " ";
  output_of({"run", "starter", "--restart", "never", "--", "sh", "-c",
             "TARN_APPLICATION=another " + words + "2>&1"});
  await_client("starter", [](const Json& now) { return now["state"] == "failed"; });
  const std::string said = output_of({"client", "logs", "starter"});
  EXPECT_NE(said.find("tarn up"), std::string::npos) << said;
}

TEST_F(CliClientTest, WhoDoesNotListenIsKilledWhenItsTimeIsOver) {
  output_of({"run", "deaf", "--stop-timeout", "50ms", "--", "sh", "-c",
             "trap '' TERM; echo ready; sleep 1000; sleep 1000"});
  for (int i = 0; i < 1000 && output_of({"client", "logs", "deaf"}) != "ready\n"; ++i)
    ::usleep(5000);
  output_of({"client", "stop", "deaf"});
  EXPECT_EQ(client("deaf")["exit_signal"], SIGKILL);
  EXPECT_EQ(living("deaf"), 0u);
}

TEST_F(CliClientTest, ItGetsTheCallersSurroundings) {
  ::setenv("TARN_TEST_WORD", "from the caller", 1);
  const mode_t before = ::umask(027);
  const Outcome outcome =
      run({"run", "--wait", "--restart", "never", "place", "--", "sh", "-c",
           "echo $TARN_TEST_WORD; echo $TARN_CLIENT $TARN_APPLICATION; umask; pwd -P"});
  ::umask(before);
  ::unsetenv("TARN_TEST_WORD");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "from the caller\nplace cli-test\n0027\n" +
                             std::filesystem::current_path().string() + "\n");
}

TEST_F(CliClientTest, WaitPassesOutputAndExitCodeOn) {
  const Outcome outcome = run({"run", "--wait", "--restart", "never", "once", "--", "sh", "-c",
                               "printf out; printf err >&2; exit 42"});
  EXPECT_EQ(outcome.exit_code, 42);
  EXPECT_EQ(outcome.out, "out");
  EXPECT_EQ(outcome.err, "err");
  const Outcome killed =
      run({"run", "--wait", "--restart", "never", "killed", "--", "sh", "-c", "kill -9 $$"});
  EXPECT_EQ(killed.exit_code, 128 + SIGKILL);
}

TEST_F(CliClientTest, TheFirstInterruptOfWaitStopsIt) {
  Program program(command({"run", "--wait", "fore", "--", "sh", "-c", "echo here; sleep 1000"}));
  program.await_output(5);
  program.signal(SIGINT);
  EXPECT_EQ(program.wait().signal, SIGINT);
  EXPECT_EQ(client("fore")["state"], "stopped");
  EXPECT_EQ(living("fore"), 0u);
}

TEST_F(CliClientTest, ANameIsTakenOnceUnlessItIsReplaced) {
  output_of({"run", "name", "--", "sleep", "1000"});
  expect_error({"run", "name", "--", "sleep", "1001"}, 10, "exists");
  output_of({"run", "name", "--replace", "--", "sleep", "1002"});
  EXPECT_EQ(client("name")["command"], "sleep 1002");
  EXPECT_EQ(living("name"), 1u);
  expect_error({"client", "rm", "name"}, 1, "busy");
  output_of({"client", "rm", "--force", "name"});
  EXPECT_EQ(living("name"), 0u);
  EXPECT_TRUE(json_of({"client", "ls"}).empty());
}

TEST_F(CliClientTest, FollowedLogsEndWithTheClient) {
  output_of({"run", "talker", "--restart", "never", "--", "sh", "-c",
             "echo one; sleep 0.2; echo two; sleep 0.2; echo three"});
  EXPECT_EQ(output_of({"client", "logs", "talker", "--follow"}), "one\ntwo\nthree\n");
}

TEST_F(CliClientTest, DownEndsClientsInOrderFirst) {
  const std::string path = folder_ / "farewell";
  output_of({"run", "polite", "--", "sh", "-c",
             "trap 'sleep 0.1; echo bye > " + path +
                 "; exit 0' TERM; echo ready; while :; do sleep 0.01; done"});
  for (int i = 0; i < 1000 && output_of({"client", "logs", "polite"}) != "ready\n"; ++i)
    ::usleep(5000);
  output_of({"down"});
  std::string said;
  std::getline(std::ifstream(path), said);
  EXPECT_EQ(said, "bye");
  EXPECT_EQ(living("polite"), 0u);
}

}  // namespace
}  // namespace tarn::e2e
