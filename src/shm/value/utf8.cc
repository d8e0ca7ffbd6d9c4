#include "shm/value/utf8.h"

#include <cstdint>
#include <cstring>

namespace tarn {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

// How many bytes the sequence at `at` has, or 0 when it is not well formed.
std::size_t sequence_size(const std::uint8_t* at, std::size_t left) noexcept {
  const std::uint8_t lead = at[0];
  const auto follows = [&](std::size_t index, std::uint8_t least, std::uint8_t most) {
    return index < left && at[index] >= least && at[index] <= most;
  };
  const auto continues = [&](std::size_t index) { return follows(index, 0x80, 0xBF); };
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    // The first is against overlong forms, the second against surrogates.
    const std::uint8_t least = lead == 0xE0 ? 0xA0 : 0x80;
    const std::uint8_t most = lead == 0xED ? 0x9F : 0xBF;
    return follows(1, least, most) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const std::uint8_t least = lead == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t most = lead == 0xF4 ? 0x8F : 0xBF;
    return follows(1, least, most) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool is_utf8(std::span<const std::byte> bytes) noexcept {
  const auto* at = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::size_t left = bytes.size();
  while (left > 0) {
    // Most text is ASCII, and goes by the word.
    if (left >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, sizeof word);
      if ((word & kHighBits) == 0) {
        at += 8;
        left -= 8;
        continue;
      }
    }
    const std::size_t size = sequence_size(at, left);
    if (size == 0) return false;
    at += size;
    left -= size;
  }
  return true;
}

}  // namespace tarn
