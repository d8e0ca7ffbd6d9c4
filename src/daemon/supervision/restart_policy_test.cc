#include "daemon/supervision/restart_policy.h"

#include <gtest/gtest.h>

namespace tarn::daemon {
namespace {

using Verdict = RestartPolicy::Verdict;
using wire::ClientPolicy;
using wire::RestartWhen;

constexpr std::int64_t kSecond = 1'000'000'000;

ClientPolicy policy_of(RestartWhen restart, std::uint32_t limit_count) {
  ClientPolicy policy;
  policy.restart = restart;
  policy.limit_count = limit_count;
  policy.limit_window_ns = 60 * kSecond;
  policy.backoff_first_ns = kSecond;
  policy.backoff_most_ns = 5 * kSecond;
  return policy;
}

TEST(RestartPolicyTest, SuccessAndFailureAreToldApart) {
  RestartPolicy on_failure(policy_of(RestartWhen::on_failure, 0));
  EXPECT_EQ(on_failure.after_end(true, 0, 0).verdict, Verdict::finish);
  EXPECT_EQ(on_failure.after_end(false, 0, 0).verdict, Verdict::restart);
  RestartPolicy always(policy_of(RestartWhen::always, 0));
  EXPECT_EQ(always.after_end(true, 0, 0).verdict, Verdict::restart);
  RestartPolicy never(policy_of(RestartWhen::never, 0));
  EXPECT_EQ(never.after_end(true, 0, 0).verdict, Verdict::finish);
  EXPECT_EQ(never.after_end(false, 0, 0).verdict, Verdict::fail);
}

TEST(RestartPolicyTest, BackOffDoublesUpToItsMost) {
  RestartPolicy policy(policy_of(RestartWhen::always, 0));
  for (const std::int64_t seconds : {1, 2, 4, 5, 5}) {
    EXPECT_EQ(policy.after_end(false, 0, 0).wait_ns, seconds * kSecond);
  }
}

TEST(RestartPolicyTest, BackOffBeginsAnewAfterAGoodRun) {
  RestartPolicy policy(policy_of(RestartWhen::always, 0));
  policy.after_end(false, 0, 0);
  policy.after_end(false, 0, 0);
  EXPECT_EQ(policy.after_end(false, 9 * kSecond, 0).wait_ns, 4 * kSecond);
  EXPECT_EQ(policy.after_end(false, 10 * kSecond, 0).wait_ns, kSecond);
}

TEST(RestartPolicyTest, LimitCountsRestartsOfTheWindow) {
  RestartPolicy policy(policy_of(RestartWhen::always, 2));
  EXPECT_EQ(policy.after_end(false, 0, 0).verdict, Verdict::restart);
  EXPECT_EQ(policy.after_end(false, 0, 30 * kSecond).verdict, Verdict::restart);
  EXPECT_EQ(policy.after_end(false, 0, 59 * kSecond).verdict, Verdict::fail);
  // The first one has left the window.
  EXPECT_EQ(policy.after_end(false, 0, 60 * kSecond).verdict, Verdict::restart);
  EXPECT_EQ(policy.after_end(false, 0, 61 * kSecond).verdict, Verdict::fail);
}

TEST(RestartPolicyTest, AfterForgettingAllBeginsAnew) {
  RestartPolicy policy(policy_of(RestartWhen::always, 1));
  EXPECT_EQ(policy.after_end(false, 0, 0).verdict, Verdict::restart);
  EXPECT_EQ(policy.after_end(false, 0, 0).verdict, Verdict::fail);
  policy.forget();
  const auto decision = policy.after_end(false, 0, 0);
  EXPECT_EQ(decision.verdict, Verdict::restart);
  EXPECT_EQ(decision.wait_ns, kSecond);
}

}  // namespace
}  // namespace tarn::daemon
