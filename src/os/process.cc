#include "os/process.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <system_error>
#include <utility>

#include "os/events.h"
#include "os/life/process_stat.h"
#include "os/system_error.h"

namespace tarn::os {

namespace detail {
constinit std::atomic<std::uint64_t> g_fork_generation{0};
}

namespace {

void count_fork() noexcept {
  // relaxed: a new child has one thread.
  detail::g_fork_generation.fetch_add(1, std::memory_order_relaxed);
}
[[maybe_unused]] const int g_fork_handler = ::pthread_atfork(nullptr, nullptr, count_fork);

// Runs in the child: only async-signal-safe calls from here to exec.
[[noreturn]] void exec_detached(char* const* arguments, int ready_fd) {
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, 0);
  ::dup2(null, 1);
  ::dup2(ready_fd, 3);
  ::fcntl(3, F_SETFD, 0);  // dup2 onto itself would have left close-on-exec set
  ::close_range(4, ~0U, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(arguments[0], arguments);
  const char failure[] = "cannot execute the daemon\n";
  [[maybe_unused]] const auto written = ::write(3, failure, sizeof failure - 1);
  ::_exit(127);
}

}  // namespace

std::int32_t own_pid() noexcept { return ::getpid(); }
std::uint32_t own_uid() noexcept { return ::getuid(); }

Result<ProcessIdentity> identify(std::int32_t pid) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
  const UniqueFd file(::open(path.data(), O_RDONLY | O_CLOEXEC));
  if (!file && (errno == EMFILE || errno == ENFILE)) return Error::no_descriptors;
  if (!file) return errno == ENOENT || errno == ESRCH ? Error::not_found : Error::os;
  std::array<char, 1024> text{};
  const ssize_t count = ::read(file.get(), text.data(), text.size());
  if (count <= 0) return count == 0 || errno == ESRCH ? Error::not_found : Error::os;
  const auto stat = parse_stat({text.data(), static_cast<std::size_t>(count)});
  if (!stat) return Error::corrupt;
  return ProcessIdentity{pid, stat->start_ticks};
}

Result<UniqueFd, Error> open_pidfd(std::int32_t pid) {
  const long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) return system_error("watch a process", "pid " + std::to_string(pid));
  return UniqueFd(static_cast<int>(fd));
}

Result<UniqueFd, Error> open_first_thread(std::int32_t pid) {
  constexpr unsigned kThread = O_EXCL;  // PIDFD_THREAD
  const long fd = ::syscall(SYS_pidfd_open, pid, kThread);
  if (fd < 0) return system_error("watch a thread", "pid " + std::to_string(pid));
  return UniqueFd(static_cast<int>(fd));
}

// Opened before it is asked who has that pid: had another process got it in between, its start time
// would differ.
Result<UniqueFd, Error> open_process(const ProcessIdentity& process, const Identifier& who) {
  auto opened = open_pidfd(process.pid);
  // EINVAL, and ENOENT of newer kernels: the number is a thread's now.
  const int refused = opened ? 0 : opened.error().system_error();
  if (refused != 0 && refused != ESRCH && refused != EINVAL && refused != ENOENT) return opened;
  const auto now = who(process.pid);
  const bool is_silent = !now && now.error() == Error::busy;
  if (opened && (is_silent || (now && *now == process))) return opened;
  if (!now && !is_silent && now.error() != Error::not_found) {
    return Error(now.error(), "watch a process", "pid " + std::to_string(process.pid), {});
  }
  auto ended = create_event();
  if (ended) raise_event(ended->get());
  return ended;
}

bool has_exited(int pidfd) noexcept {
  pollfd watched{pidfd, POLLIN, 0};
  return ::poll(&watched, 1, 0) == 1 && (watched.revents & POLLIN) != 0;
}

void signal_process(int pidfd, int signal) noexcept {
  ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
}

std::string program_name() { return program_invocation_short_name; }

std::string account_name() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->pw_name : std::to_string(::getuid());
}

namespace {

// The library reports by an exception that no thread can be made.
Result<std::thread, Error> start_thread(const char* name, std::function<void()> body) {
  try {
    return std::thread([name, body = std::move(body)] {
      name_thread(name);
      body();
    });
  } catch (const std::system_error& refused) {
    const int number = refused.code().value();
    if (number != EAGAIN) return system_error("start a thread", name, number);
    return Error(Error::os, "start a thread", name,
                 "raise the limit of processes (ulimit -u), or pids.max of the cgroup", EAGAIN);
  } catch (const std::bad_alloc&) {
    return system_error("start a thread", name, ENOMEM);
  }
}

}  // namespace

Result<std::thread, Error> start_quiet_thread(const char* name, std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  // A new thread inherits the mask, so that there is no instant in which it could get a signal.
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  auto thread = start_thread(name, std::move(body));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

void name_thread(const char* name) noexcept { ::prctl(PR_SET_NAME, name, 0, 0, 0); }

Result<UniqueFd, Error> spawn_detached(const std::vector<std::string>& arguments) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("make a pipe", arguments[0]);
  UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  std::vector<char*> raw;
  raw.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return system_error("start a program", arguments[0]);
  if (child == 0) exec_detached(raw.data(), write_end.get());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return read_end;
}

void random_bytes(void* target, std::size_t size_bytes) noexcept {
  auto* bytes = static_cast<unsigned char*>(target);
  while (size_bytes > 0) {
    const ssize_t count = ::getrandom(bytes, size_bytes, 0);
    if (count <= 0) continue;
    bytes += count;
    size_bytes -= static_cast<std::size_t>(count);
  }
}

}  // namespace tarn::os
