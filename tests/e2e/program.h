// program.h - one of our programs as a child process, with its input, output and exit status.
//
// Everything is collected while the child runs, so that a full pipe blocks neither side. A watchdog
// ends a child that hangs; the test then sees SIGKILL.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace tarn::e2e {

struct Outcome {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;
  std::string out;
  std::string err;
};

class Program {
 public:
  using Arguments = std::vector<std::string>;

  // `arguments` begins with the program's path. With `out_path` its output goes to that file.
  explicit Program(const Arguments& arguments, const char* out_path = nullptr) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    std::array<int, 2> err{};
    for (auto* ends : {&in, &out, &err}) EXPECT_EQ(::pipe2(ends->data(), O_CLOEXEC), 0);
    std::vector<char*> argv;
    for (const std::string& each : arguments) argv.push_back(const_cast<char*>(each.c_str()));
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      const int out_end = out_path == nullptr ? out[1] : ::open(out_path, O_WRONLY | O_CLOEXEC);
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out_end, STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    for (const int end : {in[0], out[1], err[1]}) ::close(end);
    input_ = in[1];
    out_reader_ = collect(out[0], outcome_.out);
    err_reader_ = collect(err[0], outcome_.err);
    watchdog_ = std::thread([this] { kill_when_it_hangs(); });
  }
  ~Program() {
    if (!ended_) ::kill(pid_, SIGKILL);
    wait();
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) { ::kill(pid_, number); }

  // Writes to its standard input; stops early when it no longer reads.
  void give(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(input_, bytes.data(), bytes.size());
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void end_input() {
    if (input_ >= 0) ::close(std::exchange(input_, -1));
  }
  // Waits until its output so far has at least this many bytes, or it has ended.
  void await_output(std::size_t size_bytes) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return outcome_.out.size() >= size_bytes || out_ended_; });
  }
  // Ends its input, waits for its end, and returns all there is.
  const Outcome& wait() {
    if (ended_) return outcome_;
    end_input();
    int status = 0;
    EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
    ended_ = true;
    {
      const std::lock_guard lock(mutex_);
      finished_ = true;
    }
    changed_.notify_all();
    for (std::thread* each : {&watchdog_, &out_reader_, &err_reader_}) each->join();
    outcome_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    outcome_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return outcome_;
  }

 private:
  std::thread collect(int descriptor, std::string& target) {
    return std::thread([this, descriptor, &target] {
      std::array<char, 65536> buffer{};
      for (;;) {
        const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
        const std::lock_guard lock(mutex_);
        if (count > 0) target.append(buffer.data(), static_cast<std::size_t>(count));
        if (count <= 0 && &target == &outcome_.out) out_ended_ = true;
        changed_.notify_all();
        if (count <= 0) break;
      }
      ::close(descriptor);
    });
  }
  void kill_when_it_hangs() {
    std::unique_lock lock(mutex_);
    const bool in_time =
        changed_.wait_for(lock, std::chrono::seconds(60), [this] { return finished_; });
    if (!in_time) ::kill(pid_, SIGKILL);
  }

  pid_t pid_ = -1;
  int input_ = -1;
  bool ended_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool out_ended_ = false;
  bool finished_ = false;
  Outcome outcome_;
  std::thread out_reader_;
  std::thread err_reader_;
  std::thread watchdog_;
};

}  // namespace tarn::e2e
