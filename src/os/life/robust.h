// robust.h - a word in shared memory that the kernel marks when the thread that holds it ends,
// however it ends: by return, by SIGKILL, or because its process executes another program.
//
// The mark comes while the thread exits, before its process gives up its memory, so that the size
// of the process does not delay it. It tells that a death has begun, not that it is complete:
// other threads of the process may still run for some microseconds (see has_stopped_running()).
// The kernel's side: robust futexes, `set_robust_list(2)`.
#pragma once

#include <cstddef>
#include <cstdint>

#include "os/futex.h"

namespace tarn::os {

// The word's bits, as the kernel defines them.
inline constexpr std::uint32_t kOwnerDied = 0x4000'0000;
inline constexpr std::uint32_t kHasWaiters = 0x8000'0000;
inline constexpr std::uint32_t kOwnerMask = 0x3fff'ffff;

// A thread's hold on one word. Made, used and destroyed on that thread, which may have only one and
// must not use robust mutexes of the C library meanwhile: the kernel knows one list a thread.
class RobustHold {
 public:
  RobustHold() noexcept = default;
  RobustHold(const RobustHold&) = delete;
  RobustHold& operator=(const RobustHold&) = delete;
  ~RobustHold() { release(); }

  // From now on the word names this thread. Whoever waits on the word is woken. Requires: the
  // mapping of `word` is writable and stays as long as the hold. False when the kernel refuses.
  bool take(FutexWord& word) noexcept;
  // In order: the word is what is left behind, and nobody is woken.
  void release(std::uint32_t left_behind = 0) noexcept;
  // In a fork()ed child, of which the kernel has no such list: the hold stays the parent's.
  void forget() noexcept { word_ = nullptr; }

 private:
  // What the kernel walks at the thread's end: struct robust_list_head and one struct robust_list.
  struct Entry {
    Entry* next = nullptr;
  };
  struct Head {
    Entry list;
    long offset = 0;  // from an entry to its word
    Entry* pending = nullptr;
  };

  FutexWord* word_ = nullptr;
  Head head_;
  Entry entry_;
  void* before_ = nullptr;  // the list of the C library
  std::size_t before_size_ = 0;
};

}  // namespace tarn::os
