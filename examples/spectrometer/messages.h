// messages.h - what the three programs of the spectrometer hand to each other.
//
//   source --- sound ---> transformer --- spectra ---> sink
//
// Both messages are plain structs of fixed size: written once, in shared memory, and read there by
// the next program. Nothing is converted or packed, since all programs run on one host.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace spectrometer {

inline constexpr char kSoundPipe[] = "sound";
inline constexpr char kSpectraPipe[] = "spectra";

inline constexpr std::size_t kBlockFrames = 512;                // sound arrives in blocks
inline constexpr std::size_t kWindowFrames = 2 * kBlockFrames;  // two of them make one spectrum
inline constexpr std::size_t kBinCount = kWindowFrames / 2;     // from 0 Hz to half the sample rate

// Both messages begin with it; the transformer passes it on as it is.
struct Stamp {
  std::uint64_t sequence;    // 0, 1, 2, ... without gaps
  std::int64_t captured_ns;  // now_ns() when the block had been read
  std::uint32_t sample_rate_hz;
  std::uint32_t frame_count;  // frames of sound in the block; behind them is silence
};

struct Sound {
  Stamp stamp;
  float samples[kBlockFrames];  // one channel, -1 to 1
};

struct Spectrum {
  Stamp stamp;
  float level_db[kBinCount];  // 0 dB is a sine of full scale; bin i is i * rate / kWindowFrames
};

static_assert(std::is_trivially_copyable_v<Sound> && std::is_trivially_copyable_v<Spectrum>);

inline std::int64_t block_length_ns(std::uint32_t sample_rate_hz) {
  return std::int64_t{kBlockFrames} * 1'000'000'000 / sample_rate_hz;
}

// The monotonic clock, which is the same in all processes of a host.
inline std::int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace spectrometer
