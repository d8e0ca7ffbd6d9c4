// value_short_key.h - text that fits into a key's cell, as the cell's two words. Most keys are such
// text. The words never pass through memory in pieces: reading in one piece what was just written
// in several costs as much as the whole search.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "shm/value/value_layout.h"

namespace tarn {

struct ShortKey {
  std::uint64_t first;   // type, size, the first six bytes
  std::uint64_t second;  // the rest

  bool operator==(const ShortKey&) const noexcept = default;
};

inline std::uint64_t load_word(const std::byte* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Word by word: two that were just computed and are stored as one would pass through memory first.
inline void store_words(std::byte* at, const ShortKey& key) noexcept {
  std::memcpy(at, &key.first, sizeof key.first);
  std::memcpy(at + sizeof key.first, &key.second, sizeof key.second);
}

// Up to eight bytes as a word, without a call and without a look beyond them.
inline std::uint64_t word_of(const std::byte* bytes, std::size_t count) noexcept {
  if (count == 8) return load_word(bytes);
  if (count >= 4) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, bytes, sizeof first);
    std::memcpy(&last, bytes + count - sizeof last, sizeof last);
    return first | std::uint64_t{last} << (8 * (count - sizeof last));
  }
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i) word |= std::to_integer<std::uint64_t>(bytes[i]) << 8 * i;
  return word;
}

// Requires: at most kCellTextBytes.
inline ShortKey short_key(layout::CellType type, const std::byte* bytes,
                          std::size_t count) noexcept {
  const std::uint64_t low = word_of(bytes, count < 8 ? count : 8);
  const std::uint64_t high = count > 8 ? word_of(bytes + 8, count - 8) : 0;
  // Text begins at the third of the cell's bytes.
  return {std::uint64_t{static_cast<std::uint8_t>(type)} | std::uint64_t{count} << 8 | low << 16,
          low >> 48 | high << 16};
}

// Where a table's index begins its search for a key without a block. Source: XXH3, 64 bits, of the
// cell's 16 bytes; Yann Collet, https://xxhash.com.
inline std::uint32_t hash_of(const ShortKey& key, std::uint32_t seed) noexcept {
  return static_cast<std::uint32_t>(XXH3_64bits_withSeed(&key, sizeof key, seed));
}

static_assert(sizeof(ShortKey) == sizeof(layout::Cell));
static_assert(std::endian::native == std::endian::little);

}  // namespace tarn
