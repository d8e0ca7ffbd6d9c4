#include "tools/bench/flood.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tools/bench/method/machine.h"

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
  const Shared<FloodArea> area;
  area->begin_ns[0] = 1'000;
  area->begin_ns[1] = 1'500;
  area->end_ns[2] = 1'800;
  area->end_ns[3] = 2'000;
  EXPECT_DOUBLE_EQ(speed_of(*area, {2, 2, 260, 10}).rate, 500e6);
  EXPECT_EQ(speed_of(*area, {2, 2, 260, 10}).undisturbed, 0);
}

TEST(FloodTest, OneLongPauseDoesNotChangeTheUndisturbedRate) {
  const Shared<FloodArea> area;
  area->end_ns[1] = 1'000'000'000;
  std::uint64_t now = 0;
  for (std::uint32_t i = 0; i < 20; ++i) {
    now += i == 10 ? 900'000'000 : 4096 * 100;  // 100 ns each
    area->stretch_ns[area->stretch_count++] = now;
  }
  EXPECT_DOUBLE_EQ(speed_of(*area, {1, 1, 20 * 4096, 0}).undisturbed, 10e6);
}

TEST(FloodTest, EveryMessageOfAChannelArrives) {
  struct Mailbox {
    std::atomic<std::uint64_t> full{0};
    std::uint64_t word = 0;
  };
  struct End {
    Mailbox& box;
    void send(std::uint64_t word) const {
      while (box.full.load(std::memory_order_acquire) != 0) {
      }
      box.word = word;
      box.full.store(1, std::memory_order_release);
    }
    std::uint64_t receive() const {
      while (box.full.load(std::memory_order_acquire) == 0) {
      }
      const std::uint64_t word = box.word;
      box.full.store(0, std::memory_order_release);
      return word;
    }
  };
  Report report(nullptr);
  std::ostringstream nowhere;
  Progress progress(nowhere, false);
  if (usable_cpus().size() < 2) {
    EXPECT_THROW(Stage(Settings{}, report, progress), BenchError) << "one CPU says nothing";
    return;
  }
  const Stage stage(Settings{}, report, progress);
  const Shared<Mailbox> box;
  const auto make_end = [&] { return End{*box}; };
  const FloodSpeed speed = flood(stage, {1, 1, 100, 10}, make_end, make_end);
  EXPECT_GT(speed.rate, 0);
}

}  // namespace
}  // namespace tarn::bench
