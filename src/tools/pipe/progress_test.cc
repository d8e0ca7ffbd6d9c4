#include "tools/pipe/progress.h"

#include <gtest/gtest.h>

#include <sstream>

namespace tarn::tools {
namespace {

using std::chrono::milliseconds;

TEST(ProgressTest, TheSummaryHasCountsAndRates) {
  EXPECT_EQ(summary_of({12345, 1572864}, milliseconds(3000)),
            "12,345 messages, 1.5 MiB in 3.0 s (4.1 k/s, 512 KiB/s)");
  EXPECT_EQ(summary_of({1, 10}, milliseconds(1000)), "1 message, 10 B in 1.0 s (1/s, 10 B/s)");
}

TEST(ProgressTest, NoTimeAtAllDoesNotDivideByZero) {
  EXPECT_EQ(summary_of({0, 0}, milliseconds(0)), "0 messages, 0 B in 1 ns (0/s, 0 B/s)");
}

TEST(ProgressTest, UnaskedItSaysNothing) {
  std::ostringstream err;
  { Progress({.verb = "pushed"}, err).add(5); }
  EXPECT_EQ(err.str(), "");
}

TEST(ProgressTest, TheTotalComesAtTheEnd) {
  std::ostringstream err;
  {
    Progress progress({.total = true, .verb = "pushed"}, err);
    progress.add(5);
    progress.add(7);
    EXPECT_EQ(progress.count().messages, 2u);
    EXPECT_EQ(progress.count().bytes, 12u);
    EXPECT_EQ(err.str(), "");
  }
  EXPECT_TRUE(err.str().starts_with("tarn: pushed 2 messages, 12 B in ")) << err.str();
  EXPECT_TRUE(err.str().ends_with("\n"));
}

}  // namespace
}  // namespace tarn::tools
