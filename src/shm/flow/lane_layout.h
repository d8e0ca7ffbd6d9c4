// lane_layout.h - what one provider has published lately in one flow: a ring of messages that any
// number of consumers read, each at its own pace.
//
// Lives in  a segment of its own (a lane), made by the provider's process.
//           Bytes: docs/formats/lane.md. Why it is so: docs/design/0019-flows.md.
// Writers   the provider's process alone, one thread at a time.
// Readers   the flow's consumers, the node, and whoever provides the flow next.
// Crash     every slot says which message stands in it. One that was being written when its
//           provider died holds none, and the message that stood there before is gone: a counted
//           gap.
// Bounds    slot_count never changes. Sequences below 2^51 apart are told apart.
#pragma once

#include "shm/segment/segment_layout.h"

namespace tarn::layout {

inline constexpr std::uint64_t kLanePayloadBytes = 48;
inline constexpr std::uint32_t kMaxLaneSlots = 1U << 20;

enum class LaneState : std::uint8_t {
  published = 0,
  writing = 1,  // from the first change of the slot until the message is complete
  retired = 2,  // its memory was needed elsewhere
};

// A slot's word, from the high end: stamp (52 bits: the message's sequence plus 1, of which the
// high bits are lost), state (2), kind (2: what the payload is), own_capture (1: the first payload
// word is the capture time, else it equals the publication's), unused (1), size (6: of a payload
// in the slot, without the capture time). All zero: no message has been here.
struct LaneSlot {
  std::atomic<std::uint64_t> word;
  std::atomic<std::int64_t> published_ns;  // CLOCK_REALTIME
  // In the slot: the bytes. By reference: SegmentId, chunk, size in bytes.
  std::atomic<std::uint64_t> payload[6];
};
static_assert(std::is_standard_layout_v<LaneSlot> && std::is_trivially_destructible_v<LaneSlot>);
static_assert(sizeof(LaneSlot) == kCacheLine && offsetof(LaneSlot, payload) == 16);

struct LaneHeader {
  SegmentHeader segment;
  std::uint32_t slot_count;      // constant after format: a power of two
  std::uint32_t flow_id;         // constant after format
  std::uint32_t generation;      // constant after format: the flow's n-th lane
  std::uint32_t reserved;        // zero
  std::uint64_t first_sequence;  // constant after format: of the lane's first message
  std::uint64_t reserved_word;   // zero
  // The sequence of the message that will be published next. The slots are the truth: after a
  // provider's death it may be one behind.
  alignas(kCacheLine) std::atomic<std::uint64_t> next;
  std::atomic<std::uint64_t> oldest;  // no message below it stands in a slot any more
  std::atomic<std::uint32_t> ended;   // from 0 to 1, once: nothing comes after `next`
  std::uint32_t reserved_end;
  std::uint64_t reserved_line[5];
};
static_assert(std::is_standard_layout_v<LaneHeader>);
static_assert(offsetof(LaneHeader, first_sequence) == 48);
static_assert(offsetof(LaneHeader, next) == kCacheLine);
static_assert(sizeof(LaneHeader) == 2 * kCacheLine);

inline constexpr std::uint64_t kLaneSlotsOffset = sizeof(LaneHeader);
constexpr std::uint64_t lane_bytes(std::uint32_t slot_count) noexcept {
  return round_up(kLaneSlotsOffset + std::uint64_t{slot_count} * sizeof(LaneSlot), kPage);
}

}  // namespace tarn::layout
