// histogram.h - how often each time was seen, to better than half a percent.
//
// Lives in memory that two processes share: one measures into it, the other reads it after the
// first has ended. All-zero bytes are an empty histogram. It never allocates.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tarn::bench {

class Histogram {
 public:
  void add(std::uint64_t value) noexcept {
    ++counts_[bucket_of(value)];
    ++count_;
    if (value > max_) max_ = value;
  }
  void merge(const Histogram& other) noexcept;

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t max() const noexcept { return max_; }
  // The value that `percent` of all values do not exceed; 0 when empty. When the values come from a
  // clock that advances by `step`, many are equal; they are taken as spread evenly over one step.
  double percentile(double percent, std::uint64_t step = 1) const noexcept;

 private:
  // Values below 512 have a bucket each; above, every power of two has 256 buckets.
  static constexpr int kStepBits = 8;
  static constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
  static constexpr int kMaxShift = 32;
  static constexpr std::size_t kBuckets = (kMaxShift + 2) * kSteps;

  static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    const int shift = static_cast<int>(std::bit_width(value)) - (kStepBits + 1);
    if (shift <= 0) return static_cast<std::size_t>(value);
    if (shift > kMaxShift) return kBuckets - 1;
    return static_cast<std::size_t>(shift) * kSteps + static_cast<std::size_t>(value >> shift);
  }
  // The middle of a bucket, and how many values it stands for.
  static double middle_of(std::size_t bucket) noexcept;
  static double width_of(std::size_t bucket) noexcept;

  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  std::array<std::uint32_t, kBuckets> counts_{};
};

}  // namespace tarn::bench
