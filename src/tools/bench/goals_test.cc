#include "tools/bench/goals.h"

#include <gtest/gtest.h>

#include <string_view>

namespace tarn::bench {
namespace {

GoalResult find(const std::vector<GoalResult>& results, std::string_view what) {
  for (const GoalResult& result : results) {
    if (result.what.find(what) != std::string::npos) return result;
  }
  ADD_FAILURE() << "no goal about " << what;
  return {};
}

TEST(GoalsTest, NothingMeasuredJudgesNothing) {
  for (const GoalResult& result : judge({})) {
    EXPECT_EQ(result.outcome, Outcome::not_measured) << result.what;
    EXPECT_EQ(result.measured, "");
  }
}

TEST(GoalsTest, TheWorstPayloadCountsAndItsRangeIsShown) {
  const std::vector<Line> lines{{"tarn", "polling", 8, 1, "ratio", 1.1, "F1"},
                                {"tarn", "polling", 48, 1, "ratio", 1.301, "F1"},
                                {"tarn", "polling", 48, 1, "ratio_low", 1.2, "F1"},
                                {"tarn", "polling", 48, 1, "ratio_high", 1.5, "F1"}};
  const GoalResult result = find(judge(lines), "in the slot");
  EXPECT_EQ(result.outcome, Outcome::missed);
  EXPECT_EQ(result.goal, "<= 1.25 F1");
  EXPECT_EQ(result.measured, "1.3 (1.2 to 1.5) at 48 B");
}

TEST(GoalsTest, TheLimitItselfMeetsTheGoal) {
  EXPECT_EQ(find(judge({{"tarn", "blocking", 48, 1, "ratio", 1.15, "W"}}), "blocking").outcome,
            Outcome::met);
}

TEST(GoalsTest, RatesMustReachTheirGoal) {
  const auto results = judge({{"tarn", "one-to-one", 48, 1, "rate", 16.04e6, "messages/s"},
                              {"tarn", "two-to-two", 48, 2, "rate", 7.9e6, "messages/s"}});
  EXPECT_EQ(find(results, "one producer").outcome, Outcome::met);
  EXPECT_EQ(find(results, "one producer").measured, "16.04 at 48 B");
  EXPECT_EQ(find(results, "two producers").outcome, Outcome::missed);
}

TEST(GoalsTest, OtherSystemsMakeNoPromise) {
  EXPECT_EQ(find(judge({{"posix_mq", "blocking", 48, 1, "ratio", 9, "W"}}), "blocking").outcome,
            Outcome::not_measured);
}

}  // namespace
}  // namespace tarn::bench
