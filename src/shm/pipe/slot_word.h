// slot_word.h - the 64-bit word of a slot, taken apart and put together. Bytes: pipe_layout.h.
#pragma once

#include <cstdint>

#include "shm/pipe/pipe_layout.h"

namespace tarn {

class SlotWord {
 public:
  constexpr explicit SlotWord(std::uint64_t bits) noexcept : bits_(bits) {}
  constexpr SlotWord(std::uint64_t lap, layout::SlotPhase phase, std::uint16_t claimant,
                     bool redelivered = false) noexcept
      : bits_((lap << kLapShift) | (redelivered ? kRedelivered : 0) |
              (std::uint64_t{static_cast<std::uint8_t>(phase)} << kPhaseShift) | claimant) {}

  constexpr std::uint64_t bits() const noexcept { return bits_; }
  // Phases above `taken` are nonsense; every switch over the phase treats them as corrupt.
  constexpr layout::SlotPhase phase() const noexcept {
    return static_cast<layout::SlotPhase>((bits_ >> kPhaseShift) & 7);
  }
  constexpr std::uint16_t claimant() const noexcept { return static_cast<std::uint16_t>(bits_); }
  constexpr bool redelivered() const noexcept { return (bits_ & kRedelivered) != 0; }

  // How many laps this word is ahead of `lap`; negative when behind. Right across the wrap of the
  // 40-bit lap, as long as nobody sleeps for half of its range.
  constexpr std::int64_t laps_ahead_of(std::uint64_t lap) const noexcept {
    const std::uint64_t own = bits_ & ~kBelowLap;
    return static_cast<std::int64_t>(own - (lap << kLapShift)) >> kLapShift;
  }
  // The same slot, free for the lap after this word's.
  constexpr SlotWord next_lap() const noexcept {
    return SlotWord((bits_ & ~kBelowLap) + (std::uint64_t{1} << kLapShift));
  }
  // The same lap, in another phase.
  constexpr SlotWord with(layout::SlotPhase phase, std::uint16_t claimant,
                          bool redelivered) const noexcept {
    return SlotWord(bits_ >> kLapShift, phase, claimant, redelivered);
  }

 private:
  static constexpr unsigned kPhaseShift = 16;
  static constexpr std::uint64_t kRedelivered = std::uint64_t{1} << 19;
  static constexpr unsigned kLapShift = 24;
  static constexpr std::uint64_t kBelowLap = (std::uint64_t{1} << kLapShift) - 1;
  std::uint64_t bits_;
};

}  // namespace tarn
