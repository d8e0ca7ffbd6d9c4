// picklingtools_clock_test.cc - how long timed waits take, while the wall clock jumps about. This
// program has a wall clock of its own: every way of the C library to ask for it ends here.
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/e2e/picklingtools/region_fixture.h"

namespace {
std::atomic<bool> g_jumps{false};
std::atomic<unsigned> g_asked{0};

// An hour ahead, an hour behind, and so on.
std::int64_t jump() {
  if (!g_jumps) return 0;
  constexpr std::int64_t kHour = 3600;
  return g_asked.fetch_add(1) % 2 == 0 ? kHour : -kHour;
}
}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long result = ::syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += jump();
  return static_cast<int>(result);
}
extern "C" int gettimeofday(timeval* time, void*) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}
extern "C" time_t time(time_t* to) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (to != nullptr) *to = now.tv_sec;
  return now.tv_sec;
}

namespace tarn {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;
using testkit::kRegion;

// Seconds of one wait.
template <class Wait>
double took(Wait&& wait) {
  const auto begin = steady_clock::now();
  wait();
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

class PicklingToolsClockTest : public testkit::RegionTest {
 protected:
  static constexpr int kThreads = 20;
  static constexpr int kWaits = 10;
  static constexpr double kPatience = .2;
  static constexpr double kMost = .25;

  // Each thread waits, and then just sleeps as long: what a sleep is late, the machine is.
  template <class Wait>
  void wait_in_threads(Wait&& wait) {
    g_jumps = true;
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < kWaits; ++n) {
          double slept = 0;
          std::thread sleeper([&] { slept = took([] { std::this_thread::sleep_for(200ms); }); });
          const double waited = took(wait);
          sleeper.join();
          const double late = std::max(slept - kPatience, 0.);
          EXPECT_GE(waited, kPatience);
          EXPECT_LE(waited, kMost + late);
          good += waited >= kPatience && waited <= kMost + late ? 1 : 0;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, kThreads * kWaits);
    g_jumps = false;
  }
};

TEST_F(PicklingToolsClockTest, TheWallClockReallyJumps) {
  g_jumps = true;
  const auto first = std::chrono::system_clock::now();
  const auto second = std::chrono::system_clock::now();
  EXPECT_GT(std::chrono::abs(second - first), 1h);
  g_jumps = false;
}

TEST_F(PicklingToolsClockTest, DequeueWaitsAsLongAsItIsToldWhateverTheWallClockDoes) {
  SHMMain main(kRegion, 1000);
  main.start();
  ServerSide server(kRegion, "pipe", 1);
  server.start();
  wait_in_threads([&] {
    Val out = "untouched";
    EXPECT_FALSE(server.pipe().dequeue(kPatience, out));
    EXPECT_EQ(out, "untouched");
  });
}

TEST_F(PicklingToolsClockTest, EnqueueWaitsAsLongAsItIsToldWhateverTheWallClockDoes) {
  SHMMain main(kRegion, 1000);
  main.start();
  ServerSide server(kRegion, "pipe", 1);
  server.start();
  ASSERT_TRUE(server.pipe().enqueue(1, 0));
  wait_in_threads([&] { EXPECT_FALSE(server.pipe().enqueue(Tab("{'a':1}"), kPatience)); });
  EXPECT_FALSE(server.pipe().enqueue(Tab("{'a':1}"), 0));
}

TEST_F(PicklingToolsClockTest, QueuesOfThreadsAndLocksWaitAsLongAsTheyAreTold) {
  CQ queue(1);
  wait_in_threads([&] {
    Val out;
    EXPECT_FALSE(queue.dequeue(kPatience, out));
  });
  Val table = Locked(new OC::Tab);
  TransactionLock held(table);
  wait_in_threads([&] { EXPECT_THROW(TransactionLock(table, kPatience), runtime_error); });
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }
