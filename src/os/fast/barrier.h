// barrier.h - a pair of barriers of which one side costs nothing: for a word that is written fifty
// million times a second, and another that somebody reads who is about to sleep anyway.
//
// One side changes A, passes a light barrier, and reads B. The other one changes B, passes a heavy
// barrier, and reads A. Then at least one of them sees the other's change, as with a full fence on
// both sides. The heavy one is membarrier(2): the kernel makes every processor that runs a thread
// of an enrolled process pass a full fence. Hence only the light side has to enrol.
#pragma once

#include <atomic>

namespace tarn::os {

// Enrols this process, once, for all its threads; idempotent. False when the kernel cannot (before
// Linux 4.16, or a filter of system calls): then the light side has to use a full fence instead.
// fork()ed children are enrolled as their parent was.
bool enrol_for_light_barriers() noexcept;

// Keeps the compiler from moving anything across. Requires: enrolled.
inline void light_barrier() noexcept {
  // seq_cst: the word changed before and the word read after need one order, in this thread.
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

// False when the kernel cannot: then a word of the light side may be seen late, and who is about
// to sleep must look again after a while.
bool heavy_barrier() noexcept;

}  // namespace tarn::os
