#include "daemon/recovery/job_queue.h"

#include <algorithm>
#include <utility>

namespace tarn::daemon {
namespace {

constexpr std::ptrdiff_t kMostGivenForOthers = 2;  // at a time

bool is_for_others(const Job& job) noexcept { return job.for_others; }

}  // namespace

void JobQueue::put(Job job) {
  auto place = jobs_.end();
  if (!job.for_others) {
    const auto waiting = jobs_.begin() + static_cast<std::ptrdiff_t>(given_);
    place = std::find_if(waiting, jobs_.end(), is_for_others);
  }
  jobs_.insert(place, std::move(job));
}

// Answers come in the order in which jobs were given: one that overtakes others is moved first.
Job* JobQueue::next() {
  const auto waiting = jobs_.begin() + static_cast<std::ptrdiff_t>(given_);
  const bool others_may =
      std::count_if(jobs_.begin(), waiting, is_for_others) < kMostGivenForOthers;
  const auto found = std::find_if(waiting, jobs_.end(),
                                  [&](const Job& each) { return others_may || !each.for_others; });
  if (found == jobs_.end()) return nullptr;
  std::rotate(waiting, found, found + 1);
  return &jobs_[given_];
}

Job JobQueue::skip_next() {
  const auto place = jobs_.begin() + static_cast<std::ptrdiff_t>(given_);
  Job job = *place;
  jobs_.erase(place);
  return job;
}

Job JobQueue::take_current() {
  Job job = jobs_.front();
  jobs_.pop_front();
  if (given_ > 0) --given_;
  return job;
}

std::optional<Job> JobQueue::take_first(bool for_others) {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(),
                                  [&](const Job& each) { return each.for_others == for_others; });
  if (found == jobs_.end()) return std::nullopt;
  Job job = *found;
  jobs_.erase(found);
  return job;
}

}  // namespace tarn::daemon
