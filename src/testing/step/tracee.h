// tracee.h - one thread of another process, run instruction by instruction and ended where the test
// wants. What the kernel does within a system call counts as one instruction, and so does each
// round of a repeated one. Reading the clock counts as one, too, although it is done in the
// process: that code tries again whenever the clock has moved on, and stepped it would do so for
// ever. Other threads of that process run freely.
//
// Linux on x86-64. Each step is two changes of context: some 20 us on a virtual machine. run_to()
// uses a debug register of that one thread, so that the code in between runs at full speed and
// other threads are not stopped by it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace tarn::testing {

// Why tracing cannot work here; empty when it can. Containers often forbid it.
std::string why_no_tracing();

class Tracee {
 public:
  enum class Stop : std::uint8_t {
    stepped,     // one instruction further
    marked,      // behind a mark()
    breakpoint,  // before the instruction that run_to() named
    ended,       // the process is gone
    lost,        // it did not get there in two seconds
  };
  // In a traced process: stops here. Anywhere else it is the end.
  static void mark() { asm volatile("int3" ::: "memory"); }

  // fork()s a child that prepares freely and is stopped where it begins to operate. Its end of
  // operating is marked, too; should it go on, it exits with kFinished.
  Tracee(const std::function<void()>& prepare, const std::function<void()>& operate);
  static constexpr int kFinished = 42;
  // Takes hold of a process's first thread, which is stopped wherever it is. A system call that it
  // sleeps in ends as if a signal had interrupted it.
  explicit Tracee(pid_t process);
  Tracee(const Tracee&) = delete;
  Tracee& operator=(const Tracee&) = delete;
  // Kills it unless it was let go.
  ~Tracee();

  pid_t pid() const noexcept { return pid_; }
  bool has_ended() const noexcept { return ended_; }
  // As from waitpid(), once it has ended.
  int end_status() const noexcept { return end_status_; }
  // The address of the next instruction.
  std::uint64_t at() const;
  // The number of the system call that the next instruction would make, if it is one.
  std::optional<long> next_system_call() const;

  // The number of the system call that taking hold of it interrupted; -1 for none.
  long interrupted_call() const;

  // Carries out one instruction.
  Stop step();
  // The same for a system call that may wait for something that does not come: lost.
  Stop step_unless_it_waits();
  // One step of a way that it took before. Who was seized serves others, and may have taken another
  // one this time, to where it waits for them: lost.
  Stop follow();
  // Runs freely to the next mark.
  Stop run_to_mark();
  // Runs until it is about to carry out the instruction at `address` for the `times`-th time; the
  // one it is about to carry out now does not count.
  Stop run_to(std::uint64_t address, std::uint64_t times);
  // Makes it carry out a system call of ours where it stands, and then stand there as before. The
  // result, or minus errno.
  long call(long number, long first = 0, long second = 0, long third = 0);
  // SIGKILL, and waits for its end.
  void kill();
  // It runs on, and is nobody's tracee any more.
  void let_go();

 private:
  void find_clock_code();
  Stop resume(int request);
  Stop wait_for_stop(bool& is_signal);
  bool stops_soon();
  void set_breakpoint(std::uint64_t address, bool is_on);

  pid_t pid_ = -1;
  bool ended_ = false;
  int end_status_ = 0;
  int signal_ = 0;  // to be delivered when it runs on
  bool is_seized_ = false;
  bool is_impatient_ = false;
  // The kernel's code in the process that reads the clock: [vdso].
  std::uint64_t clock_begin_ = 0;
  std::uint64_t clock_end_ = 0;
};

}  // namespace tarn::testing
