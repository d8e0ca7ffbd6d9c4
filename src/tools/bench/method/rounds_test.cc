#include "tools/bench/method/rounds.h"

#include <gtest/gtest.h>

namespace tarn::bench {
namespace {

TEST(SpreadTest, MedianOfAnOddCountIsTheMiddle) {
  const Spread spread = spread_of({5, 1, 3});
  EXPECT_EQ(spread.median, 3);
  EXPECT_EQ(spread.low, 1);
  EXPECT_EQ(spread.high, 5);
}

TEST(SpreadTest, MedianOfAnEvenCountIsBetweenTheMiddleTwo) {
  EXPECT_EQ(spread_of({4, 1, 3, 2}).median, 2.5);
}

TEST(SpreadTest, NothingGivesZeros) { EXPECT_EQ(spread_of({}).median, 0); }

TEST(RoundTest, FloorsUpToFifteenPercentApartAreSteady) {
  EXPECT_TRUE((Round{100, 500, 115}.is_steady()));
  EXPECT_TRUE((Round{115, 500, 100}.is_steady()));
  EXPECT_FALSE((Round{100, 500, 116}.is_steady()));
  EXPECT_FALSE((Round{116, 500, 100}.is_steady()));
}

TEST(RoundTest, AFloorOfZeroIsNeverSteady) {
  EXPECT_FALSE((Round{0, 500, 0}.is_steady()));
  EXPECT_FALSE((Round{0, 500, 100}.is_steady()));
}

TEST(RoundTest, TheRatioIsToTheMeanOfTheFloors) {
  EXPECT_DOUBLE_EQ((Round{90, 150, 110}.ratio()), 1.5);
}

TEST(SummaryTest, DroppedRoundsCountButDoNotWeigh) {
  const RoundSummary summary =
      summarize({{100, 200, 100}, {100, 9000, 200}, {100, 300, 100}, {100, 100, 100}});
  EXPECT_EQ(summary.kept, 3);
  EXPECT_EQ(summary.dropped, 1);
  EXPECT_DOUBLE_EQ(summary.ratio.median, 2.0);
  EXPECT_DOUBLE_EQ(summary.ratio.low, 1.0);
  EXPECT_DOUBLE_EQ(summary.ratio.high, 3.0);
  EXPECT_DOUBLE_EQ(summary.candidate.median, 200);
  EXPECT_DOUBLE_EQ(summary.floor.median, 100);
}

TEST(SummaryTest, RatiosAreFormedWithinARoundBeforeTheMedian) {
  // A machine that becomes twice as slow half-way through changes no ratio.
  const RoundSummary summary = summarize({{10, 20, 10}, {20, 40, 20}, {20, 40, 20}});
  EXPECT_DOUBLE_EQ(summary.ratio.low, 2.0);
  EXPECT_DOUBLE_EQ(summary.ratio.high, 2.0);
}

TEST(RunRoundsTest, UnsteadyRoundsAreRepeated) {
  int floors = 0;
  int kept = 0;
  const auto rounds = run_rounds(
      3, {[&] { return ++floors == 2 ? 200.0 : 100.0; }, [] { return 150.0; }, [&] { ++kept; }});
  EXPECT_EQ(rounds.size(), 4u);
  EXPECT_EQ(kept, 3);
  EXPECT_EQ(summarize(rounds).dropped, 1);
}

TEST(RunRoundsTest, AMachineThatIsNeverSteadyEndsTheTrying) {
  double floor = 1;
  const auto rounds = run_rounds(3, {[&] { return floor *= 2; }, [] { return 1.0; }});
  EXPECT_EQ(rounds.size(), 9u);
  EXPECT_EQ(summarize(rounds).kept, 0);
}

}  // namespace
}  // namespace tarn::bench
