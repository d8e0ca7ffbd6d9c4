// size_class.h - which chunk a message of a given size gets.
//
// Up to 256 bytes in steps of 64; above, four sizes a doubling (at most a quarter unused); above
// 16 MiB sixteen (at most a sixteenth). Every chunk is a multiple of 64 bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "shm/segment/segment_layout.h"

namespace tarn {

inline constexpr std::uint32_t kSizeClasses = 4 + 16 * 4 + 24 * 16;
inline constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{1} << 47;

struct SizeClass {
  std::uint32_t index = 0;
  std::uint64_t chunk_bytes = 0;
};

// Requires: size_bytes is at most kMaxChunkBytes.
constexpr SizeClass size_class_of(std::uint64_t size_bytes) noexcept {
  if (size_bytes <= 256) {
    const std::uint64_t steps = size_bytes == 0 ? 1 : (size_bytes + 63) / 64;
    return {static_cast<std::uint32_t>(steps - 1), steps * 64};
  }
  const auto log = static_cast<std::uint32_t>(std::bit_width(size_bytes - 1)) - 1;  // 8 and above
  const std::uint32_t steps_log = log < 24 ? 2 : 4;
  const std::uint64_t step = std::uint64_t{1} << (log - steps_log);
  const std::uint64_t base = std::uint64_t{1} << log;
  const std::uint64_t steps = (size_bytes - base + step - 1) / step;  // 1 to 2^steps_log
  const std::uint32_t before = log < 24 ? 4 + (log - 8) * 4 : 4 + 16 * 4 + (log - 24) * 16;
  return {before + static_cast<std::uint32_t>(steps) - 1, base + steps * step};
}

// How many chunks the next slab of a class gets, when the class has `chunks` already: doubling, so
// that a busy class needs few slabs and an idle one little memory.
constexpr std::uint32_t next_slab_chunks(std::uint64_t chunk_bytes, std::uint64_t chunks) noexcept {
  constexpr std::uint64_t kFirstBytes = 64 << 10;
  constexpr std::uint64_t kMostBytes = 64 << 20;
  const std::uint64_t first = std::max<std::uint64_t>(kFirstBytes / chunk_bytes, 1);
  const std::uint64_t most = std::max<std::uint64_t>(kMostBytes / chunk_bytes, 1);
  const std::uint64_t wanted = std::max({first, chunks, chunk_bytes <= (1 << 20) ? 4UL : 1UL});
  return static_cast<std::uint32_t>(std::min({wanted, most, std::uint64_t{layout::kMaxChunks}}));
}

}  // namespace tarn
