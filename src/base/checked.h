// checked.h - arithmetic on numbers that came from elsewhere: it says no instead of wrapping.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace tarn {

inline constexpr std::uint64_t kCacheLine = 64;
inline constexpr std::uint64_t kPage = 4096;

inline Result<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return Error::corrupt;
  return sum;
}

inline Result<std::uint64_t> checked_multiply(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return Error::corrupt;
  return product;
}

// Requires: `step` is a power of two and `value` is at most 2^63.
constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t step) noexcept {
  return (value + step - 1) & ~(step - 1);
}

}  // namespace tarn
