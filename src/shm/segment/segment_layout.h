// segment_layout.h - the first bytes of every segment, and how one segment is named from another.
//
// Lives in  shared memory, at offset 0 of every segment. Bytes: docs/formats/segment.md.
// Writers   the process that made the segment, once, before anybody else sees it.
// Readers   everybody who maps it.
// Crash     `magic` is stored last; a segment without it was never handed out.
// Bounds    fixed size; no segment ever shrinks or grows.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/checked.h"

namespace tarn::layout {

inline constexpr std::uint64_t kMagic = 0x5452'4e53'454d'4731;  // "1GMESNRT" in memory
// One number for all layouts of shared memory; it is compared at hello, so that unequal builds
// refuse each other by name.
inline constexpr std::uint32_t kLayoutVersion = 3;

enum class SegmentKind : std::uint32_t {
  none = 0,
  slab = 1,
  session = 2,
  pipe = 3,
  node = 4,
  board = 5,
  lane = 6,
};

struct SegmentHeader {
  std::atomic<std::uint64_t> magic;  // released last by format, acquired first by attach
  std::uint32_t layout_version;      // constant after format
  SegmentKind kind;                  // constant after format
  std::uint64_t size_bytes;          // constant after format
  std::uint64_t reserved;            // zero
};
static_assert(std::is_standard_layout_v<SegmentHeader>);
static_assert(std::is_trivially_destructible_v<SegmentHeader>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(sizeof(SegmentHeader) == 32 && offsetof(SegmentHeader, size_bytes) == 16);

// Limits that the node's tables set. Ids are table index + generation; index 0 is never used.
inline constexpr std::uint32_t kMaxSessions = 4096;
inline constexpr std::uint32_t kMaxSegments = 65536;
inline constexpr std::uint32_t kMaxChunks = 4096;  // in one slab, hence in one hold row

}  // namespace tarn::layout

namespace tarn {

// Names one segment of the domain for ever: the index is reused, with a higher generation.
struct SegmentId {
  std::uint32_t index = 0;  // 1 to kMaxSegments - 1; 0 is none
  std::uint32_t generation = 0;

  constexpr std::uint64_t packed() const noexcept {
    return (std::uint64_t{generation} << 32) | index;
  }
  static constexpr SegmentId unpack(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32)};
  }
  constexpr explicit operator bool() const noexcept { return index != 0; }
  bool operator==(const SegmentId&) const noexcept = default;
};

// Names one session of the domain for ever. The index alone stands in claim words: it is reused
// only when recovery has removed every trace of its last owner.
struct SessionId {
  std::uint32_t index = 0;  // 1 to kMaxSessions - 1; 0 is none
  std::uint32_t generation = 0;

  constexpr explicit operator bool() const noexcept { return index != 0; }
  bool operator==(const SessionId&) const noexcept = default;
};

}  // namespace tarn
