#include "os/life/robust.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

namespace tarn::os {

static_assert(kOwnerDied == FUTEX_OWNER_DIED && kHasWaiters == FUTEX_WAITERS);
static_assert(kOwnerMask == FUTEX_TID_MASK);

// Crash: [1] lets the kernel find the word, which does not name us yet: it leaves it alone. [2]
//        commits: from then on our end is marked.
bool RobustHold::take(FutexWord& word) noexcept {
  ::syscall(SYS_get_robust_list, 0, &before_, &before_size_);
  head_.list.next = &entry_;
  entry_.next = &head_.list;
  head_.offset = static_cast<long>(reinterpret_cast<std::intptr_t>(&word) -
                                   reinterpret_cast<std::intptr_t>(&entry_));
  if (::syscall(SYS_set_robust_list, &head_, sizeof head_) != 0) return false;  // [1]
  word_ = &word;
  const auto self = static_cast<std::uint32_t>(::syscall(SYS_gettid));
  // The kernel wakes only when the word says that somebody waits.
  // sync(life): whoever sees the mark later sees all that this process did before.
  word.store(self | kHasWaiters, std::memory_order_release);  // [2]
  futex_wake(word, INT_MAX);
  return true;
}

void RobustHold::release(std::uint32_t left_behind) noexcept {
  if (word_ == nullptr) return;
  // sync(life): as in take().
  word_->store(left_behind, std::memory_order_release);
  ::syscall(SYS_set_robust_list, before_, before_size_);
  word_ = nullptr;
}

}  // namespace tarn::os
