#include "daemon/keeper/restart_pace.h"

#include <gtest/gtest.h>

namespace tarn::daemon {
namespace {

using namespace std::chrono_literals;

TEST(RestartPaceTest, FirstDeathsCostNoTime) {
  RestartPace pace;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pace.wait_after(1ms, false), 0ns);
}

TEST(RestartPaceTest, WaitsGrowWhileWorkersKeepDyingYoung) {
  RestartPace pace;
  std::chrono::nanoseconds last = 0ns;
  for (int i = 0; i < 20; ++i) {
    const auto wait = pace.wait_after(1ms, false);
    EXPECT_GE(wait, last);
    last = wait;
  }
  EXPECT_EQ(last, 5s);
}

TEST(RestartPaceTest, OneLongLifeForgetsTheShortOnes) {
  RestartPace pace;
  for (int i = 0; i < 20; ++i) pace.wait_after(1ms, false);
  EXPECT_EQ(pace.wait_after(2s, false), 0ns);
  EXPECT_EQ(pace.wait_after(1ms, false), 0ns);
}

TEST(RestartPaceTest, WhoIsKilledFromOutsideIsReplacedSoon) {
  RestartPace pace;
  for (int i = 0; i < 20; ++i) EXPECT_LE(pace.wait_after(1ms, true), 20ms);
}

}  // namespace
}  // namespace tarn::daemon
