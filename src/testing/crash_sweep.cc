#include "testing/crash_sweep.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "base/assert.h"
#include "base/crash_point.h"

namespace tarn::testing {
namespace {

constexpr unsigned kWatchdogSeconds = 60;
constexpr int kFinished = 42;

// Where the child writes the name of the point that it is at; names are constants at the same
// address in both processes.
std::atomic<const char*>& last_point() {
  static void* const shared = ::mmap(nullptr, sizeof(std::atomic<const char*>),
                                     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  TARN_ASSERT(shared != MAP_FAILED);
  return *static_cast<std::atomic<const char*>*>(shared);
}

[[noreturn]] void run_child(std::uint64_t k, const std::function<void()>& action) {
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(kWatchdogSeconds);
#ifdef TARN_CRASH_POINTS
  hook_crash_points([](const char* name) { last_point().store(name); });
  arm_crash_point(k);
#else
  (void)k;
#endif
  action();
  // Without the parent's destructors and exit handlers.
  ::_exit(kFinished);
}

}  // namespace

Death die_at(std::uint64_t k, const std::function<void()>& action) {
  last_point().store("(none)");
  const pid_t child = ::fork();
  TARN_ASSERT(child >= 0, errno);
  if (child == 0) run_child(k, action);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) TARN_ASSERT(errno == EINTR, errno);
  Death death;
  death.at = k;
  death.point = last_point().load();
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
    death.kind = Death::Kind::killed;
  } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    death.kind = Death::Kind::hung;
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == kFinished) {
    death.kind = Death::Kind::finished;
  }
  return death;
}

std::ostream& operator<<(std::ostream& out, const Death& death) {
  switch (death.kind) {
    case Death::Kind::killed:
      return out << "killed at point " << death.at << ", " << death.point;
    case Death::Kind::finished:
      return out << "finished, last point " << death.point;
    case Death::Kind::hung:
      return out << "hung after " << death.point;
    case Death::Kind::failed:
      return out << "failed after " << death.point;
  }
  return out;
}

}  // namespace tarn::testing
