#include "tools/bench/patterns/syscall_counter.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "tools/bench/method/processes.h"

namespace tarn::bench {
namespace {

// Two calls that nothing makes by accident: the kernel refuses both, the tracer recognises them.
constexpr long kBeginMark = 0x7461'726e'0001;
constexpr long kEndMark = 0x7461'726e'0002;

void mark(long which) noexcept { ::syscall(SYS_getpgid, which, which, which); }

[[noreturn]] void run_traced(const std::function<void(const CountedSection&)>& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(2);
  ::raise(SIGSTOP);
  try {
    body(CountedSection{});
  } catch (const std::exception&) {
    ::_exit(1);
  }
  ::_exit(0);
}

bool is_mark(const __ptrace_syscall_info& call, long which) {
  return call.entry.nr == SYS_getpgid && call.entry.args[1] == static_cast<std::uint64_t>(which);
}

// Follows one traced process from stop to stop.
class Tracer {
 public:
  explicit Tracer(pid_t pid) : pid_(pid) {}

  std::uint64_t run() {
    wait();  // the SIGSTOP it sent itself
    if (!WIFSTOPPED(status_)) throw BenchError("system calls cannot be counted: no ptrace here");
    // A stop for a system call is then told apart from a signal.
    ::ptrace(PTRACE_SETOPTIONS, pid_, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    int signal_number = 0;
    while (resume(signal_number)) signal_number = look();
    if (!WIFEXITED(status_) || WEXITSTATUS(status_) != 0) {
      throw BenchError("the process whose system calls were counted failed");
    }
    return count_;
  }

 private:
  void wait() {
    while (::waitpid(pid_, &status_, 0) < 0) {
      if (errno != EINTR) throw BenchError(std::string("cannot trace: ") + std::strerror(errno));
    }
  }

  bool resume(int signal_number) {
    if (::ptrace(PTRACE_SYSCALL, pid_, nullptr, signal_number) != 0) {
      throw BenchError(std::string("cannot trace: ") + std::strerror(errno));
    }
    wait();
    return WIFSTOPPED(status_);
  }

  // Returns the signal to deliver, 0 for a system call's stop.
  int look() {
    if (WSTOPSIG(status_) != (SIGTRAP | 0x80)) return WSTOPSIG(status_);
    __ptrace_syscall_info call{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, pid_, sizeof call, &call);
    if (call.op != PTRACE_SYSCALL_INFO_ENTRY) return 0;
    if (is_mark(call, kEndMark)) counting_ = false;
    if (counting_) ++count_;
    if (is_mark(call, kBeginMark)) counting_ = true;
    return 0;
  }

  pid_t pid_;
  int status_ = 0;
  bool counting_ = false;
  std::uint64_t count_ = 0;
};

}  // namespace

void CountedSection::begin() const noexcept { mark(kBeginMark); }
void CountedSection::end() const noexcept { mark(kEndMark); }

std::uint64_t count_system_calls(const std::function<void(const CountedSection&)>& body) {
  const pid_t pid = ::fork();
  if (pid < 0) throw BenchError(std::string("cannot start a process: ") + std::strerror(errno));
  if (pid == 0) run_traced(body);
  return Tracer(pid).run();
}

}  // namespace tarn::bench
