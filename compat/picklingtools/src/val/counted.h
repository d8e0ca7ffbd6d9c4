// counted.h - counts of references; the last one who lets go ends what is counted.
#pragma once

#include <atomic>

namespace OC {
namespace detail {

inline void add_one(std::atomic<int>& count) noexcept {
  // relaxed: who copies a reference has one, so that the count cannot reach zero meanwhile.
  count.fetch_add(1, std::memory_order_relaxed);
}

// Whether this was the last.
[[nodiscard]] inline bool drop_one(std::atomic<int>& count) noexcept {
  // sync(count-dropped): receives what others did with what is counted. Who holds the only
  // reference needs not count: nobody else could take another one.
  if (count.load(std::memory_order_acquire) == 1) return true;
  // sync(count-dropped): hands over what was done with what is counted.
  if (count.fetch_sub(1, std::memory_order_release) != 1) return false;
  // sync(count-dropped): the last one receives it from all others.
  return count.load(std::memory_order_acquire) == 0;
}

}  // namespace detail
}  // namespace OC
