#include "tools/bench/method/floors.h"

#include <gtest/gtest.h>

#include <string>

#include "tools/bench/method/machine.h"

namespace tarn::bench {
namespace {

PingPongPlan short_plan(std::uint64_t pause_ticks) {
  const auto cpus = usable_cpus();
  PingPongPlan plan;
  plan.cpus = {cpus.front(), cpus.back()};
  plan.warm_up = 5;
  plan.messages = 40;
  plan.pause_ticks = pause_ticks;
  return plan;
}

class FloorTest : public testing::TestWithParam<Floor> {};

TEST_P(FloorTest, EveryMessageIsTimedOnce) {
  for (const std::size_t payload_bytes : {std::size_t{64}, std::size_t{100'000}}) {
    const Histogram round_trips = measure_floor(GetParam(), short_plan(0), payload_bytes);
    EXPECT_EQ(round_trips.count(), 40u);
    EXPECT_GT(round_trips.percentile(50), 0.0);
  }
}

TEST_P(FloorTest, PausesAreNoPartOfTheResult) {
  PingPongPlan plan = short_plan(TickScale::measure().ticks_in(20e6));
  plan.warm_up = 0;
  plan.messages = 1;
  // Both sides pause, one after the other: the rest of the time is all that the round trip can be.
  const std::uint64_t begin = ticks();
  const Histogram round_trips = measure_floor(GetParam(), plan, 64);
  const std::uint64_t whole = ticks() - begin;
  EXPECT_GE(whole, 2 * plan.pause_ticks);
  EXPECT_LE(round_trips.max(), whole - 2 * plan.pause_ticks);
}

INSTANTIATE_TEST_SUITE_P(All, FloorTest,
                         testing::Values(Floor::one_line, Floor::one_line_pause, Floor::two_lines,
                                         Floor::futex, Floor::event),
                         [](const auto& each) { return std::string(name_of(each.param)); });

TEST(CopyTest, BothSpeedsAreMeasured) {
  const CopySpeed speed = measure_copy(std::size_t{1} << 20);
  EXPECT_GT(speed.warm, 0.0);
  EXPECT_GT(speed.cold, 0.0);
}

}  // namespace
}  // namespace tarn::bench
