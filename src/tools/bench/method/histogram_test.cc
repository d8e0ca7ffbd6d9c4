#include "tools/bench/method/histogram.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace tarn::bench {
namespace {

TEST(HistogramTest, EmptyHasOnlyZeros) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.percentile(50), 0.0);
}

TEST(HistogramTest, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.add(value);
  EXPECT_EQ(histogram.percentile(1), 1.0);
  EXPECT_EQ(histogram.percentile(50), 50.0);
  EXPECT_EQ(histogram.percentile(99), 99.0);
  EXPECT_EQ(histogram.percentile(100), 100.0);
  EXPECT_EQ(histogram.max(), 100u);
}

TEST(HistogramTest, EveryMagnitudeIsWithinHalfAPercent) {
  for (std::uint64_t value = 1; value < (std::uint64_t{1} << 40); value = value * 3 + 1) {
    Histogram histogram;
    histogram.add(value);
    histogram.add(value * 2);  // keeps the maximum from hiding the bucket's error
    const double seen = histogram.percentile(50);
    EXPECT_NEAR(seen / static_cast<double>(value), 1.0, 0.005) << value;
  }
}

TEST(HistogramTest, PercentilesNeverExceedTheMaximum) {
  Histogram histogram;
  histogram.add(100'000);
  EXPECT_LE(histogram.percentile(99.9), 100'000.0);
}

TEST(HistogramTest, AValueBeyondTheRangeKeepsTheMaximum) {
  Histogram histogram;
  histogram.add(~std::uint64_t{0});
  EXPECT_EQ(histogram.count(), 1u);
  EXPECT_EQ(histogram.max(), ~std::uint64_t{0});
}

TEST(HistogramTest, EqualValuesOfACoarseClockAreSpreadOverItsStep) {
  Histogram histogram;
  for (int i = 0; i < 30; ++i) histogram.add(100);
  for (int i = 0; i < 70; ++i) histogram.add(120);
  // Seven tenths of all lie evenly from 110 to 130, so half of all lie below 110 + 20 * 2 / 7.
  EXPECT_NEAR(histogram.percentile(50, 20), 115.7, 0.2);
  EXPECT_NEAR(histogram.percentile(50), 119.8, 0.1);
  EXPECT_NEAR(histogram.percentile(15, 20), 100, 0.5);
}

TEST(HistogramTest, AFarOutlierDoesNotMoveTheMedian) {
  Histogram histogram;
  for (int i = 0; i < 99; ++i) histogram.add(20);
  histogram.add(1'000'000);
  EXPECT_NEAR(histogram.percentile(50, 4), 20, 0.1);
}

TEST(HistogramTest, MergeAddsCountsAndTakesTheLargerMaximum) {
  Histogram left;
  Histogram right;
  for (int i = 0; i < 10; ++i) left.add(10);
  for (int i = 0; i < 30; ++i) right.add(20);
  left.merge(right);
  EXPECT_EQ(left.count(), 40u);
  EXPECT_EQ(left.max(), 20u);
  EXPECT_NEAR(left.percentile(25), 10.0, 0.5);
  EXPECT_NEAR(left.percentile(26), 20.0, 0.5);
}

}  // namespace
}  // namespace tarn::bench
