#include "wire/start_report.h"

#include <gtest/gtest.h>

namespace tarn::wire {
namespace {

TEST(StartReportTest, ErrorComesBackWhole) {
  const Error sent(Error::unsafe_directory, "use the run\tdirectory", "'/tmp/x'\nis a link",
                   "remove it", 13);
  const auto got = decode_start_report(encode_start_error(sent));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Error::unsafe_directory);
  EXPECT_EQ(got.error().attempted(), "use the run directory");
  EXPECT_EQ(got.error().object(), "'/tmp/x' is a link");
  EXPECT_EQ(got.error().cure(), "remove it");
  EXPECT_EQ(got.error().system_error(), 13);
}

TEST(StartReportTest, ReadyAndBusyAreOutcomes) {
  EXPECT_EQ(*decode_start_report(kReadyLine), StartOutcome::ready);
  EXPECT_EQ(*decode_start_report(kBusyLine), StartOutcome::busy);
  EXPECT_EQ(*decode_start_report("ready"), StartOutcome::ready);
  EXPECT_EQ(*decode_start_report("busy"), StartOutcome::busy);
}

TEST(StartReportTest, AnythingElseIsNodeUnavailable) {
  for (const char* line : {"", "\n", "error", "error\t99\t0\ta\tb\tc\n", "error\t0\t0\ta\tb\tc\n",
                           "cannot execute the daemon\n", "error\tx\ty\n", "read"}) {
    const auto got = decode_start_report(line);
    ASSERT_FALSE(got) << line;
    EXPECT_EQ(got.error().code(), Error::node_unavailable) << line;
  }
}

}  // namespace
}  // namespace tarn::wire
