// node_fixture.h - a node started for one test, in a run directory of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "os/limits.h"
#include "os/process.h"
#include "tests/e2e/raw_client.h"
#include "wire/names.h"
#include "wire/start_report.h"

namespace tarn::raw {

using namespace std::chrono_literals;

// Hang protection: longer than any wait below.
inline constexpr unsigned kWatchdogSeconds = 100;

// Polls until `condition` holds; false after 60 s, which no healthy run comes near.
inline bool eventually(const std::function<bool()>& condition) {
  const Deadline patience = Deadline::in(60s);
  while (!condition()) {
    if (patience.has_passed()) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

// A directory of its own for $XDG_RUNTIME_DIR, removed with all that is in it.
class RuntimeDirectory {
 public:
  RuntimeDirectory() {
    std::string pattern = "/tmp/tarn-test-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~RuntimeDirectory() { std::filesystem::remove_all(path_); }
  RuntimeDirectory(const RuntimeDirectory&) = delete;
  RuntimeDirectory& operator=(const RuntimeDirectory&) = delete;

  const std::string& path() const { return path_; }
  wire::RunPaths paths(const std::string& application = "test") const {
    auto paths = wire::run_paths({application, "tester"}, path_, os::own_uid());
    return *paths;
  }
  bool is_empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::string path_;
};

// One tarnd, a child of the test, which reads its ready line.
class Daemon {
 public:
  // `prepare` runs in the child before the program does.
  Daemon(const RuntimeDirectory& place, std::vector<std::string> options,
         const std::function<void()>& prepare = {}) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      ::dup2(ends[1], 3);
      if (ends[1] != 3) ::close(ends[1]);
      ::setenv("XDG_RUNTIME_DIR", place.path().c_str(), 1);
      if (prepare) prepare();
      execute(std::move(options));
    }
    ::close(ends[1]);
    line_ = os::UniqueFd(ends[0]);
  }
  ~Daemon() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGTERM);
    wait();
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Waits for it.
  std::string start_line() {
    std::string text;
    char part[512];
    for (;;) {
      const ssize_t count = ::read(line_.get(), part, sizeof part);
      if (count <= 0) return text;
      text.append(part, static_cast<std::size_t>(count));
    }
  }
  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  // Waits for its end: the exit status, or minus the signal.
  int wait() {
    int raw = 0;
    ::waitpid(pid_, &raw, 0);
    pid_ = 0;
    return WIFEXITED(raw) ? WEXITSTATUS(raw) : -WTERMSIG(raw);
  }

 private:
  [[noreturn]] static void execute(std::vector<std::string> options) {
    const std::string program = std::string(TARN_TEST_BIN_DIR) + "/tarnd";
    std::vector<std::string> words = {program,  "--application", "test", "--user",
                                      "tester", "--ready-fd",    "3"};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> raw;
    for (std::string& word : words) raw.push_back(word.data());
    raw.push_back(nullptr);
    ::execv(program.c_str(), raw.data());
    ::_exit(127);
  }

  pid_t pid_ = 0;
  os::UniqueFd line_;
};

// A client in a process of its own, to be killed. `life` runs in the child; when it returns, the
// child says so and waits for its death.
class Victim {
 public:
  explicit Victim(const std::function<void()>& life) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      ::alarm(kWatchdogSeconds);
      life();
      [[maybe_unused]] const auto written = ::write(ends[1], "x", 1);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    char said = 0;
    lived_ = ::read(ends[0], &said, 1) == 1;
    ::close(ends[0]);
  }
  ~Victim() { kill(); }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  bool lived() const { return lived_; }
  pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  bool lived_ = false;
};

// A node with options, and what every test of it needs.
class NodeTest : public ::testing::Test {
 protected:
  void SetUp() override { ::alarm(kWatchdogSeconds); }
  void TearDown() override {
    daemon_.reset();
    EXPECT_TRUE(place_.is_empty()) << "something is left in the run directory";
    ::alarm(0);
  }
  void start(std::vector<std::string> options = {}, const std::function<void()>& prepare = {}) {
    daemon_.emplace(place_, std::move(options), prepare);
    ASSERT_EQ(daemon_->start_line(), wire::kReadyLine);
  }
  std::string socket_path() const { return place_.paths().socket; }
  Client session(std::uint64_t quota_bytes = 0) {
    Client client(socket_path());
    EXPECT_EQ(client.begin_session(quota_bytes).type(), wire::MessageType::welcome);
    return client;
  }
  Client observer() {
    Client client(socket_path());
    EXPECT_EQ(client.observe().type(), wire::MessageType::welcome);
    return client;
  }
  // Kills the worker, and returns once another one serves.
  void kill_worker() {
    const wire::StatusReply before = observer().status();
    ::kill(before.worker_pid, SIGKILL);
    ASSERT_TRUE(eventually([&] {
      Client client(socket_path());
      if (!client.is_connected() || client.observe().ended()) return false;
      return client.status().worker_starts > before.worker_starts;
    }));
  }

  RuntimeDirectory place_;
  std::optional<Daemon> daemon_;
};

}  // namespace tarn::raw
