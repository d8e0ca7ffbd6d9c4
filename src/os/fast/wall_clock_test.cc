#include "os/fast/wall_clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <vector>

namespace tarn::os {
namespace {

TEST(WallClockTest, NeverGoesBackAndStaysNearTheKernels) {
  WallClock clock;
  std::int64_t last = 0;
  std::vector<std::int64_t> off;
  for (const std::int64_t end = realtime_ns() + 50'000'000; last < end;) {
    const std::int64_t before = realtime_ns();
    const std::int64_t now = clock.now_ns();
    const std::int64_t after = realtime_ns();
    ASSERT_GE(now, last);
    last = now;
    off.push_back(std::max({std::int64_t{0}, before - now, now - after}));
  }
  ASSERT_GT(off.size(), 1000u);
  std::ranges::sort(off);
  // Whoever is interrupted in the middle of a look is off by more.
  EXPECT_LT(off[off.size() * 99 / 100], 5'000);
  EXPECT_EQ(clock.steps_back(), 0u);
}

TEST(WallClockTest, GoesOnAfterALongPause) {
  WallClock clock;
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(i * 10));
    const std::int64_t before = realtime_ns();
    const std::int64_t now = clock.now_ns();
    EXPECT_GE(now, before - 5'000);
    EXPECT_LE(now, realtime_ns() + 5'000);
  }
}

}  // namespace
}  // namespace tarn::os
