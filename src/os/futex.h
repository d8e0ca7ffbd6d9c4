// futex.h - sleeping on a word in shared memory until another process changes it.
//
// All futexes are process-shared. Waiting works on a read-only mapping too.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "base/deadline.h"

namespace tarn::os {

using FutexWord = std::atomic<std::uint32_t>;

enum class WaitOutcome : std::uint8_t {
  woken,      // by wake(), or for no reason: check and wait again
  changed,    // the word was not `expected`
  timed_out,  // the deadline passed
};

WaitOutcome futex_wait(const FutexWord& word, std::uint32_t expected, Deadline deadline) noexcept;
// Wakes at most `count` sleepers and returns how many there were.
int futex_wake(const FutexWord& word, int count) noexcept;

struct FutexWatch {
  const FutexWord* word;
  std::uint32_t expected;
};
inline constexpr std::size_t kMaxWatches = 128;
// Waits until any of at most kMaxWatches words is woken or changed. Needs Linux 5.16; where the
// kernel has no futex_waitv it waits for the first word only, for at most 1 ms.
WaitOutcome futex_wait_any(std::span<const FutexWatch> watches, Deadline deadline) noexcept;

}  // namespace tarn::os
