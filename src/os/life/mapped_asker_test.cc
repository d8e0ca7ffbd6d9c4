#include "os/life/mapped_asker.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "os/memory.h"
#include "os/process.h"
#include "testing/closing/stuck_to_close.h"

namespace tarn::os {
namespace {

// Waits for them.
std::vector<MappedAnswer> answers_of(MappedAsker& asker) {
  pollfd watched{asker.event(), POLLIN, 0};
  EXPECT_EQ(::poll(&watched, 1, -1), 1);
  return asker.take();
}

TEST(MappedAskerTest, AnswersComeByTheirNumber) {
  const auto memory = create_memory("asker-test", 4096);
  ASSERT_TRUE(memory);
  const auto identity = examine_memory(memory->get())->identity;
  const auto writer = map_writable(memory->get(), 4096);
  MappedAsker asker;
  ASSERT_TRUE(asker.ask(7, own_pid(), identity));
  const auto answers = answers_of(asker);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].number, 7u);
  EXPECT_EQ(answers[0].is_mapped, true);
  EXPECT_TRUE(asker.take().empty());
}

TEST(MappedAskerTest, AProcessThatHangsInExecHoldsUpNoCaller) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root mounts a file system";
  testing::StuckToClose file;
  if (!file) GTEST_SKIP() << "this kernel has no FUSE";
  const pid_t child = ::fork();
  if (child == 0) file.hang_in_exec();
  file.await_close();
  MappedAsker asker;
  ASSERT_TRUE(asker.ask(1, child, 1));
  EXPECT_FALSE(asker.ask(1, child, 1)) << "once is enough";
  pollfd watched{asker.event(), POLLIN, 0};
  EXPECT_EQ(::poll(&watched, 1, 20), 0) << "the kernel lets nobody look now";
  file.release();
  EXPECT_EQ(answers_of(asker).size(), 1u);
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace tarn::os
