// short_lock.h - a lock for a few instructions: taking it is one locked instruction, and letting it
// go none.
//
// Only for sections that neither call into the kernel nor allocate. Who finds it taken looks again
// for a moment, then naps: the holder may have lost its processor, even to the one that waits.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "os/cpu.h"

namespace tarn::os {

class ShortLock {
 public:
  ShortLock() = default;
  ShortLock(const ShortLock&) = delete;
  ShortLock& operator=(const ShortLock&) = delete;

  void lock() noexcept {
    // sync(short-lock): receives what the last holder did.
    while (taken_.exchange(true, std::memory_order_acquire)) [[unlikely]] wait();
  }
  void unlock() noexcept {
    // sync(short-lock): hands over what we did.
    taken_.store(false, std::memory_order_release);
  }

 private:
  void wait() const noexcept {
    constexpr int kLooks = 100;
    constexpr std::chrono::microseconds kNap{50};
    for (int i = 0; i < kLooks; ++i) {
      // relaxed: a look; the exchange decides.
      if (!taken_.load(std::memory_order_relaxed)) return;
      pause();
    }
    std::this_thread::sleep_for(kNap);
  }

  std::atomic<bool> taken_{false};
};

}  // namespace tarn::os
