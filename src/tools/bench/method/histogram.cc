#include "tools/bench/method/histogram.h"

#include <algorithm>
#include <cmath>

namespace tarn::bench {

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket)
    counts_[bucket] += other.counts_[bucket];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

double Histogram::width_of(std::size_t bucket) noexcept {
  if (bucket < 2 * kSteps) return 1.0;
  return std::ldexp(1.0, static_cast<int>(bucket / kSteps - 1));
}

double Histogram::middle_of(std::size_t bucket) noexcept {
  if (bucket < 2 * kSteps) return static_cast<double>(bucket);
  const std::size_t shift = bucket / kSteps - 1;
  return (static_cast<double>(bucket - shift * kSteps) + 0.5) * width_of(bucket);
}

double Histogram::percentile(double percent, std::uint64_t step) const noexcept {
  if (count_ == 0) return 0.0;
  const double exact = std::ceil(percent / 100.0 * static_cast<double>(count_));
  const auto rank = std::clamp(static_cast<std::uint64_t>(exact), std::uint64_t{1}, count_);
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    const std::uint64_t here = counts_[bucket];
    if (below + here < rank) {
      below += here;
      continue;
    }
    const double place = (static_cast<double>(rank - below) - 0.5) / static_cast<double>(here);
    const double width = std::max(width_of(bucket), static_cast<double>(step));
    // An interpolated value may lie above all that was seen, or below nothing at all.
    return std::clamp(middle_of(bucket) + (place - 0.5) * width, 0.0, static_cast<double>(max_));
  }
  return static_cast<double>(max_);
}

}  // namespace tarn::bench
