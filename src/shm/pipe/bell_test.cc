#include "shm/pipe/bell.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/crash_point.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;

// Longer than any machine needs to wake a thread, shorter than the test's watchdog.
constexpr auto kHang = 20s;

bool may_sleep(const os::FutexWord& bell) { return (bell.load() & kSleepers) != 0; }

TEST(BellTest, AnnouncingSetsTheBitAndChangesTheWord) {
  os::FutexWord bell{0};
  const std::uint32_t first = announce_sleep(bell);
  const std::uint32_t second = announce_sleep(bell);
  EXPECT_TRUE(may_sleep(bell));
  EXPECT_NE(first, second);
  EXPECT_EQ(bell.load(), second);
}

TEST(BellTest, AnnouncingWorksAcrossTheWordsWrap) {
  os::FutexWord bell{0xffff'ffff};
  const std::uint32_t announced = announce_sleep(bell);
  EXPECT_EQ(announced, 1u);
  EXPECT_EQ(sleep_on(bell, announced, Deadline::in(1ms)), os::WaitOutcome::timed_out);
}

TEST(BellTest, RingingASilentBellLeavesItAlone) {
  // No bit, no change, hence no system call: the call stands behind the change.
  os::FutexWord bell{42 & ~kSleepers};
  ring(bell);
  EXPECT_EQ(bell.load(), 42u & ~kSleepers);
}

TEST(BellTest, RingingForNobodyClearsTheBitOnce) {
  os::FutexWord bell{0};
  announce_sleep(bell);  // and died before it slept
  ring(bell);
  EXPECT_FALSE(may_sleep(bell));
  const std::uint32_t silent = bell.load();
  ring(bell);
  EXPECT_EQ(bell.load(), silent);
}

TEST(BellTest, ARingBetweenAnnouncingAndSleepingKeepsTheSleeperAwake) {
  os::FutexWord bell{0};
  const std::uint32_t announced = announce_sleep(bell);
  ring(bell);
  EXPECT_EQ(sleep_on(bell, announced, Deadline::in(kHang)), os::WaitOutcome::changed);
}

TEST(BellTest, RingAllBetweenAnnouncingAndSleepingKeepsTheSleeperAwake) {
  os::FutexWord bell{0};
  const std::uint32_t announced = announce_sleep(bell);
  ring_all(bell);
  EXPECT_EQ(sleep_on(bell, announced, Deadline::in(kHang)), os::WaitOutcome::changed);
}

TEST(BellTest, AnAnnouncementWhileSomebodyRingsKeepsItsBit) {
  os::FutexWord bell{0};
  const std::uint32_t first = announce_sleep(bell);
  const std::uint32_t second = announce_sleep(bell);
  EXPECT_EQ(sleep_on(bell, first, Deadline::in(kHang)), os::WaitOutcome::changed);
  EXPECT_TRUE(may_sleep(bell));
  EXPECT_EQ(sleep_on(bell, second, Deadline::in(1ms)), os::WaitOutcome::timed_out);
}

TEST(BellTest, RingWakesOneOfTwoAndRingAllTheRest) {
  os::FutexWord bell{0};
  std::atomic<int> awake{0};
  std::vector<std::thread> sleepers;
  for (int i = 0; i < 2; ++i) {
    sleepers.emplace_back([&] {
      // Somebody else's announcement may end the wait early: again.
      while (sleep_on(bell, announce_sleep(bell), Deadline::never()) != os::WaitOutcome::woken) {
      }
      ++awake;
    });
  }
  // A ring that found both between announcing and sleeping woke nobody: again.
  while (awake == 0) {
    ring(bell);
    std::this_thread::sleep_for(10ms);
  }
  while (awake < 2) {
    ring_all(bell);
    std::this_thread::sleep_for(1ms);
  }
  for (std::thread& sleeper : sleepers) sleeper.join();
  EXPECT_EQ(awake, 2);
}

#ifdef TARN_CRASH_POINTS
os::FutexWord* g_bell = nullptr;
std::uint32_t g_announced = 0;
os::WaitOutcome g_outcome = os::WaitOutcome::woken;

// The ringer found nobody asleep, and now somebody who announced earlier falls asleep: its bit
// must not go. Before, it slept on with the bit cleared, and nobody ever rang for it.
TEST(BellTest, NobodyFallsAsleepBehindARingersBack) {
  os::FutexWord bell{0};
  g_bell = &bell;
  g_announced = announce_sleep(bell);
  hook_crash_points(
      [](const char*) { g_outcome = sleep_on(*g_bell, g_announced, Deadline::in(50ms)); });
  ring(bell);
  hook_crash_points(nullptr);
  EXPECT_EQ(g_outcome, os::WaitOutcome::changed);
}

TEST(BellTest, WhoAnnouncesBehindARingersBackKeepsItsBit) {
  os::FutexWord bell{0};
  g_bell = &bell;
  announce_sleep(bell);
  hook_crash_points([](const char*) { g_announced = announce_sleep(*g_bell); });
  ring(bell);
  hook_crash_points(nullptr);
  EXPECT_TRUE(may_sleep(bell));
  EXPECT_EQ(bell.load(), g_announced);
}
#endif

// One item at a time is handed from ringers to sleepers, with every wait bounded: a wait that times
// out while an item was there is a lost wake-up.
void hand_over(int ringers, int sleepers, int items_each) {
  os::FutexWord bell{0};
  std::atomic<std::int64_t> items{0};
  std::atomic<bool> done{false};
  std::atomic<int> lost{0};
  const auto take = [&] {
    std::int64_t seen = items.load();
    while (seen > 0) {
      if (items.compare_exchange_weak(seen, seen - 1)) return true;
    }
    return false;
  };
  std::atomic<int> taken{0};
  const int total = ringers * items_each;
  std::vector<std::thread> threads;
  for (int i = 0; i < sleepers; ++i) {
    threads.emplace_back([&] {
      while (taken < total) {
        if (take()) {
          if (++taken == total) ring_all(bell);
          continue;
        }
        const std::uint32_t announced = announce_sleep(bell);
        if (items.load() > 0 || taken == total) continue;
        const auto outcome = sleep_on(bell, announced, Deadline::in(kHang));
        if (outcome == os::WaitOutcome::timed_out && items.load() > 0) ++lost;
      }
    });
  }
  for (int i = 0; i < ringers; ++i) {
    threads.emplace_back([&] {
      for (int item = 0; item < items_each; ++item) {
        items.fetch_add(1);
        ring(bell);
        // Lets the sleepers sleep, so that nearly every item needs its ring.
        while (items.load() > 0 && lost == 0) std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(taken, total);
  EXPECT_EQ(items.load(), 0);
}

TEST(BellTest, NoWakeUpIsLostBetweenOneAndOne) { hand_over(1, 1, 20'000); }
TEST(BellTest, NoWakeUpIsLostBetweenManyAndMany) { hand_over(4, 4, 5'000); }

}  // namespace
}  // namespace tarn
