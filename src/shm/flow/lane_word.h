// lane_word.h - the 64-bit word of a lane's slot, taken apart and put together.
// Bytes: lane_layout.h.
#pragma once

#include <algorithm>
#include <cstdint>

#include "shm/flow/lane_layout.h"
#include "shm/pipe/pipe_layout.h"

namespace tarn {

class LaneWord {
 public:
  constexpr explicit LaneWord(std::uint64_t bits) noexcept : bits_(bits) {}
  constexpr LaneWord(std::uint64_t sequence, layout::LaneState state) noexcept
      : bits_(((sequence + 1) << kStampShift) |
              (std::uint64_t{static_cast<std::uint8_t>(state)} << kStateShift)) {}

  constexpr std::uint64_t bits() const noexcept { return bits_; }
  constexpr layout::LaneState state() const noexcept {
    return static_cast<layout::LaneState>((bits_ >> kStateShift) & 3);
  }
  constexpr layout::PayloadKind kind() const noexcept {
    return static_cast<layout::PayloadKind>((bits_ >> kKindShift) & 3);
  }
  constexpr bool has_own_capture() const noexcept { return (bits_ & kOwnCapture) != 0; }
  // At most what a slot has room for, whatever the bits say.
  constexpr std::size_t size_bytes() const noexcept {
    const std::size_t room = layout::kLanePayloadBytes - (has_own_capture() ? 8 : 0);
    return std::min<std::size_t>(bits_ & kSizeMask, room);
  }
  // How many messages this word's is after `sequence`; negative when before.
  constexpr std::int64_t ahead_of(std::uint64_t sequence) const noexcept {
    const std::uint64_t stamp = bits_ & ~kBelowStamp;
    return static_cast<std::int64_t>(stamp - ((sequence + 1) << kStampShift)) >> kStampShift;
  }

  constexpr LaneWord with(layout::PayloadKind kind, std::size_t size, bool own_capture) const {
    return LaneWord(bits_ | (std::uint64_t{static_cast<std::uint8_t>(kind)} << kKindShift) |
                    (own_capture ? kOwnCapture : 0) | size);
  }
  bool operator==(const LaneWord&) const noexcept = default;

 private:
  static constexpr std::uint64_t kSizeMask = 0x3f;
  static constexpr std::uint64_t kOwnCapture = std::uint64_t{1} << 7;
  static constexpr unsigned kKindShift = 8;
  static constexpr unsigned kStateShift = 10;
  static constexpr unsigned kStampShift = 12;
  static constexpr std::uint64_t kBelowStamp = (std::uint64_t{1} << kStampShift) - 1;
  std::uint64_t bits_;
};
static_assert(layout::kLanePayloadBytes < 64);

}  // namespace tarn
