// wall_clock.h - the time of day in a few nanoseconds, for one thread that stamps many messages.
//
// Between two looks at CLOCK_REALTIME, at most a millisecond apart, time is read off the
// processor's counter. So a stamp is off by less than a microsecond, and a step of the clock is
// seen within a millisecond. Where the counter is not what the kernel itself uses as its clock,
// every stamp is a look.
#pragma once

#include <cstdint>

namespace tarn::os {

// CLOCK_REALTIME in ns.
std::int64_t realtime_ns() noexcept;

// One thread at a time.
class WallClock {
 public:
  WallClock() noexcept;
  // Never before the last one that it gave, unless the kernel's clock was set back: then
  // `steps_back` counts one more.
  std::int64_t now_ns() noexcept;
  std::uint64_t steps_back() const noexcept { return steps_back_; }

 private:
  std::int64_t look() noexcept;

  bool has_counter_ = false;
  std::uint64_t anchor_count_ = 0;
  std::uint64_t counts_to_look_ = 0;  // after so many counts the kernel is asked again
  std::int64_t anchor_ns_ = 0;
  std::uint64_t ns_per_count_ = 0;  // 32.32 fixed point; 0: not known yet
  std::int64_t last_ns_ = 0;
  std::uint64_t steps_back_ = 0;
};

}  // namespace tarn::os
