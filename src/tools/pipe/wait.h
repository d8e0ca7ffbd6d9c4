// wait.h - waiting for a descriptor, for a signal that ends the command, or for a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "tools/stop_signals.h"

namespace tarn::tools {

using Clock = std::chrono::steady_clock;

// None: for ever.
using WaitUntil = std::optional<Clock::time_point>;

// The point that lies `timeout` from now; none for none, and for what is beyond the clock.
WaitUntil until(std::optional<std::chrono::nanoseconds> timeout);

enum class Wake : std::uint8_t {
  ready,
  timed_out,
  reader_gone  // nobody reads what goes to `output` any more
};

struct WaitFor {
  int descriptor;   // -1: nothing but signals, the output's end and the deadline
  short events;     // of poll()
  int output = -1;  // watched for its reader's end; -1: not
};

// Looks at least once, also when the deadline has passed. Throws Interrupted when a signal has
// arrived, and Failure when poll() is refused.
Wake wait_for(const WaitFor& what, const StopSignals& signals, WaitUntil deadline);

}  // namespace tarn::tools
