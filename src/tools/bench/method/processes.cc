#include "tools/bench/method/processes.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>

#include "tools/bench/method/machine.h"

namespace tarn::bench {
namespace {

volatile sig_atomic_t interrupt_raised = 0;

void on_interrupt(int signal_number) { interrupt_raised = signal_number; }

// The last one is ignored, the others are noted.
constexpr std::array kInterrupts{SIGINT, SIGTERM, SIGHUP, SIGPIPE};

std::string with_errno(const std::string& attempted) {
  return attempted + ": " + std::strerror(errno);
}

// What a failed child leaves for the coordinator to read.
using LastWords = std::array<char, 512>;

void leave_words(LastWords& words, const char* text) noexcept {
  std::strncpy(words.data(), text, words.size() - 1);
}

// In a new process: undoes what the coordinator arranged for itself, and dies with it.
void become_child(pid_t coordinator) noexcept {
  for (const int number : kInterrupts) ::signal(number, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != coordinator) ::_exit(1);
}

[[noreturn]] void run_child(const Child& child, pid_t coordinator, LastWords& words) noexcept {
  become_child(coordinator);
  try {
    pin_to(child.cpu);
    child.body();
    require_on(child.cpu);
  } catch (const std::exception& failure) {
    leave_words(words, failure.what());
    ::_exit(1);
  }
  // Not exit(): what the coordinator had buffered and registered is not ours to flush and run.
  ::_exit(0);
}

// Holds the interrupts back, but while somebody waits with `open()`: one that comes between a look
// at the flag and the wait would not end that wait.
class InterruptsHeldBack {
 public:
  InterruptsHeldBack() noexcept {
    sigset_t interrupts;
    ::sigemptyset(&interrupts);
    for (const int number : kInterrupts) ::sigaddset(&interrupts, number);
    ::sigprocmask(SIG_BLOCK, &interrupts, &open_);
  }
  ~InterruptsHeldBack() { ::sigprocmask(SIG_SETMASK, &open_, nullptr); }
  InterruptsHeldBack(const InterruptsHeldBack&) = delete;
  InterruptsHeldBack& operator=(const InterruptsHeldBack&) = delete;
  const sigset_t& open() const noexcept { return open_; }

 private:
  sigset_t open_{};
};

// The children of one run; whoever is left on destruction is killed and reaped.
class Family {
 public:
  explicit Family(std::size_t size) : words_(sizeof(LastWords) * size) { members_.reserve(size); }
  ~Family() {
    for (const Member& member : members_) {
      if (member.pid > 0) ::kill(member.pid, SIGKILL);
    }
    for (Member& member : members_) reap(member);
  }
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;

  void add(const Child& child) {
    const std::size_t index = members_.size();
    const pid_t coordinator = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) throw BenchError(with_errno("cannot start a process"));
    if (pid == 0) run_child(child, coordinator, words(index));
    members_.push_back({pid, -1});
    members_.back().descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (members_.back().descriptor < 0) throw BenchError(with_errno("cannot watch a process"));
  }

