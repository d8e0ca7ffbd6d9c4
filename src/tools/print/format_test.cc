#include "tools/print/format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tarn::tools {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

TEST(FormatTest, SizesBelowOneKibibyteAreExact) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(1), "1 B");
  EXPECT_EQ(format_size(1023), "1023 B");
}

TEST(FormatTest, LargerSizesHaveBinaryUnits) {
  EXPECT_EQ(format_size(1024), "1.0 KiB");
  EXPECT_EQ(format_size(1536 * 1024), "1.5 MiB");
  EXPECT_EQ(format_size(std::uint64_t{123} << 20), "123 MiB");
  EXPECT_EQ(format_size(std::uint64_t{3} << 40), "3.0 TiB");
  EXPECT_EQ(format_size(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
}

TEST(FormatTest, SizesRoundUpIntoTheNextUnit) {
  EXPECT_EQ(format_size((std::uint64_t{1} << 20) - 1), "1.0 MiB");
  EXPECT_EQ(format_size((std::uint64_t{1} << 30) - 1), "1.0 GiB");
  EXPECT_EQ(format_size(99 * 1024 + 1023), "100 KiB");
}

TEST(FormatTest, ByteRatesAreSizesPerSecond) {
  EXPECT_EQ(format_byte_rate(0), "0 B/s");
  EXPECT_EQ(format_byte_rate(1.5 * 1024 * 1024), "1.5 MiB/s");
  EXPECT_EQ(format_byte_rate(-1), "0 B/s");
  EXPECT_EQ(format_byte_rate(std::nan("")), "0 B/s");
  EXPECT_EQ(format_byte_rate(std::numeric_limits<double>::infinity()), "7.8 EiB/s");
}

TEST(FormatTest, ShortDurationsHaveOneUnit) {
  EXPECT_EQ(format_duration(0), "0 ns");
  EXPECT_EQ(format_duration(999), "999 ns");
  EXPECT_EQ(format_duration(1500), "1.5 us");
  EXPECT_EQ(format_duration(999'999), "1.0 ms");
  EXPECT_EQ(format_duration(250'000'000), "250 ms");
  EXPECT_EQ(format_duration(kSecond - 1), "1.0 s");
  EXPECT_EQ(format_duration(12'340'000'000), "12.3 s");
}

TEST(FormatTest, LongDurationsHaveTwoUnits) {
  EXPECT_EQ(format_duration(192 * kSecond), "3 m 12 s");
  EXPECT_EQ(format_duration(180 * kSecond), "3 m");
  EXPECT_EQ(format_duration(60 * kSecond - 1), "1 m");
  EXPECT_EQ(format_duration(3600 * kSecond), "1 h");
  EXPECT_EQ(format_duration(7500 * kSecond), "2 h 5 m");
  EXPECT_EQ(format_duration(360'000 * kSecond), "4 d 4 h");
}

TEST(FormatTest, TheLongestDurationDoesNotWrap) {
  EXPECT_EQ(format_duration(std::numeric_limits<std::uint64_t>::max() - kSecond), "213503 d 23 h");
}

TEST(FormatTest, CountsAreGrouped) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_counted(0, "session"), "0 sessions");
  EXPECT_EQ(format_counted(1, "session"), "1 session");
  EXPECT_EQ(format_counted(1000, "session"), "1,000 sessions");
}

TEST(FormatTest, QuantitiesHaveDecimalMultiples) {
  EXPECT_EQ(format_quantity(0), "0");
  EXPECT_EQ(format_quantity(-3), "0");
  EXPECT_EQ(format_quantity(0.5), "0.5");
  EXPECT_EQ(format_quantity(12), "12");
  EXPECT_EQ(format_quantity(999.6), "1.0 k");
  EXPECT_EQ(format_quantity(15.3e6), "15.3 M");
}

TEST(FormatTest, SharesOfNothingAreZero) {
  EXPECT_EQ(format_share(0, 0), "0.0 %");
  EXPECT_EQ(format_share(1, 2), "50.0 %");
  EXPECT_EQ(format_share(2, 2), "100 %");
}

}  // namespace
}  // namespace tarn::tools
