#include "os/life/robust.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

#include "os/life/stopped.h"

namespace tarn::os {
namespace {

using namespace std::chrono_literals;

struct SharedWords {
  FutexWord life{0};
  FutexWord go{0};
};

class RobustTest : public ::testing::Test {
 protected:
  RobustTest()
      : words_(static_cast<SharedWords*>(
            ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~RobustTest() override { ::munmap(words_, 4096); }

  pid_t start(const std::function<void()>& life) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::alarm(60);
    life();
    ::_exit(0);
  }
  // Waits until the word names its holder.
  std::uint32_t await_holder() {
    std::uint32_t seen = 0;
    while ((seen = words_->life.load()) == 0) futex_wait(words_->life, 0, Deadline::in(60s));
    return seen;
  }
  std::uint32_t await_change(std::uint32_t from) {
    while (words_->life.load() == from) futex_wait(words_->life, from, Deadline::in(60s));
    return words_->life.load();
  }
  void hold_and_wait() {
    RobustHold hold;
    if (!hold.take(words_->life)) ::_exit(1);
    for (;;) ::pause();
  }
  SharedWords* words_;
};

TEST_F(RobustTest, KillIsMarkedAndWakes) {
  const pid_t child = start([&] { std::thread([&] { hold_and_wait(); }).join(); });
  const std::uint32_t held = await_holder();
  EXPECT_EQ(held & kHasWaiters, kHasWaiters);
  EXPECT_NE(held & kOwnerMask, static_cast<std::uint32_t>(child)) << "a thread of it";
  EXPECT_FALSE(has_stopped_running(child));
  ::kill(child, SIGKILL);
  EXPECT_EQ(await_change(held) & kOwnerDied, kOwnerDied);
  while (!has_stopped_running(child)) std::this_thread::yield();
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(has_stopped_running(child)) << "it is not there at all";
}

TEST_F(RobustTest, ExecutingAnotherProgramIsMarked) {
  const pid_t child = start([&] {
    std::thread([&] { hold_and_wait(); }).detach();
    while (words_->go.load() == 0) futex_wait(words_->go, 0, Deadline::in(60s));
    ::execlp("sleep", "sleep", "60", nullptr);
  });
  const std::uint32_t held = await_holder();
  words_->go = 1;
  futex_wake(words_->go, 1);
  EXPECT_EQ(await_change(held) & kOwnerDied, kOwnerDied);
  EXPECT_FALSE(has_stopped_running(child)) << "it lives, as another program";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(RobustTest, EndInOrderLeavesNoMark) {
  const pid_t child = start([&] {
    std::thread([&] {
      RobustHold hold;
      hold.take(words_->life);
    }).join();
  });
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(words_->life.load(), 0u);
}

TEST_F(RobustTest, StoppedProcessHasNotStoppedRunning) {
  const pid_t child = start([&] { hold_and_wait(); });
  const std::uint32_t held = await_holder();
  ::kill(child, SIGSTOP);
  int status = 0;
  ::waitpid(child, &status, WUNTRACED);
  EXPECT_FALSE(has_stopped_running(child));
  EXPECT_EQ(words_->life.load(), held);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// One thread is in its exit, another one is not.
TEST_F(RobustTest, ProcessOfWhichOneThreadEndedRuns) {
  const pid_t child = start([&] {
    std::thread([&] {
      RobustHold hold;
      hold.take(words_->life);
      ::syscall(SYS_exit, 0);  // without the hold's destructor
    }).detach();
    for (;;) ::pause();
  });
  while ((words_->life.load() & kOwnerDied) == 0) std::this_thread::yield();
  EXPECT_FALSE(has_stopped_running(child));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace tarn::os