  // Waits until all have ended; throws at the first that failed.
  void wait(std::uint64_t deadline_ns) {
    const InterruptsHeldBack held_back;
    std::vector<pollfd> polls;
    while (!(polls = alive()).empty()) {
      InterruptGuard::throw_if_raised();
      const std::uint64_t now = monotonic();
      if (now >= deadline_ns) throw BenchError("a measurement did not end: its processes hang");
      const std::uint64_t left_ns = deadline_ns - now;
      const timespec wait{static_cast<time_t>(left_ns / 1'000'000'000),
                          static_cast<long>(left_ns % 1'000'000'000)};
      const int ready =
          ::ppoll(polls.data(), static_cast<nfds_t>(polls.size()), &wait, &held_back.open());
      InterruptGuard::throw_if_raised();
      if (ready < 0 && errno != EINTR) throw BenchError(with_errno("cannot wait for processes"));
      for (const pollfd& entry : polls) {
        if (entry.revents != 0) finish(entry.fd);
      }
    }
  }

 private:
  struct Member {
    pid_t pid;
    int descriptor;
  };

  static std::uint64_t monotonic() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  }

  LastWords& words(std::size_t index) { return reinterpret_cast<LastWords*>(words_.data())[index]; }

  std::vector<pollfd> alive() const {
    std::vector<pollfd> polls;
    for (const Member& member : members_) {
      if (member.pid > 0) polls.push_back({member.descriptor, POLLIN, 0});
    }
    return polls;
  }

  static int reap(Member& member) noexcept {
    int status = 0;
    if (member.pid > 0) {
      while (::waitpid(member.pid, &status, 0) < 0 && errno == EINTR) {
      }
    }
    if (member.descriptor >= 0) ::close(member.descriptor);
    member = {-1, -1};
    return status;
  }

  void finish(int descriptor) {
    for (std::size_t index = 0; index < members_.size(); ++index) {
      if (members_[index].descriptor != descriptor) continue;
      const int status = reap(members_[index]);
      if (WIFSIGNALED(status)) {
        throw BenchError(std::string("a process of the measurement was killed: ") +
                         ::strsignal(WTERMSIG(status)));
      }
      if (WEXITSTATUS(status) != 0) throw BenchError(words(index).data());
      return;
    }
  }

  SharedPages words_;
  std::vector<Member> members_;
};

}  // namespace

struct InterruptGuard::Saved {
  std::array<struct sigaction, kInterrupts.size()> actions{};
};

InterruptGuard::InterruptGuard() : saved_(std::make_unique<Saved>()) {
  interrupt_raised = 0;
  struct sigaction action {};
  action.sa_flags = 0;  // without SA_RESTART: a wait must notice
  for (std::size_t i = 0; i < kInterrupts.size(); ++i) {
    action.sa_handler = kInterrupts[i] == SIGPIPE ? SIG_IGN : on_interrupt;
    ::sigaction(kInterrupts[i], &action, &saved_->actions[i]);
  }
}

InterruptGuard::~InterruptGuard() {
  for (std::size_t i = 0; i < kInterrupts.size(); ++i) {
    ::sigaction(kInterrupts[i], &saved_->actions[i], nullptr);
  }
  interrupt_raised = 0;
}

int InterruptGuard::raised() noexcept { return interrupt_raised; }

SharedPages::SharedPages(std::size_t size_bytes) : size_bytes_(size_bytes) {
  base_ = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (base_ == MAP_FAILED) throw BenchError(with_errno("cannot map memory to share"));
}

void StartLine::arrive(std::uint32_t parties) noexcept {
  const std::uint32_t ticket = arrived_.fetch_add(1, std::memory_order_acq_rel);
  const std::uint32_t everybody = (ticket / parties + 1) * parties;
  // The others may have to run on this very CPU, hence the yield.
  while (arrived_.load(std::memory_order_acquire) < everybody) ::sched_yield();
}

void run_children(const std::vector<Child>& children, std::chrono::seconds patience) {
  InterruptGuard::throw_if_raised();
  std::cout.flush();
  std::cerr.flush();
  Family family(children.size());
  for (const Child& child : children) family.add(child);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  family.wait(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch()).count()));
}

Program::Program(const std::vector<std::string>& arguments, int output, int error_output) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  const pid_t coordinator = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw BenchError(with_errno("cannot start " + arguments.front()));
  if (pid_ > 0) return;
  become_child(coordinator);
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nowhere, 0);
  ::dup2(output >= 0 ? output : nowhere, 1);
  ::dup2(error_output >= 0 ? error_output : nowhere, 2);
  ::execvp(pointers.front(), pointers.data());
  ::_exit(127);
}

Program::~Program() { stop(); }

bool Program::is_running() noexcept {
  if (pid_ <= 0) return false;
  if (::waitpid(pid_, &status_, WNOHANG) != pid_) return true;
  pid_ = -1;
  return false;
}

int Program::wait() {
  while (pid_ > 0) {
    if (::waitpid(pid_, &status_, 0) == pid_) pid_ = -1;
    InterruptGuard::throw_if_raised();
  }
  return status_;
}

void Program::stop() noexcept {
  if (!is_running()) return;
  ::kill(pid_, SIGTERM);
  for (int tries = 0; tries < 200 && is_running(); ++tries) ::usleep(10'000);
  if (!is_running()) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace tarn::bench
