#include "tools/top/snapshot.h"

#include <algorithm>

namespace tarn::tools {
namespace {

// What a counter grew by in a second; nothing when it went back.
class Interval {
 public:
  Interval(const Snapshot& earlier, const Snapshot& later)
      : seconds_(std::chrono::duration<double>(later.at - earlier.at).count()) {}

  double rate(std::uint64_t before, std::uint64_t after) const {
    if (seconds_ <= 0 || after < before) return 0;
    return static_cast<double>(after - before) / seconds_;
  }

 private:
  double seconds_;
};

PipeRate rate_of(const PipeStatus& before, const PipeStatus& after, const Interval& interval) {
  PipeRate rate{.pipe = after};
  rate.pushed_per_s = interval.rate(before.pushed, after.pushed);
  rate.popped_per_s = interval.rate(before.popped, after.popped);
  rate.pushed_bytes_per_s = interval.rate(before.pushed_bytes, after.pushed_bytes);
  rate.popped_bytes_per_s = interval.rate(before.popped_bytes, after.popped_bytes);
  rate.waits_per_s =
      interval.rate(before.push_waits + before.pop_waits, after.push_waits + after.pop_waits);
  return rate;
}

}  // namespace

Snapshot take_snapshot(Session& session) {
  Snapshot snapshot;
  snapshot.node = session.status();
  snapshot.pipes = session.pipes();
  snapshot.sessions = session.sessions();
  snapshot.at = std::chrono::steady_clock::now();
  return snapshot;
}

std::vector<PipeRate> pipe_rates(const Snapshot& earlier, const Snapshot& later) {
  const Interval interval(earlier, later);
  std::vector<PipeRate> rates;
  for (const PipeStatus& after : later.pipes) {
    const auto before =
        std::find_if(earlier.pipes.begin(), earlier.pipes.end(), [&](const PipeStatus& each) {
          return each.id == after.id && each.name == after.name && each.pushed <= after.pushed;
        });
    const PipeStatus none;
    rates.push_back(rate_of(before == earlier.pipes.end() ? none : *before, after, interval));
  }
  std::sort(rates.begin(), rates.end(), [](const PipeRate& left, const PipeRate& right) {
    return left.pipe.name < right.pipe.name;
  });
  return rates;
}

std::vector<SessionRate> session_rates(const Snapshot& earlier, const Snapshot& later) {
  const Interval interval(earlier, later);
  std::vector<SessionRate> rates;
  for (const SessionStatus& after : later.sessions) {
    SessionRate rate{.session = after};
    for (const SessionStatus& before : earlier.sessions) {
      if (before.id != after.id || before.generation != after.generation) continue;
      rate.pushed_per_s = interval.rate(before.pushed, after.pushed);
      rate.popped_per_s = interval.rate(before.popped, after.popped);
    }
    rates.push_back(rate);
  }
  std::sort(rates.begin(), rates.end(), [](const SessionRate& left, const SessionRate& right) {
    return left.session.id < right.session.id;
  });
  return rates;
}

}  // namespace tarn::tools
