#include "tools/bench/flood.h"

#include <gtest/gtest.h>

namespace tarn::bench {
namespace {

std::uint64_t word(std::uint64_t producer, std::uint64_t number) {
  return producer << kProducerShift | number;
}

TEST(LedgerTest, EverythingOnceBalances) {
  Ledger ledger({2, 2, 100});
  for (std::uint64_t number = 0; number < 100; ++number) {
    EXPECT_TRUE(ledger.enter(0, word(0, number)));
    EXPECT_TRUE(ledger.enter(number % 2 == 0 ? 0 : 1, word(1, number)));
  }
  EXPECT_EQ(ledger.audit().lost, 0u);
  EXPECT_EQ(ledger.audit().twice, 0u);
  EXPECT_NO_THROW(require_balance(ledger));
}

TEST(LedgerTest, WhatDidNotComeIsLost) {
  Ledger ledger({1, 1, 65});
  for (std::uint64_t number = 0; number < 64; ++number) ledger.enter(0, word(0, number));
  EXPECT_EQ(ledger.audit().lost, 1u);
  EXPECT_THROW(require_balance(ledger), BenchError);
}

TEST(LedgerTest, WhatTwoConsumersGotCameTwice) {
  Ledger ledger({1, 2, 1});
  EXPECT_TRUE(ledger.enter(0, word(0, 0)));
  EXPECT_TRUE(ledger.enter(1, word(0, 0)));
  EXPECT_EQ(ledger.audit().lost, 0u);
  EXPECT_EQ(ledger.audit().twice, 1u);
}

TEST(LedgerTest, WhatOneConsumerGotTwiceIsRefused) {
  Ledger ledger({1, 1, 10});
  EXPECT_TRUE(ledger.enter(0, word(0, 3)));
  EXPECT_FALSE(ledger.enter(0, word(0, 3)));
}

TEST(LedgerTest, WordsNobodySentAreRefused) {
  Ledger ledger({1, 1, 10});
  EXPECT_FALSE(ledger.enter(0, word(0, 10)));
  EXPECT_FALSE(ledger.enter(0, word(1, 0)));
}

TEST(FloodTest, TheRateSpansFromTheFirstBeginToTheLastEnd) {
  FloodArea area{};
  area.begin_ns[0] = 1'000;
  area.begin_ns[1] = 1'500;
  area.end_ns[0] = 1'800;
  area.end_ns[1] = 2'000;
  EXPECT_DOUBLE_EQ(rate_of(area, {1, 1, 500}), 500e6);
}

}  // namespace
}  // namespace tarn::bench
