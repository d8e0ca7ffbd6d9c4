#include "daemon/worker/access/doorkeeper.h"

#include <gtest/gtest.h>

namespace tarn::daemon {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(PaceTest, GivesSomeAtOnceThenItsRate) {
  Pace pace;
  int at_once = 0;
  while (pace.take(100, 10, kSecond)) ++at_once;
  EXPECT_EQ(at_once, 10);
  EXPECT_FALSE(pace.take(100, 10, kSecond + kSecond / 100 - 1));
  EXPECT_TRUE(pace.take(100, 10, kSecond + kSecond / 100));
  EXPECT_FALSE(pace.take(100, 10, kSecond + kSecond / 100));
  int later = 0;
  while (pace.take(100, 10, 5 * kSecond)) ++later;
  EXPECT_EQ(later, 10) << "a pause saves up no more than what is given at once";
}

TEST(PaceTest, NothingIsNothing) {
  Pace pace;
  EXPECT_FALSE(pace.take(0, 10, kSecond));
  EXPECT_FALSE(pace.take(10, 0, kSecond));
}

TEST(DoorkeeperTest, CountsConnectionsAndSilence) {
  Doorkeeper keeper;
  for (std::uint32_t i = 0; i < kMostSilentOfOne; ++i) {
    EXPECT_TRUE(keeper.may_be_silent(7));
    keeper.add(7);
  }
  EXPECT_FALSE(keeper.may_be_silent(7));
  EXPECT_TRUE(keeper.may_be_silent(8));
  keeper.greeted(7);
  EXPECT_TRUE(keeper.may_be_silent(7));
  EXPECT_EQ(keeper.connections_of(7), kMostSilentOfOne);
  keeper.remove(7, false, 0);
  for (std::uint32_t i = 1; i < kMostSilentOfOne; ++i) keeper.remove(7, true, 0);
  EXPECT_EQ(keeper.connections(), 0u);
  EXPECT_EQ(keeper.connections_of(7), 0u);
  EXPECT_TRUE(keeper.may_be_silent(7));
}

TEST(DoorkeeperTest, OneAccountsHasteIsNotAnothers) {
  Doorkeeper keeper;
  while (keeper.may_ask(7, 40, kSecond)) {
  }
  EXPECT_TRUE(keeper.may_ask(8, 40, kSecond));
  keeper.add(7);
  keeper.remove(7, true, 0);
  EXPECT_FALSE(keeper.may_ask(7, 40, kSecond)) << "hanging up saves nothing";
}

TEST(DoorkeeperTest, WhoIsGoneAndRestedIsForgotten) {
  Doorkeeper keeper;
  keeper.add(7);
  EXPECT_TRUE(keeper.may_ask(7, 1, kSecond));
  keeper.remove(7, true, kSecond);
  EXPECT_EQ(keeper.account_count(), 1u) << "its pace still counts";
  keeper.add(8);
  keeper.remove(8, true, 3 * kSecond);
  EXPECT_EQ(keeper.account_count(), 0u);
}

TEST(DoorkeeperTest, OthersGetAPartOfTheTime) {
  Doorkeeper keeper;
  std::int64_t now = kSecond;
  std::int64_t used = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (keeper.has_time(now)) {
      constexpr std::int64_t kLong = 50'000;
      keeper.spent(kLong, now + kLong);
      now += kLong;
      used += kLong;
    } else {
      now += 10'000;
    }
  }
  EXPECT_LE(used, (now - kSecond + kMostAheadNs) / kTimeParts + 50'000);
  EXPECT_GE(used, (now - kSecond) / kTimeParts / 2) << "and they do get it";
}

TEST(DoorkeeperTest, ManyAccountsTogetherAreTooManyToo) {
  Doorkeeper keeper;
  std::uint32_t uid = 0;
  while (!keeper.are_too_many_silent()) keeper.add(uid++);
  EXPECT_EQ(uid, kMostSilentOthers);
}

}  // namespace
}  // namespace tarn::daemon
