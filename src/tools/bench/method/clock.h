// clock.h - stamps cheap enough to time one message.
//
// On x86-64 a stamp is the time-stamp counter, which ticks steadily and alike on all CPUs of every
// machine of the last fifteen years; elsewhere it is the monotonic clock. The cost of taking a
// stamp is measured and subtracted, so that it flatters neither the floor nor the candidate.
#pragma once

#include <time.h>

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace tarn::bench {

inline std::uint64_t clock_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

inline std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
  // The fence keeps the counter from being read before the loads that precede it.
  _mm_lfence();
  return __rdtsc();
#else
  return clock_ns();
#endif
}

// How ticks become nanoseconds.
struct TickScale {
  double ns_per_tick = 1.0;
  std::uint64_t stamp_ticks = 0;  // what two stamps in a row differ by, at least
  std::uint64_t step_ticks = 1;   // what the counter advances by at once: 26 on many a machine

  // Compares the counter with the monotonic clock for about 20 ms.
  static TickScale measure() noexcept;

  double ns(double tick_count) const noexcept { return tick_count * ns_per_tick; }
  std::uint64_t ticks_in(double ns) const noexcept {
    return static_cast<std::uint64_t>(ns / ns_per_tick);
  }
  // The ticks between two stamps, without the cost of the stamps themselves.
  std::uint64_t between(std::uint64_t begin, std::uint64_t end) const noexcept {
    const std::uint64_t span = end - begin;
    return span > stamp_ticks ? span - stamp_ticks : 0;
  }
};

inline void spin_ticks(std::uint64_t count) noexcept {
  const std::uint64_t begin = ticks();
  while (ticks() - begin < count) {
  }
}

}  // namespace tarn::bench
