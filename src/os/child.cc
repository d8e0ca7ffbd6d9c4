#include "os/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "os/process.h"
#include "os/system_error.h"

namespace tarn::os {

Result<std::int32_t, Error> fork_process() {
  const pid_t child = ::fork();
  if (child < 0) return system_error("start a process", "fork");
  return child;
}

bool end_with_parent(std::int32_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // The parent may have ended before the line above.
  return ::getppid() == parent;
}

void exit_at_once(int status) noexcept { ::_exit(status); }

Result<StartedChild, Error> execute_self(const std::vector<std::string>& words, int given) {
  std::vector<char*> raw;
  for (const std::string& word : words) raw.push_back(const_cast<char*>(word.c_str()));
  raw.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, given, 3);
  ::posix_spawn_file_actions_addclosefrom_np(&files, 4);
  posix_spawnattr_t traits;
  ::posix_spawnattr_init(&traits);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::posix_spawnattr_setsigmask(&traits, &signals);
  ::sigfillset(&signals);
  ::posix_spawnattr_setsigdefault(&traits, &signals);
  ::posix_spawnattr_setflags(&traits, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  StartedChild child;
  const int refused =
      ::posix_spawn(&child.pid, "/proc/self/exe", &files, &traits, raw.data(), environ);
  ::posix_spawnattr_destroy(&traits);
  ::posix_spawn_file_actions_destroy(&files);
  if (refused != 0) {
    errno = refused;
    return system_error("start a program", words[0]);
  }
  auto process = open_pidfd(child.pid);
  if (!process) {
    // Without it nobody would learn of its end.
    signal_child(child.pid, SIGKILL);
    reap_child(child.pid);
    return std::move(process).error();
  }
  child.process = std::move(*process);
  return child;
}

std::string ChildEnd::text() const {
  if (signal == 0) return "with status " + std::to_string(status);
  const char* name = ::sigdescr_np(signal);
  return "by signal " + std::to_string(signal) + (name ? " (" + std::string(name) + ")" : "");
}

ChildEnd reap_child(std::int32_t pid) noexcept {
  int raw = 0;
  while (::waitpid(pid, &raw, 0) < 0 && errno == EINTR) {
  }
  ChildEnd end;
  if (WIFSIGNALED(raw)) {
    end.signal = WTERMSIG(raw);
  } else {
    end.status = WEXITSTATUS(raw);
  }
  return end;
}

void signal_child(std::int32_t pid, int signal) noexcept { ::kill(pid, signal); }

FullStatus detach_from_terminal(const std::string& error_file) {
  ::umask(077);
  if (::chdir("/") != 0) return system_error("leave the working directory", "/");
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return system_error("open", "/dev/null");
  const UniqueFd errors(
      ::open(error_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!errors) return system_error("open the log", error_file);
  if (::dup2(null.get(), 0) < 0 || ::dup2(null.get(), 1) < 0 || ::dup2(errors.get(), 2) < 0) {
    return system_error("replace the standard streams", error_file);
  }
  return Done{};
}

void open_standard_streams() noexcept {
  int fd = -1;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd < 2);
  if (fd > 2) ::close(fd);
}

void close_inherited(int kept) noexcept {
  if (kept < 3) {
    ::close_range(3, ~0U, 0);
    return;
  }
  const auto middle = static_cast<unsigned>(kept);
  if (middle > 3) ::close_range(3, middle - 1, 0);
  ::close_range(middle + 1, ~0U, 0);
}

void write_text(int fd, const std::string& text) noexcept {
  [[maybe_unused]] const auto written = ::write(fd, text.data(), text.size());
}

}  // namespace tarn::os
