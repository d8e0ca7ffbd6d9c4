// cli_fixture.h - the command line in a domain of its own: a fresh run directory and application
// for each test. What a test leaves behind fails it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/e2e/program.h"

namespace tarn::e2e {

inline std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& each : std::filesystem::directory_iterator(folder, error)) {
    names.insert(each.path().filename());
  }
  return names;
}

class CliTest : public testing::Test {
 protected:
  using Words = std::vector<std::string>;
  using Json = nlohmann::json;

  CliTest() {
    std::signal(SIGPIPE, SIG_IGN);
    std::string pattern = "/tmp/tarn-cli-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    ::setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
    ::setenv("TARN_APPLICATION", "cli-test", 1);
    ::setenv("TARN_USER", "tester", 1);
    shared_before_ = names_in("/dev/shm");
  }
  ~CliTest() override {
    ::setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
    run({"down", "--force"});
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
    EXPECT_EQ(names_in("/dev/shm"), shared_before_);
  }

  static Program::Arguments command(const Words& words) {
    Program::Arguments arguments{TARN_TEST_BIN_DIR "/tarn"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    return arguments;
  }
  static Outcome run(const Words& words, std::string_view input = {}) {
    Program program(command(words));
    program.give(input);
    return program.wait();
  }
  // Runs it, expects success, and returns its output.
  static std::string output_of(const Words& words, std::string_view input = {}) {
    const Outcome outcome = run(words, input);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.out;
  }
  static Json json_of(Words words, std::string_view input = {}) {
    words.push_back("--json");
    return Json::parse(output_of(words, input), nullptr, false);
  }
  // Expects it to fail like this, in both forms, with nothing on standard output and with a cure.
  static void expect_error(Words words, int exit_code, const std::string& code) {
    const Outcome plain = run(words);
    EXPECT_EQ(plain.exit_code, exit_code) << plain.err;
    EXPECT_NE(plain.err.find('(' + code), std::string::npos) << plain.err;
    EXPECT_NE(plain.err.find("cure: "), std::string::npos) << plain.err;
    words.insert(words.begin(), "--json");
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    const Json error = Json::parse(outcome.err, nullptr, false);
    ASSERT_TRUE(error.is_object()) << outcome.err;
    EXPECT_EQ(error.value("code", ""), code);
    EXPECT_EQ(error.value("exit_code", -1), exit_code);
    EXPECT_NE(error.value("attempted", ""), "");
    EXPECT_NE(error.value("object", ""), "") << outcome.err;
    EXPECT_NE(error.value("cure", ""), "") << outcome.err;
  }
  // Waits until the pipe is there and `done` says yes of its status.
  template <class Condition>
  static void await_pipe(const std::string& name, Condition done) {
    for (int i = 0; i < 1000; ++i) {
      const Outcome outcome = run({"--json", "pipe", "info", name});
      if (outcome.exit_code == 0 && done(Json::parse(outcome.out))) return;
      ::usleep(5000);
    }
    FAIL() << "pipe '" << name << "' did not get there";
  }

  std::filesystem::path folder_;
  std::set<std::string> shared_before_;
};

// Bytes of every value, different at every place.
inline std::string binary_bytes(std::size_t size_bytes) {
  std::string bytes;
  std::uint64_t state = 88172645463325252u;
  while (bytes.size() < size_bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    bytes += static_cast<char>(state & 0xff);
  }
  return bytes;
}

}  // namespace tarn::e2e
