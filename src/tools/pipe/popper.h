// popper.h - takes messages out of a pipe one after the other, and can be interrupted between two.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "tarn/pipe.h"
#include "tools/failure.h"
#include "tools/pipe/message_writer.h"
#include "tools/stop_signals.h"

namespace tarn::tools {

struct PopSource {
  Pipe pipe;
  std::optional<std::chrono::nanoseconds> timeout;  // for each message; none: for ever
  bool wait = true;                                 // false: what is there, and no more
};

// Everything that was taken is written before the command waits again, and a message of an
// at-least-once pipe is acknowledged only after its bytes have left this process.
class Popper {
 public:
  Popper(PopSource source, MessageWriter& writer, Output& output, const StopSignals& signals)
      : source_(std::move(source)), writer_(writer), output_(output), signals_(signals) {}

  // Takes one message and writes it. Returns ok, or why there is none: empty (unless waiting),
  // timed_out, closed, no_memory, corrupt. Throws Interrupted, also when nobody reads the output.
  PopStatus pass_one();
  // Writes what is buffered and acknowledges it.
  void settle();

 private:
  [[noreturn]] void refuse(Failure failure) const;
  Popped take();
  Popped take_waiting();

  PopSource source_;
  MessageWriter& writer_;
  Output& output_;
  const StopSignals& signals_;
  std::vector<Message> unsettled_;  // of an at-least-once pipe, written but perhaps still buffered
};

}  // namespace tarn::tools
