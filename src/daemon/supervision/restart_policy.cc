#include "daemon/supervision/restart_policy.h"

#include <algorithm>

namespace tarn::daemon {
namespace {

constexpr std::int64_t kRanWellNs = 10'000'000'000;

}  // namespace

RestartPolicy::Decision RestartPolicy::after_end(bool success, std::int64_t lived_ns,
                                                 std::int64_t now_ns) {
  const bool again = policy_.restart == wire::RestartWhen::always ||
                     (policy_.restart == wire::RestartWhen::on_failure && !success);
  if (!again) return {success ? Verdict::finish : Verdict::fail, 0};
  if (lived_ns >= kRanWellNs) backoff_ns_ = policy_.backoff_first_ns;
  while (!restarts_.empty() && now_ns - restarts_.front() >= policy_.limit_window_ns) {
    restarts_.pop_front();
  }
  if (policy_.limit_count != 0) {
    if (restarts_.size() >= policy_.limit_count) return {Verdict::fail, 0};
    restarts_.push_back(now_ns);
  }
  const std::int64_t wait_ns = backoff_ns_;
  // The longest back-off is a year: doubling cannot overflow.
  backoff_ns_ = std::min(2 * backoff_ns_, policy_.backoff_most_ns);
  return {Verdict::restart, wait_ns};
}

void RestartPolicy::forget() noexcept {
  backoff_ns_ = policy_.backoff_first_ns;
  restarts_.clear();
}

}  // namespace tarn::daemon
