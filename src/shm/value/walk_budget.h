// walk_budget.h - the bound of every walk through a whole value.
//
// In an honest value each byte belongs to one thing. Links of a dishonest one may share their
// blocks or come back to themselves, so that a walk would visit more than there is: its budget is
// what the buffer holds, and its depth is bounded.
#pragma once

#include <cstdint>

#include "shm/value/value_layout.h"

namespace tarn {

class WalkBudget {
 public:
  explicit WalkBudget(std::uint64_t buffer_bytes) noexcept : left_(buffer_bytes) {}

  // False when more is visited than the buffer holds: it is corrupt.
  [[nodiscard]] bool spend(std::uint64_t bytes) noexcept {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

 private:
  std::uint64_t left_;
};

}  // namespace tarn
