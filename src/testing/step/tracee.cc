#include "testing/step/tracee.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "base/assert.h"
#include "base/deadline.h"

namespace tarn::testing {
namespace {

// What the kernel says of a SIGTRAP.
constexpr int kFromMark = SI_KERNEL;
constexpr int kFromBreakpoint = TRAP_HWBKPT;

// The instruction that makes a system call, as it stands in memory: two bytes.
constexpr long kSystemCallCode = 0x050f;

constexpr std::size_t debug_register(std::size_t number) {
  return offsetof(struct user, u_debugreg) + number * sizeof(user::u_debugreg[0]);
}

long trace(int request, pid_t pid, std::uint64_t address, std::uint64_t value) {
  return ::ptrace(static_cast<__ptrace_request>(request), pid, address, value);
}

[[noreturn]] void live(const std::function<void()>& prepare, const std::function<void()>& operate,
                       pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent || trace(PTRACE_TRACEME, 0, 0, 0) != 0) ::_exit(125);
  prepare();
  Tracee::mark();
  operate();
  Tracee::mark();
  ::_exit(Tracee::kFinished);
}

}  // namespace

std::string why_no_tracing() {
  const pid_t child = ::fork();
  if (child == 0) {
    if (trace(PTRACE_TRACEME, 0, 0, 0) != 0) ::_exit(1);
    Tracee::mark();
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFSTOPPED(status)) return "a process may not trace its own children here";
  const bool stepped = trace(PTRACE_SINGLESTEP, child, 0, 0) == 0 &&
                       ::waitpid(child, &status, 0) == child && WIFSTOPPED(status);
  const bool breaks = trace(PTRACE_POKEUSER, child, debug_register(7), 0) == 0;
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  if (!stepped) return "the kernel does not step single instructions";
  return breaks ? "" : "the debug registers may not be written";
}

Tracee::Tracee(const std::function<void()>& prepare, const std::function<void()>& operate) {
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  TARN_ASSERT(pid_ >= 0, errno);
  if (pid_ == 0) live(prepare, operate, parent);
  bool is_signal = false;
  // The first stop is the mark, unless signals come before.
  const Stop first = wait_for_stop(is_signal);
  if (is_signal && first != Stop::ended) run_to_mark();
  find_clock_code();
}

Tracee::Tracee(pid_t process) : pid_(process), is_seized_(true) {
  TARN_ASSERT(trace(PTRACE_SEIZE, pid_, 0, 0) == 0, errno);
  TARN_ASSERT(trace(PTRACE_INTERRUPT, pid_, 0, 0) == 0, errno);
  bool is_signal = false;
  wait_for_stop(is_signal);
  find_clock_code();
}

Tracee::~Tracee() { kill(); }

// Waits for two seconds, of the clock: on a busy machine each look takes long. What should have
// stopped by then has taken another way, and may sleep.
bool Tracee::stops_soon() {
  const Deadline patience = Deadline::in(std::chrono::seconds(2));
  while (!patience.has_passed()) {
    siginfo_t seen{};
    // Only looks: what it sees stays to be waited for.
    const int done = ::waitid(P_PID, static_cast<id_t>(pid_), &seen,
                              WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL);
    if (done == 0 && seen.si_pid == pid_) return true;
    ::usleep(100);
  }
  return false;
}

Tracee::Stop Tracee::wait_for_stop(bool& is_signal) {
  if (is_impatient_ && !stops_soon()) {
    trace(PTRACE_INTERRUPT, pid_, 0, 0);
    is_impatient_ = false;
    wait_for_stop(is_signal);
    is_signal = false;
    return ended_ ? Stop::ended : Stop::lost;
  }
  int status = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(pid_, &status, __WALL);
  } while (got < 0 && errno == EINTR);
  TARN_ASSERT(got == pid_, got, errno);
  if (!WIFSTOPPED(status)) {
    ended_ = true;
    end_status_ = status;
    return Stop::ended;
  }
  is_signal = WSTOPSIG(status) != SIGTRAP || (status >> 16) != 0;
  if (is_signal) {
    // A stop that the tracer asked for is none of the process's signals.
    if ((status >> 16) == 0) signal_ = WSTOPSIG(status);
    return Stop::stepped;
  }
  siginfo_t why{};
  trace(PTRACE_GETSIGINFO, pid_, 0, reinterpret_cast<std::uint64_t>(&why));
  if (why.si_code == kFromMark) return Stop::marked;
  return why.si_code == kFromBreakpoint ? Stop::breakpoint : Stop::stepped;
}

// A signal interrupts a step before anything was carried out: it is delivered, and the step tried
// again.
Tracee::Stop Tracee::resume(int request) {
  bool is_signal = true;
  Stop stop = ended_ ? Stop::ended : Stop::stepped;
  while (is_signal && stop != Stop::ended) {
    is_signal = false;
    const int signal = std::exchange(signal_, 0);
    if (trace(request, pid_, 0, static_cast<std::uint64_t>(signal)) != 0) {
      TARN_ASSERT(errno == ESRCH, errno);  // killed from elsewhere
    }
    stop = wait_for_stop(is_signal);
  }
  return stop;
}

