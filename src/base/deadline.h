// deadline.h - a point on the monotonic clock until which an operation may wait.
//
// At least one attempt is made even when the deadline has passed.
#pragma once

#include <time.h>

#include <chrono>
#include <cstdint>
#include <limits>

namespace tarn {

// CLOCK_MONOTONIC in nanoseconds.
inline std::int64_t monotonic_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class Deadline {
 public:
  static constexpr Deadline never() noexcept {
    return Deadline(std::numeric_limits<std::int64_t>::max());
  }
  static constexpr Deadline passed() noexcept { return Deadline(0); }
  // A span below zero counts as zero; one that would overflow counts as never.
  static Deadline in(std::chrono::nanoseconds span) noexcept {
    if (span.count() <= 0) return passed();
    const std::int64_t now = monotonic_ns();
    if (span.count() > std::numeric_limits<std::int64_t>::max() - now) return never();
    return Deadline(now + span.count());
  }

  constexpr bool is_never() const noexcept {
    return at_ns_ == std::numeric_limits<std::int64_t>::max();
  }
  bool has_passed() const noexcept { return !is_never() && monotonic_ns() >= at_ns_; }
  constexpr std::int64_t at_ns() const noexcept { return at_ns_; }
  // The earlier of the two.
  constexpr Deadline earlier(Deadline other) const noexcept {
    return at_ns_ < other.at_ns_ ? *this : other;
  }

 private:
  constexpr explicit Deadline(std::int64_t at_ns) noexcept : at_ns_(at_ns) {}
  std::int64_t at_ns_;
};

}  // namespace tarn
