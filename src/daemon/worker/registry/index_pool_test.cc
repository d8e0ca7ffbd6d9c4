#include "daemon/worker/registry/index_pool.h"

#include <gtest/gtest.h>

namespace tarn::daemon {
namespace {

TEST(IndexPoolTest, GivesEachIndexOnceAndNeverZero) {
  IndexPool pool(4);
  EXPECT_EQ(pool.take(), 1u);
  EXPECT_EQ(pool.take(), 2u);
  EXPECT_EQ(pool.take(), 3u);
  EXPECT_EQ(pool.take(), std::nullopt);
}

TEST(IndexPoolTest, WhoWasFreedFirstIsReusedFirst) {
  IndexPool pool(4);
  while (pool.take()) {
  }
  pool.give_back(3);
  pool.give_back(1);
  EXPECT_EQ(pool.take(), 3u);
  EXPECT_EQ(pool.take(), 1u);
}

TEST(IndexPoolTest, FreshIndexesComeBeforeReusedOnes) {
  IndexPool pool(4);
  pool.give_back(*pool.take());
  EXPECT_EQ(pool.take(), 2u);
}

TEST(IndexPoolTest, ClaimedIndexIsNotGivenAgain) {
  IndexPool pool(4);
  EXPECT_TRUE(pool.claim(1));
  EXPECT_FALSE(pool.claim(1));
  EXPECT_FALSE(pool.claim(0));
  EXPECT_FALSE(pool.claim(4));
  EXPECT_EQ(pool.take(), 2u);
  EXPECT_EQ(pool.take(), 3u);
  EXPECT_EQ(pool.take(), std::nullopt);
  pool.give_back(1);
  EXPECT_EQ(pool.take(), 1u);
  EXPECT_EQ(pool.take(), std::nullopt);
}

// An index claimed out of turn still stands in the queue: once freed it stands there twice.
TEST(IndexPoolTest, IndexClaimedAndFreedIsGivenOnceAndLast) {
  IndexPool pool(4);
  EXPECT_TRUE(pool.claim(1));
  pool.give_back(1);
  EXPECT_EQ(pool.take(), 2u);
  EXPECT_EQ(pool.take(), 3u);
  EXPECT_EQ(pool.take(), 1u);
  EXPECT_EQ(pool.take(), std::nullopt);
}

TEST(IndexPoolTest, IndexClaimedTwiceInTurnIsGivenOnce) {
  IndexPool pool(3);
  EXPECT_TRUE(pool.claim(1));
  pool.give_back(1);
  EXPECT_TRUE(pool.claim(1));
  pool.give_back(1);
  EXPECT_EQ(pool.take(), 2u);
  EXPECT_EQ(pool.take(), 1u);
  EXPECT_EQ(pool.take(), std::nullopt);
}

}  // namespace
}  // namespace tarn::daemon
