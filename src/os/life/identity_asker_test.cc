#include "os/life/identity_asker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "os/life/stopped.h"
#include "testing/closing/stuck_to_close.h"

namespace tarn::os {
namespace {

using namespace std::chrono_literals;

TEST(IdentityAskerTest, KnowsWhoAProcessIs) {
  IdentityAsker asker;
  for (int i = 0; i < 3; ++i) {
    const auto found = asker.ask(1, own_pid(), 60s);
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, *identify(own_pid()));
  }
  EXPECT_EQ(asker.ask(1, 0x3FFFFFFF, 60s).error(), Error::not_found);
}

// Kernels differ in what they keep back meanwhile; nobody may wait for it.
TEST(IdentityAskerTest, AProcessThatHangsInExecHoldsUpNoCaller) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root mounts a file system";
  testing::StuckToClose file;
  if (!file) GTEST_SKIP() << "this kernel has no FUSE";
  const pid_t child = ::fork();
  if (child == 0) file.hang_in_exec();
  file.await_close();
  IdentityAsker asker;
  const bool is_silent = !asker.ask(1, child, 20ms);
  EXPECT_FALSE(has_stopped_running(child));
  EXPECT_TRUE(asker.ask(2, own_pid(), 60s)) << "another account's";
  // One at a time. A crowded machine may have brought the answer only now.
  EXPECT_TRUE(asker.ask(1, own_pid(), 60s) || is_silent);
  file.release();
  while (!asker.ask(1, own_pid(), 60s)) std::this_thread::sleep_for(1ms);
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace tarn::os
