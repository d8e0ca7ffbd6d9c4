#include "os/child.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

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

std::string ChildEnd::text() const {
  if (signal == 0) return "with status " + std::to_string(status);
  const char* name = ::sigdescr_np(signal);
  return "by signal " + std::to_string(signal) + (name ? " (" + std::string(name) + ")" : "");
}

ChildEnd child_end(int raw_status) noexcept {
  ChildEnd end;
  if (WIFSIGNALED(raw_status)) {
    end.signal = WTERMSIG(raw_status);
  } else {
    end.status = WEXITSTATUS(raw_status);
  }
  return end;
}

ChildEnd reap_child(std::int32_t pid) noexcept {
  int raw = 0;
  while (::waitpid(pid, &raw, 0) < 0 && errno == EINTR) {
  }
  return child_end(raw);
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
