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
  if (usable_cpus().size() < 2) GTEST_SKIP() << "two polling processes need two CPUs";
  for (const std::size_t payload_bytes : {std::size_t{64}, std::size_t{100'000}}) {
    const Histogram round_trips = measure_floor(GetParam(), short_plan(0), payload_bytes);
    EXPECT_EQ(round_trips.count(), 40u);
    EXPECT_GT(round_trips.percentile(50), 0.0);
  }
}

TEST_P(FloorTest, PausesAreNoPartOfTheResult) {
  if (usable_cpus().size() < 2) GTEST_SKIP() << "two polling processes need two CPUs";
  // Far longer than the fastest of a few round trips, also on a machine on which many processes
  // wait for a CPU: were it part of the result, all values would be above it.
  const std::uint64_t pause = TickScale::measure().ticks_in(200e6);
  PingPongPlan plan = short_plan(pause);
  plan.warm_up = 1;
  plan.messages = 5;
  const Histogram round_trips = measure_floor(GetParam(), plan, 64);
  EXPECT_LT(round_trips.percentile(1), static_cast<double>(pause));
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
