// restart_policy.h - whether a client that has ended is started again, and when.
#pragma once

#include <cstdint>
#include <deque>

#include "wire/client_description.h"

namespace tarn::daemon {

class RestartPolicy {
 public:
  explicit RestartPolicy(const wire::ClientPolicy& policy) noexcept
      : policy_(policy), backoff_ns_(policy.backoff_first_ns) {}

  enum class Verdict : std::uint8_t {
    restart,  // after `wait_ns`
    finish,   // it has done what it was there for
    fail,     // it ended without success, and is not (or not again) started
  };
  struct Decision {
    Verdict verdict = Verdict::fail;
    std::int64_t wait_ns = 0;
  };
  // It ended by itself at `now_ns`, having run for `lived_ns`. The wait doubles from time to time;
  // it begins anew after a run of ten seconds.
  Decision after_end(bool success, std::int64_t lived_ns, std::int64_t now_ns);
  // A person starts it: what was before does not count.
  void forget() noexcept;

 private:
  wire::ClientPolicy policy_;
  std::int64_t backoff_ns_;
  std::deque<std::int64_t> restarts_;  // when, those of the window; at most policy_.limit_count
};

}  // namespace tarn::daemon
