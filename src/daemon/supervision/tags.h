// tags.h - what an event of a shepherd's poller is about, and the clock that people read.
#pragma once

#include <chrono>
#include <cstdint>

namespace tarn::daemon {

enum class ShepherdTag : std::uint64_t {
  output = 1,  // as the stream's number in the log
  errors = 2,
  exec_report = 3,
  control = 4,
  signals = 5,
};

inline std::int64_t wall_clock_ns() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace tarn::daemon
