#include "os/life/process_stat.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "os/process.h"

namespace tarn::os {
namespace {

TEST(ProcessStatTest, NamesMayHoldAnything) {
  const auto stat = parse_stat(
      "17 (a ) Z (b) c) S 3 17 16 0 -1 4194308 1 2 3 4 5 6 7 8 20 0 1 0 987654321 9 9 9");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 3);
  EXPECT_EQ(stat->session, 16);
  EXPECT_EQ(stat->flags, 4194308u);
  EXPECT_EQ(stat->start_ticks, 987654321u);
}

TEST(ProcessStatTest, WhatIsCutOffIsNothing) {
  for (const char* text : {"", "17", "17 (name", "17 (name)", "17 (name) S 3 17",
                           "17 (name) S x 17 16 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 9"}) {
    EXPECT_FALSE(parse_stat(text)) << text;
  }
}

TEST(ProcessStatTest, KnowsThisProcess) {
  const auto stat = stat_of(own_pid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, ::getppid());
  EXPECT_EQ(stat->session, ::getsid(0));
  EXPECT_EQ(stat->start_ticks, identify(own_pid())->start_ticks);
  EXPECT_FALSE(stat_of(0x3FFFFFFF));
}

}  // namespace
}  // namespace tarn::os
