// bell.h - waking those who sleep until a pipe has items, or space, without a call into the kernel
// when nobody sleeps.
//
// Lives in  a pipe's control segment: one 32-bit word. Bit 0 says that somebody may sleep on it;
//           the rest changes with every announcement.
// Writers   sleepers announce themselves, ringers clear the bit when they found nobody.
// Crash     a killed sleeper leaves bit 0 set: the next ring finds nobody and clears it. A killed
//           sleeper that had been woken for a message is made good by recovery, which rings for
//           all.
// Bounds    no loop but the CAS of an announcement.
#pragma once

#include <climits>

#include "base/crash_point.h"
#include "base/deadline.h"
#include "os/futex.h"

namespace tarn {

inline constexpr std::uint32_t kSleepers = 1;

// Says that the caller is about to sleep. Afterwards the caller looks once more for what it waits
// for, and only then calls sleep_on() with the result.
// The word changes with every call: a ringer that found nobody asleep thus cannot clear the bit of
// somebody who is between announcing and sleeping.
// model: bells.pml, labels look, announce, sleep_on
inline std::uint32_t announce_sleep(os::FutexWord& bell) noexcept {
  // relaxed: the CAS below decides.
  std::uint32_t seen = bell.load(std::memory_order_relaxed);
  std::uint32_t announced = 0;
  do {
    announced = (seen + 2) | kSleepers;
    // seq_cst: this word and the slot's word need one order: either the ringer sees the bit, or
    // the sleeper sees the slot.
  } while (!bell.compare_exchange_weak(seen, announced, std::memory_order_seq_cst,
                                       std::memory_order_relaxed));  // relaxed: tried again
  return announced;
}

inline os::WaitOutcome sleep_on(os::FutexWord& bell, std::uint32_t announced,
                                Deadline deadline) noexcept {
  return os::futex_wait(bell, announced, deadline);
}

// Called when the bit is set: wakes one sleeper, or clears the bit when there is none.
// The word changes before the wake: whoever announced earlier is asleep by then and woken, or does
// not fall asleep any more; whoever announces later looks at the slots after our change to them,
// and makes the clearing fail.
inline void ring_sleepers(os::FutexWord& bell) noexcept {
  // seq_cst: this word and the slot's word need one order, as in announce_sleep().
  std::uint32_t seen = bell.fetch_add(2, std::memory_order_seq_cst) + 2;
  TARN_CRASH_POINT("bell.ring.changed");  // model: bells.pml, label ring_changed
  if (os::futex_wake(bell, 1) > 0) return;
  TARN_CRASH_POINT("bell.ring.found_nobody");
  // relaxed: carries no data; a sleeper re-checks the slots after it has announced.
  bell.compare_exchange_strong(seen, seen & ~kSleepers, std::memory_order_relaxed);
}

// Wakes one sleeper if there may be any.
// Requires: the slot's word was changed with seq_cst before. model: bells.pml, label publish
inline void ring(os::FutexWord& bell) noexcept {
  // seq_cst: this word and the slot's word need one order, as in announce_sleep().
  if ((bell.load(std::memory_order_seq_cst) & kSleepers) != 0) [[unlikely]]
    ring_sleepers(bell);
}

// Wakes everybody who sleeps or is about to: after a death, and when the pipe closes.
inline void ring_all(os::FutexWord& bell) noexcept {
  // seq_cst: this word and what the caller changed before need one order.
  bell.fetch_add(2, std::memory_order_seq_cst);
  TARN_CRASH_POINT("bell.ring_all.changed");  // model: bells.pml, label ring_all_changed
  os::futex_wake(bell, INT_MAX);
}

}  // namespace tarn
