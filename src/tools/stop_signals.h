// stop_signals.h - SIGINT and SIGTERM as something to notice between two messages, so that a
// message is either handed over whole or stays where it is.
//
// The first signal is noted and the command ends at the next safe place; a second one of the same
// kind ends the process at once. SIGPIPE is ignored meanwhile: writing then fails with EPIPE.
#pragma once

#include <csignal>

namespace tarn::tools {

// Installs the handlers for its own lifetime and restores the former ones. At most one at a time.
class StopSignals {
 public:
  StopSignals();  // throws Failure when the system refuses
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // The signal that has arrived, or 0.
  int arrived() const noexcept;
  // Readable once a signal has arrived; owned by this object.
  int descriptor() const noexcept { return descriptor_; }
  // Throws Interrupted when a signal has arrived.
  void check() const;

 private:
  int descriptor_;
  struct sigaction former_interrupt_ {};
  struct sigaction former_terminate_ {};
  struct sigaction former_pipe_ {};
};

}  // namespace tarn::tools
