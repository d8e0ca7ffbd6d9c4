#include "os/fast/wall_clock.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace tarn::os {
namespace {

constexpr std::int64_t kLookEveryNs = 1'000'000;
// A longer time between two looks says little about the counter's rate now.
constexpr std::int64_t kLongestSpanNs = 1'000'000'000;
// A stamp that is further behind the last one than interpolation can be: the clock was set.
constexpr std::int64_t kStepNs = 100'000;

constexpr std::uint64_t kLongestLookCounts = 5000;  // a microsecond or two

std::uint64_t read_counter() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return 0;
#endif
}

// Whether the kernel keeps time by the same counter: then it is the same on all processors, and
// its rate does not change.
bool kernel_uses_counter() noexcept {
#if defined(__x86_64__)
  std::FILE* file =
      std::fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
  if (file == nullptr) return false;
  char name[32] = {};
  const bool good = std::fgets(name, sizeof name, file) != nullptr;
  std::fclose(file);
  return good && std::strncmp(name, "tsc", 3) == 0;
#else
  return false;
#endif
}

}  // namespace

std::int64_t realtime_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

WallClock::WallClock() noexcept {
  static const bool uses_counter = kernel_uses_counter();
  has_counter_ = uses_counter;
}

std::int64_t WallClock::now_ns() noexcept {
  if (!has_counter_) return look();
  const std::uint64_t elapsed = read_counter() - anchor_count_;
  // Also when the counter seems to have gone back.
  if (ns_per_count_ == 0 || elapsed > counts_to_look_) [[unlikely]]
    return look();
  const std::int64_t now = anchor_ns_ + static_cast<std::int64_t>((elapsed * ns_per_count_) >> 32);
  last_ns_ = std::max(now, last_ns_);
  return last_ns_;
}

std::int64_t WallClock::look() noexcept {
  std::uint64_t count = 0;
  std::int64_t now = 0;
  // Somebody who is interrupted between the two would stamp wrongly for a millisecond.
  for (int attempt = 0; attempt < 3; ++attempt) {
    count = read_counter();
    now = realtime_ns();
    if (read_counter() - count < kLongestLookCounts) break;
  }
  if (has_counter_) {
    const std::int64_t span = now - anchor_ns_;
    const std::uint64_t counts = count - anchor_count_;
    ns_per_count_ = 0;
    if (span >= kLookEveryNs / 2 && span < kLongestSpanNs && counts > 0 && counts < (1ULL << 40)) {
      ns_per_count_ = (static_cast<std::uint64_t>(span) << 32) / counts;
      // A counter below 1 MHz or above 16 GHz is none: the clock was set meanwhile.
      if (ns_per_count_ < (1ULL << 28) || ns_per_count_ > (1000ULL << 32)) ns_per_count_ = 0;
    }
    if (ns_per_count_ != 0) {
      counts_to_look_ = (static_cast<std::uint64_t>(kLookEveryNs) << 32) / ns_per_count_;
    }
    // Until the rate is known the anchor stays, so that a span comes together.
    if (ns_per_count_ != 0 || span >= kLookEveryNs / 2 || span < 0) {
      anchor_ns_ = now;
      anchor_count_ = count;
    }
  }
  if (now < last_ns_ - kStepNs) {
    ++steps_back_;
    last_ns_ = now;
  }
  last_ns_ = std::max(now, last_ns_);
  return last_ns_;
}

}  // namespace tarn::os
