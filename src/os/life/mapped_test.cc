#include "os/life/mapped.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/memory.h"
#include "os/process.h"

namespace tarn::os {
namespace {

constexpr std::uint64_t kBytes = 4096;

TEST(MappedTest, OnlyAWritableMappingCounts) {
  const auto memory = create_memory("mapped-test", kBytes);
  ASSERT_TRUE(memory);
  const auto identity = examine_memory(memory->get())->identity;
  EXPECT_EQ(maps_for_writing(own_pid(), identity), false);
  const auto reader = map_readable(memory->get(), kBytes);
  EXPECT_EQ(maps_for_writing(own_pid(), identity), false) << "as somebody who looks at it";
  auto writer = map_writable(memory->get(), kBytes);
  EXPECT_EQ(maps_for_writing(own_pid(), identity), true);
  EXPECT_EQ(maps_for_writing(own_pid(), identity + 1), false);
  writer->reset();
  EXPECT_EQ(maps_for_writing(own_pid(), identity), false);
}

TEST(MappedTest, WhoHasNoMemoryAnyMoreCannotBeTold) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t facts{};
  ::waitid(P_PID, static_cast<id_t>(child), &facts, WEXITED | WNOWAIT);
  EXPECT_EQ(maps_for_writing(child, 1), std::nullopt) << "it waits to be reaped";
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(maps_for_writing(child, 1), std::nullopt) << "it is not there at all";
}

}  // namespace
}  // namespace tarn::os
