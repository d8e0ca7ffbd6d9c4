#include "os/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "base/assert.h"

namespace tarn::os {
namespace {

// Kernel interface of futex_waitv(2), spelled out because Debian 12's headers may be older.
struct WaitvEntry {
  std::uint64_t expected;
  std::uint64_t address;
  std::uint32_t flags;
  std::uint32_t reserved;
};
constexpr std::uint32_t kSize32 = 2;  // FUTEX_32, shared between processes
constexpr long kFutexWaitv = 449;

timespec to_timespec(Deadline deadline) noexcept {
  timespec at{};
  at.tv_sec = static_cast<time_t>(deadline.at_ns() / 1'000'000'000);
  at.tv_nsec = static_cast<long>(deadline.at_ns() % 1'000'000'000);
  return at;
}

WaitOutcome outcome_of(long result, int number) noexcept {
  if (result >= 0 || number == EINTR) return WaitOutcome::woken;
  if (number == ETIMEDOUT) return WaitOutcome::timed_out;
  return WaitOutcome::changed;
}

}  // namespace

WaitOutcome futex_wait(const FutexWord& word, std::uint32_t expected, Deadline deadline) noexcept {
  const timespec at = to_timespec(deadline);
  // FUTEX_WAIT_BITSET takes an absolute time on the monotonic clock.
  const long result =
      ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, expected, deadline.is_never() ? nullptr : &at,
                nullptr, FUTEX_BITSET_MATCH_ANY);
  return outcome_of(result, errno);
}

int futex_wake(const FutexWord& word, int count) noexcept {
  const long woken = ::syscall(SYS_futex, &word, FUTEX_WAKE, count, nullptr, nullptr, 0);
  return woken < 0 ? 0 : static_cast<int>(woken);
}

WaitOutcome futex_wait_any(std::span<const FutexWatch> watches, Deadline deadline) noexcept {
  TARN_ASSERT(!watches.empty() && watches.size() <= kMaxWatches, watches.size());
  std::array<WaitvEntry, kMaxWatches> entries{};
  for (std::size_t i = 0; i < watches.size(); ++i) {
    entries[i] = {watches[i].expected, reinterpret_cast<std::uint64_t>(watches[i].word), kSize32,
                  0};
  }
  const timespec at = to_timespec(deadline);
  const long result =
      ::syscall(kFutexWaitv, entries.data(), watches.size(), 0, deadline.is_never() ? nullptr : &at,
                static_cast<long>(CLOCK_MONOTONIC));
  if (result < 0 && errno == ENOSYS) {
    const Deadline soon = Deadline::in(std::chrono::milliseconds(1)).earlier(deadline);
    const WaitOutcome outcome = futex_wait(*watches[0].word, watches[0].expected, soon);
    return deadline.has_passed() ? outcome : WaitOutcome::woken;
  }
  return outcome_of(result, errno);
}

}  // namespace tarn::os
