// pusher.h - puts messages into a pipe one after the other, and can be interrupted between two.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include "tarn/session.h"
#include "tools/pipe/progress.h"
#include "tools/stop_signals.h"

namespace tarn::tools {

struct PushTarget {
  Session session;
  Pipe pipe;
  std::optional<std::chrono::nanoseconds> timeout;  // for each message; none: for ever
};

// Each push either hands the message over or throws: Failure (timed_out, closed, a limit), Error
// from the library, Interrupted when a signal arrived while the pipe was full.
class Pusher {
 public:
  Pusher(PushTarget target, const StopSignals& signals, Progress& progress)
      : target_(std::move(target)), signals_(signals), progress_(progress) {}

  void push(std::span<const std::byte> bytes);  // copies
  void push(Loan loan);
  void push(Value value);
  Loan loan(std::size_t size_bytes) { return target_.pipe.loan(size_bytes); }
  Value value() { return target_.pipe.value(); }

 private:
  template <class What>
  void push_what(What& what, std::size_t size_bytes);
  template <class What>
  PushStatus push_waiting(What& what);
  [[noreturn]] void refuse(PushStatus status, std::size_t size_bytes);

  PushTarget target_;
  const StopSignals& signals_;
  Progress& progress_;
};

}  // namespace tarn::tools
