#include "os/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <thread>

#include "os/child.h"

namespace tarn::os {
namespace {

// A child that waits to be killed.
std::int32_t start_sleeper() {
  const auto child = fork_process();
  if (child && *child == 0) {
    for (;;) ::pause();
  }
  return child ? *child : -1;
}

TEST(OpenProcessTest, ReadableOnceThatVeryProcessHasEnded) {
  const std::int32_t pid = start_sleeper();
  const auto identity = identify(pid);
  ASSERT_TRUE(identity);
  const auto opened = open_process(*identity);
  ASSERT_TRUE(opened);
  EXPECT_FALSE(has_exited(opened->get()));
  const auto another = open_process({pid, identity->start_ticks + 1});
  ASSERT_TRUE(another);
  EXPECT_TRUE(has_exited(another->get())) << "the number is another process's by now";
  signal_child(pid, SIGKILL);
  reap_child(pid);
  EXPECT_TRUE(has_exited(opened->get()));
  const auto gone = open_process(*identity);
  ASSERT_TRUE(gone);
  EXPECT_TRUE(has_exited(gone->get()));
}

TEST(OpenProcessTest, OfWhomTheKernelSaysNothingIsTakenForIt) {
  const std::int32_t pid = start_sleeper();
  const auto silent = [](std::int32_t) { return Result<ProcessIdentity>(Error::busy); };
  const auto opened = open_process({pid, 1}, silent);
  ASSERT_TRUE(opened);
  EXPECT_FALSE(has_exited(opened->get()));
  signal_child(pid, SIGKILL);
  reap_child(pid);
  EXPECT_TRUE(has_exited(opened->get()));
  const auto gone = open_process({pid, 1}, silent);
  ASSERT_TRUE(gone);
  EXPECT_TRUE(has_exited(gone->get()));
}

TEST(OpenProcessTest, ANumberThatIsAThreadsNowIsNoProcess) {
  std::promise<std::int32_t> number;
  std::promise<void> over;
  std::thread other([&] {
    number.set_value(::gettid());
    over.get_future().wait();
  });
  const auto opened = open_process({number.get_future().get(), 1});
  over.set_value();
  other.join();
  ASSERT_TRUE(opened) << opened.error().what();
  EXPECT_TRUE(has_exited(opened->get()));
}

}  // namespace
}  // namespace tarn::os
