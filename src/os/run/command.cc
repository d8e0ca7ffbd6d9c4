#include "os/run/command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/process.h"
#include "os/run/spawn.h"
#include "os/system_error.h"

namespace tarn::os {
namespace {

struct Ends {
  UniqueFd reader;
  UniqueFd writer;
};

Result<Ends, Error> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("make a pipe", "command");
  Ends pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  // Only our end: the command expects to be able to wait.
  ::fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

void set_limits(const std::vector<ResourceLimitWish>& wishes) noexcept {
  for (std::size_t i = 0; i < wishes.size() && i < RLIM_NLIMITS; ++i) {
    const auto which = static_cast<__rlimit_resource>(i);
    rlimit now{};
    if (::getrlimit(which, &now) != 0) continue;
    rlimit wish{wishes[i].soft, wishes[i].hard};
    if (::geteuid() != 0) wish.rlim_max = std::min(wish.rlim_max, now.rlim_max);
    wish.rlim_cur = std::min(wish.rlim_cur, wish.rlim_max);
    ::setrlimit(which, &wish);
  }
}

void reset_signals() noexcept {
  struct sigaction fresh {};
  fresh.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &fresh, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

struct CommandEnds {
  int output;
  int errors;
  int report;
  int go;
  int go_writer;
};

[[noreturn]] void give_up(int report, int error) noexcept {
  [[maybe_unused]] const auto written = ::write(report, &error, sizeof error);
  ::_exit(127);
}

// Runs in the child.
[[noreturn]] void become_command(const CommandPlan& plan, std::int32_t parent,
                                 const CommandEnds& ends) {
  // The parent's signals wait on a descriptor of its own; ours are as for a fresh process.
  reset_signals();
  ::setsid();
  if (!end_with_parent(parent)) ::_exit(127);
  if (::fchdir(plan.directory) != 0) give_up(ends.report, errno);
  ::umask(plan.file_mode_mask);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0) give_up(ends.report, errno);
  ::dup2(null, 0);
  ::dup2(ends.output, 1);
  ::dup2(ends.errors, 2);
  // What is ours closes at exec; the report tells the parent by that.
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  set_limits(plan.limits);
  // Without our own copy of the other end, a parent that dies now ends the waiting.
  ::close(ends.go_writer);
  ::fcntl(ends.go, F_SETFL, 0);
  char word = 0;
  if (::read(ends.go, &word, 1) != 1) ::_exit(127);
  auto arguments = raw_words(*plan.arguments);
  auto environment = raw_words(*plan.environment);
  environ = environment.data();
  ::execvp(arguments[0], arguments.data());
  give_up(ends.report, errno);
}

}  // namespace

Result<StartedCommand, Error> start_command(const CommandPlan& plan) {
  auto output = make_pipe();
  if (!output) return std::move(output).error();
  auto errors = make_pipe();
  if (!errors) return std::move(errors).error();
  auto report = make_pipe();
  if (!report) return std::move(report).error();
  auto go = make_pipe();
  if (!go) return std::move(go).error();
  const std::int32_t self = own_pid();
  auto child = fork_process();
  if (!child) return std::move(child).error();
  if (*child == 0) {
    become_command(plan, self,
                   {output->writer.get(), errors->writer.get(), report->writer.get(),
                    go->reader.get(), go->writer.get()});
  }
  StartedCommand started;
  started.pid = *child;
  started.output = std::move(output->reader);
  started.errors = std::move(errors->reader);
  started.report = std::move(report->reader);
  started.go = std::move(go->writer);
  return started;
}

void release_command(StartedCommand& command) noexcept {
  write_text(command.go.get(), "x");
  command.go.reset();
}

ExecReport exec_report(int fd, int& error) noexcept {
  const ssize_t count = ::read(fd, &error, sizeof error);
  if (count == static_cast<ssize_t>(sizeof error)) return ExecReport::refused;
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return ExecReport::pending;
  return ExecReport::executed;
}

ReadOutcome read_some(int fd, std::string& text) noexcept {
  static std::array<char, 65536> buffer;
  const ssize_t count = ::read(fd, buffer.data(), buffer.size());
  if (count > 0) {
    text.assign(buffer.data(), static_cast<std::size_t>(count));
    return ReadOutcome::some;
  }
  const bool again = count < 0 && (errno == EAGAIN || errno == EINTR);
  return again ? ReadOutcome::nothing : ReadOutcome::ended;
}

ReapedChild reap_any() noexcept {
  ReapedChild reaped;
  int raw = 0;
  const pid_t pid = ::waitpid(-1, &raw, WNOHANG);
  if (pid < 0) reaped.none_left = errno == ECHILD;
  if (pid <= 0) return reaped;
  reaped.pid = pid;
  reaped.end = child_end(raw);
  return reaped;
}

void signal_group(std::int32_t leader, int signal) noexcept {
  // A child that was started just now is not the leader of its group yet.
  if (::kill(-leader, signal) != 0 && errno == ESRCH) ::kill(leader, signal);
}

std::vector<std::string> own_environment() {
  std::vector<std::string> words;
  for (char** word = environ; word != nullptr && *word != nullptr; ++word)
    words.emplace_back(*word);
  return words;
}

std::vector<ResourceLimitWish> own_limits() {
  std::vector<ResourceLimitWish> limits;
  for (int i = 0; i < static_cast<int>(RLIM_NLIMITS); ++i) {
    rlimit limit{};
    ::getrlimit(static_cast<__rlimit_resource>(i), &limit);
    limits.push_back({limit.rlim_cur, limit.rlim_max});
  }
  return limits;
}

std::uint32_t own_file_mode_mask() noexcept {
  // There is no other call that reads it, and no instant in which a file of ours could be too open.
  const mode_t mask = ::umask(077);
  ::umask(mask);
  return mask;
}

Result<UniqueFd, Error> open_working_directory() {
  UniqueFd directory(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return system_error("open the working directory", ".");
  return directory;
}

bool is_directory(int fd) noexcept {
  struct stat facts {};
  return ::fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode);
}

}  // namespace tarn::os
