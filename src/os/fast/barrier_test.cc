#include "os/fast/barrier.h"

#include <gtest/gtest.h>

#include <thread>

namespace tarn::os {
namespace {

// Two threads that each set their own flag and then look at the other's: with the pair of barriers
// between, at least one of them sees the other's.
TEST(BarrierTest, OneOfTheTwoSeesTheOther) {
  ASSERT_TRUE(enrol_for_light_barriers());
  struct alignas(64) Flag {
    std::atomic<int> round{0};
  };
  Flag light, heavy, light_done, heavy_done;
  int light_saw = 0;
  int heavy_saw = 0;
  constexpr int kRounds = 2000;
  std::thread other([&] {
    for (int round = 1; round <= kRounds; ++round) {
      while (heavy_done.round.load() < round - 1) {
      }
      light.round.store(round, std::memory_order_relaxed);
      light_barrier();
      light_saw = heavy.round.load(std::memory_order_relaxed);
      light_done.round.store(round);
      while (heavy_done.round.load() < round) {
      }
    }
  });
  int neither = 0;
  for (int round = 1; round <= kRounds; ++round) {
    heavy.round.store(round, std::memory_order_relaxed);
    ASSERT_TRUE(heavy_barrier());
    heavy_saw = light.round.load(std::memory_order_relaxed);
    while (light_done.round.load() < round) {
    }
    neither += heavy_saw < round && light_saw < round;
    heavy_done.round.store(round);
  }
  other.join();
  EXPECT_EQ(neither, 0);
}

}  // namespace
}  // namespace tarn::os
