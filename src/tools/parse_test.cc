#include "tools/parse.h"

#include <gtest/gtest.h>

namespace tarn::tools {
namespace {

using std::chrono::nanoseconds;

TEST(ParseTest, SizesAreBytesOrOfAUnit) {
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("64K"), 65536u);
  EXPECT_EQ(parse_size("1.5 MiB"), 1572864u);
  EXPECT_EQ(parse_size("64kB"), 64000u);
  EXPECT_EQ(parse_size("2GB"), 2000000000u);
  EXPECT_EQ(parse_size("17B"), 17u);
}

TEST(ParseTest, WhatIsNoSizeIsRefused) {
  for (const auto* text : {"", " ", "-1", "-0", "K", "1X", "1 K B", "0x10", "1e3", "nan", "inf",
                           "99999999TiB", "1K ", "1,5K"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(ParseTest, DurationsAreSecondsOrOfAUnit) {
  EXPECT_EQ(parse_duration("3"), nanoseconds(3'000'000'000));
  EXPECT_EQ(parse_duration("0.5"), nanoseconds(500'000'000));
  EXPECT_EQ(parse_duration("250ms"), nanoseconds(250'000'000));
  EXPECT_EQ(parse_duration("10us"), nanoseconds(10'000));
  EXPECT_EQ(parse_duration("7ns"), nanoseconds(7));
  EXPECT_EQ(parse_duration("2m"), nanoseconds(120'000'000'000));
  EXPECT_EQ(parse_duration("1 h"), nanoseconds(3'600'000'000'000));
  EXPECT_EQ(parse_duration("0"), nanoseconds(0));
}

TEST(ParseTest, WhatIsNoDurationIsRefused) {
  for (const auto* text : {"", "s", "-1s", "1 fortnight", "9999999999999999h", "soon"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(ParseTest, IntegersAreWholeAndFit) {
  EXPECT_EQ(parse_integer("64"), 64);
  EXPECT_EQ(parse_integer("-5"), -5);
  EXPECT_EQ(parse_integer("9223372036854775807"), INT64_MAX);
  for (const auto* text : {"", "9223372036854775808", "1.5", "1e3", "0x10", "+1", " 1", "1 "}) {
    EXPECT_FALSE(parse_integer(text)) << text;
  }
}

TEST(ParseTest, DeliveryTakesHyphensToo) {
  EXPECT_EQ(parse_delivery("at_most_once"), Delivery::at_most_once);
  EXPECT_EQ(parse_delivery("at-least-once"), Delivery::at_least_once);
  EXPECT_FALSE(parse_delivery("exactly_once"));
  EXPECT_FALSE(parse_delivery(""));
}

}  // namespace
}  // namespace tarn::tools
