#include "os/access/closer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "testing/closing/slow_to_close.h"

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

// Nothing more may come to be closed: who waits for a thread is not forgotten.
TEST(CloserTest, WhatNoThreadCouldBeHadForIsClosedLater) {
  const pid_t child = ::fork();
  if (child == 0) {
    // Root may always start another thread.
    if (::geteuid() == 0 && ::setresuid(40009, 40009, 40009) != 0) ::_exit(1);
    rlimit limit{};
    ::getrlimit(RLIMIT_NPROC, &limit);
    const rlimit none{0, limit.rlim_max};
    ::setrlimit(RLIMIT_NPROC, &none);
    WatchedPipe pipe;
    Closer closer;
    closer.close(1, std::move(pipe.closed));
    if (closer.serve() || closer.waiting_of(1) != 1) ::_exit(2);
    ::setrlimit(RLIMIT_NPROC, &limit);
    if (!closer.serve()) ::_exit(3);
    pipe.wait();
    ::_exit(::testing::Test::HasFailure() ? 4 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

// However many accounts have made somebody wait before, and do it again.
TEST(CloserTest, WhoIsKnownToBeSlowLeavesThreadsToTheOthers) {
  Closer closer;
  std::vector<testing::SlowToClose> first(kMostClosingThreads);
  std::uint32_t account = 0;
  std::vector<int> numbers;
  for (auto& each : first) {
    ASSERT_TRUE(each.reader);
    numbers.push_back(each.slow.get());
    closer.close(++account, std::move(each.slow));
  }
  // Its number is free as soon as a thread is in the middle of closing it.
  for (const int number : numbers) {
    while (::fcntl(number, F_GETFD) >= 0) std::this_thread::sleep_for(1ms);
  }
  std::this_thread::sleep_for(2 * kSlowClose);
  for (auto& each : first) each.reader.reset();
  while (closer.waiting() != 0) std::this_thread::sleep_for(1ms);
  std::vector<testing::SlowToClose> second(kMostClosingThreads);
  account = 0;
  for (auto& each : second) closer.close(++account, std::move(each.slow));
  WatchedPipe pipe;
  closer.close(++account, std::move(pipe.closed));
  pipe.wait();
  EXPECT_TRUE(closer.serve());
  while (closer.waiting() != second.size()) std::this_thread::sleep_for(1ms);
}

TEST(CloserTest, WhatIsSlowMayOutliveTheCloser) {
  testing::SlowToClose slow;
  ASSERT_TRUE(slow.reader);
  Closer().close(1, std::move(slow.slow));
}

}  // namespace
}  // namespace tarn::os
