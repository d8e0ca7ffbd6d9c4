#include "tools/bench/patterns/syscall_counter.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/bench/method/processes.h"

namespace tarn::bench {
namespace {

TEST(SyscallCounterTest, OnlyCallsInsideTheSectionCount) {
  const auto count = count_system_calls([](const CountedSection& section) {
    ::syscall(SYS_getuid);
    section.begin();
    for (int i = 0; i < 7; ++i) ::syscall(SYS_getuid);
    section.end();
    ::syscall(SYS_getuid);
  });
  EXPECT_EQ(count, 7u);
}

TEST(SyscallCounterTest, CodeWithoutCallsCountsZero) {
  EXPECT_EQ(count_system_calls([](const CountedSection& section) {
              section.begin();
              section.end();
            }),
            0u);
}

TEST(SyscallCounterTest, AFailingBodyIsReported) {
  EXPECT_THROW(count_system_calls([](const CountedSection&) { throw BenchError("no"); }),
               BenchError);
}

}  // namespace
}  // namespace tarn::bench
