#include "tools/bench/method/clock.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace tarn::bench {
namespace {

constexpr std::uint64_t kCalibrationNs = 20'000'000;
constexpr int kStampTrials = 1000;

// Fills in what stamps cost and how finely they differ.
void examine_stamps(TickScale& scale) noexcept {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t step = 0;
  for (int trial = 0; trial < kStampTrials; ++trial) {
    const std::uint64_t begin = ticks();
    const std::uint64_t span = ticks() - begin;
    least = std::min(least, span);
    step = std::gcd(step, span);
  }
  scale.stamp_ticks = least;
  scale.step_ticks = std::max<std::uint64_t>(step, 1);
}

}  // namespace

TickScale TickScale::measure() noexcept {
  const std::uint64_t begin_ns = clock_ns();
  const std::uint64_t begin = ticks();
  std::uint64_t end_ns = begin_ns;
  while (end_ns - begin_ns < kCalibrationNs) end_ns = clock_ns();
  const std::uint64_t end = ticks();

  TickScale scale;
  scale.ns_per_tick = static_cast<double>(end_ns - begin_ns) / static_cast<double>(end - begin);
  examine_stamps(scale);
  return scale;
}

}  // namespace tarn::bench