void Tracee::find_clock_code() {
  std::ifstream maps("/proc/" + std::to_string(pid_) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("[vdso]") == std::string::npos) continue;
    char* after = nullptr;
    clock_begin_ = std::strtoull(line.c_str(), &after, 16);
    clock_end_ = std::strtoull(after + 1, nullptr, 16);
  }
}

Tracee::Stop Tracee::step() {
  const Stop stop = resume(PTRACE_SINGLESTEP);
  if (stop != Stop::stepped) return stop;
  user_regs_struct registers{};
  trace(PTRACE_GETREGS, pid_, 0, reinterpret_cast<std::uint64_t>(&registers));
  if (registers.rip < clock_begin_ || registers.rip >= clock_end_) return stop;
  // It was called just now: the address to return to is on top of the stack.
  const long caller = trace(PTRACE_PEEKDATA, pid_, registers.rsp, 0);
  const Stop back = run_to(static_cast<std::uint64_t>(caller), 1);
  return back == Stop::breakpoint ? Stop::stepped : back;
}
Tracee::Stop Tracee::step_unless_it_waits() {
  is_impatient_ = true;
  const Stop stop = step();
  is_impatient_ = false;
  return stop;
}

Tracee::Stop Tracee::follow() { return is_seized_ ? step_unless_it_waits() : step(); }

Tracee::Stop Tracee::run_to_mark() { return resume(PTRACE_CONT); }

Tracee::Stop Tracee::run_to(std::uint64_t address, std::uint64_t times) {
  set_breakpoint(address, true);
  Stop stop = Stop::breakpoint;
  is_impatient_ = is_seized_;
  for (std::uint64_t i = 0; i < times && stop == Stop::breakpoint; ++i) stop = resume(PTRACE_CONT);
  is_impatient_ = false;
  if (stop != Stop::ended) set_breakpoint(address, false);
  return stop;
}

void Tracee::set_breakpoint(std::uint64_t address, bool is_on) {
  trace(PTRACE_POKEUSER, pid_, debug_register(0), address);
  const long done = trace(PTRACE_POKEUSER, pid_, debug_register(7), is_on ? 1 : 0);
  TARN_ASSERT(done == 0, errno);
}

std::uint64_t Tracee::at() const {
  user_regs_struct registers{};
  trace(PTRACE_GETREGS, pid_, 0, reinterpret_cast<std::uint64_t>(&registers));
  return registers.rip;
}

std::optional<long> Tracee::next_system_call() const {
  user_regs_struct registers{};
  trace(PTRACE_GETREGS, pid_, 0, reinterpret_cast<std::uint64_t>(&registers));
  const long bytes = trace(PTRACE_PEEKTEXT, pid_, registers.rip, 0);
  if ((bytes & 0xffff) != kSystemCallCode) return std::nullopt;
  return static_cast<long>(registers.rax);
}

long Tracee::interrupted_call() const {
  user_regs_struct registers{};
  trace(PTRACE_GETREGS, pid_, 0, reinterpret_cast<std::uint64_t>(&registers));
  return static_cast<long>(registers.orig_rax);
}

long Tracee::call(long number, long first, long second, long third) {
  user_regs_struct before{};
  trace(PTRACE_GETREGS, pid_, 0, reinterpret_cast<std::uint64_t>(&before));
  const long code = trace(PTRACE_PEEKTEXT, pid_, before.rip, 0);
  const long ours = (code & ~0xffffL) | kSystemCallCode;
  trace(PTRACE_POKETEXT, pid_, before.rip, static_cast<std::uint64_t>(ours));
  user_regs_struct registers = before;
  registers.rax = static_cast<std::uint64_t>(number);
  registers.rdi = static_cast<std::uint64_t>(first);
  registers.rsi = static_cast<std::uint64_t>(second);
  registers.rdx = static_cast<std::uint64_t>(third);
  // It stands in no system call now: none is to be begun again before ours.
  registers.orig_rax = ~std::uint64_t{0};
  trace(PTRACE_SETREGS, pid_, 0, reinterpret_cast<std::uint64_t>(&registers));
  resume(PTRACE_SINGLESTEP);
  trace(PTRACE_GETREGS, pid_, 0, reinterpret_cast<std::uint64_t>(&registers));
  trace(PTRACE_POKETEXT, pid_, before.rip, static_cast<std::uint64_t>(code));
  trace(PTRACE_SETREGS, pid_, 0, reinterpret_cast<std::uint64_t>(&before));
  return static_cast<long>(registers.rax);
}

void Tracee::kill() {
  if (pid_ <= 0 || ended_) return;
  ::kill(pid_, SIGKILL);
  bool is_signal = false;
  while (wait_for_stop(is_signal) != Stop::ended) {
  }
}

void Tracee::let_go() {
  if (ended_) return;
  trace(PTRACE_DETACH, pid_, 0, static_cast<std::uint64_t>(std::exchange(signal_, 0)));
  ended_ = true;
}

}  // namespace tarn::testing
