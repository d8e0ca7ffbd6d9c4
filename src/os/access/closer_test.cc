#include "os/access/closer.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include "testing/slow_to_close.h"

namespace tarn::os {
namespace {

using namespace std::chrono_literals;

struct WatchedPipe {
  UniqueFd watched;
  UniqueFd closed;
  WatchedPipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    watched = UniqueFd(ends[0]);
    closed = UniqueFd(ends[1]);
  }
  // Returns once the other end is closed.
  void wait() const {
    char none = 0;
    EXPECT_EQ(::read(watched.get(), &none, 1), 0);
  }
};

TEST(CloserTest, ASlowCloseKeepsNeitherTheCallerNorAnotherAccount) {
  testing::SlowToClose slow;
  ASSERT_TRUE(slow.reader);
  WatchedPipe pipe;
  Closer closer;
  closer.close(1, std::move(slow.slow));
  closer.close(2, std::move(pipe.closed));
  pipe.wait();
  EXPECT_EQ(closer.waiting_of(1), 1u);
  EXPECT_GE(closer.waiting(), 1u);
  slow.reader.reset();
  while (closer.waiting() != 0) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(closer.waiting_of(1), 0u);
}

TEST(CloserTest, MoreAccountsThanThreadsAreAllServed) {
  Closer closer;
  std::vector<WatchedPipe> pipes(4 * kMostClosingThreads);
  std::uint32_t account = 0;
  for (WatchedPipe& pipe : pipes) closer.close(++account, std::move(pipe.closed));
  for (const WatchedPipe& pipe : pipes) pipe.wait();
}

TEST(CloserTest, WhatIsSlowMayOutliveTheCloser) {
  testing::SlowToClose slow;
  ASSERT_TRUE(slow.reader);
  Closer().close(1, std::move(slow.slow));
}

}  // namespace
}  // namespace tarn::os
