// latencies.h - how long messages took: quantiles of any number of them, in bounded memory.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace spectrometer {

// Counts in steps of 1/32 of each power of two, so a quantile is at most 3 % too high.
class Latencies {
 public:
  void add(std::int64_t latency_ns) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(latency_ns, 0));
    ++counts_[step_of(value)];
    ++count_;
    max_ns_ = std::max(max_ns_, value);
  }

  // The latency that the share `quantile` (0 to 1) of all stayed at or below; 0 without any.
  std::uint64_t quantile_ns(double quantile) const {
    const double wanted = quantile * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t step = 0; step < kSteps; ++step) {
      seen += counts_[step];
      if (seen != 0 && static_cast<double>(seen) >= wanted) return std::min(end_of(step), max_ns_);
    }
    return max_ns_;
  }
  std::uint64_t max_ns() const { return max_ns_; }

 private:
  static constexpr unsigned kBits = 5;
  static constexpr std::size_t kSteps = (64 - kBits + 1) << kBits;

  static std::size_t step_of(std::uint64_t value) {
    if (value < (1U << kBits)) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kBits;
    return (std::size_t{shift} << kBits) + (value >> shift);
  }
  // The greatest value of a step.
  static std::uint64_t end_of(std::size_t step) {
    if (step < (2U << kBits)) return step;
    const std::size_t shift = (step >> kBits) - 1;
    return ((step - (shift << kBits) + 1) << shift) - 1;
  }

  std::array<std::uint64_t, kSteps> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ns_ = 0;
};

}  // namespace spectrometer
