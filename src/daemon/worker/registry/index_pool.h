// index_pool.h - the free indexes of a table; who was freed first is reused first, so that a stale
// index stays recognisable for as long as possible.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace tarn::daemon {

class IndexPool {
 public:
  // Indexes 1 to count - 1.
  explicit IndexPool(std::uint32_t count) : in_use_(count, false), stale_(count, 0) {
    for (std::uint32_t index = 1; index < count; ++index) free_.push_back(index);
  }
  std::optional<std::uint32_t> take() {
    while (!free_.empty()) {
      const std::uint32_t index = free_.front();
      free_.pop_front();
      if (stale_[index] > 0) {
        --stale_[index];
        continue;
      }
      in_use_[index] = true;
      return index;
    }
    return std::nullopt;
  }
  // Takes a certain one, when a table is rebuilt. False when it is none, or in use.
  bool claim(std::uint32_t index) {
    if (index == 0 || index >= in_use_.size() || in_use_[index]) return false;
    in_use_[index] = true;
    ++stale_[index];
    return true;
  }
  void give_back(std::uint32_t index) {
    in_use_[index] = false;
    free_.push_back(index);
  }

 private:
  std::vector<bool> in_use_;
  // How often it was taken out of turn by claim(): so many of its places in the queue, the foremost
  // ones, are none. To find such a place at once would cost a walk for each.
  std::vector<std::uint32_t> stale_;
  std::deque<std::uint32_t> free_;
};

}  // namespace tarn::daemon
