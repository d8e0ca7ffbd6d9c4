#include "os/run/spawner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "os/socket.h"
#include "testing/closing/stuck_to_close.h"

namespace tarn::os {
namespace {

SpawnPlan shell(const std::string& script, std::vector<int> descriptors = {}) {
  return {"/bin/sh", {"sh", "-c", script}, std::move(descriptors)};
}

TEST(SpawnerTest, AProgramGetsWhatIsMeantForItAlone) {
  Spawner spawner;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd out(ends[0]);
  UniqueFd in(ends[1]);
  const UniqueFd inherited(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC
  ASSERT_TRUE(inherited);
  const auto pid = spawner.spawn(shell("echo /proc/self/fd/* >&3", {in.get()}));
  ASSERT_TRUE(pid) << pid.error().what();
  in.reset();
  std::array<char, 256> text{};
  ASSERT_GT(::read(out.get(), text.data(), text.size() - 1), 0);
  // The standard streams and ours, and a shell's own while it looks.
  const std::string found = text.data();
  EXPECT_NE(found.find("/proc/self/fd/3"), std::string::npos) << found;
  EXPECT_EQ(found.find("/proc/self/fd/4 "), std::string::npos) << found;
  EXPECT_EQ(found.find("/proc/self/fd/" + std::to_string(inherited.get()) + " "), std::string::npos)
      << found;
  EXPECT_EQ(reap_child(*pid).status, 0);
}

TEST(SpawnerTest, ItsEndIsToldAndAFailureHasItsReason) {
  Spawner spawner;
  auto started = spawner.spawn_watched(shell("exit 7"));
  ASSERT_TRUE(started) << started.error().what();
  EXPECT_TRUE(wait_readable(started->process.get(), Deadline::in(std::chrono::minutes(1))));
  EXPECT_EQ(reap_child(started->pid).status, 7);
  const auto none = spawner.spawn({"/does/not/exist", {"none"}, {}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().system_error(), ENOENT);
  EXPECT_NE(std::string(none.error().what()).find("/does/not/exist"), std::string::npos);
}

TEST(SpawnerTest, ThreadsStartTheirsOneAfterTheOther) {
  Spawner spawner;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&spawner, i] {
      for (int round = 0; round < 20; ++round) {
        const int status = 10 * i + round % 10;
        const auto pid = spawner.spawn(shell("exit " + std::to_string(status)));
        ASSERT_TRUE(pid);
        EXPECT_EQ(reap_child(*pid).status, status);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Else whoever starts a program would wait until its copy of that descriptor is closed.
TEST(SpawnerTest, WhatHangsWhenItIsClosedHoldsUpNoStart) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root mounts a file system";
  testing::StuckToClose file;
  if (!file) GTEST_SKIP() << "this kernel has no FUSE";
  Spawner spawner;
  const UniqueFd stuck(::open(file.path().c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(stuck);
  const auto pid = spawner.spawn(shell("exit 3"));
  ASSERT_TRUE(pid) << pid.error().what();
  EXPECT_EQ(reap_child(*pid).status, 3);
  file.release();
}

}  // namespace
}  // namespace tarn::os
