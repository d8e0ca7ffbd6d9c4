// pipe_layout.h - a bounded ring of slots that any number of producers and consumers claim from.
//
// Lives in  a control segment of its own, made by the node, mapped writable by its participants
//           alone. Bytes: docs/formats/pipe.md. Why it is so: docs/design/0002-pipe-slots.md.
// Writers   producers and consumers, as said at each field; recovery, once a claimant died.
// Readers   participants, the node, owners of the slabs that slots refer to.
// Crash     a slot's word says who claimed it, by the same CAS that claims it. recover() needs one
//           CAS a slot: claimed -> free in the next lap, taken -> ready again, marked.
// Bounds    slot_count never changes; every walk over the slots ends after slot_count steps.
#pragma once

#include "shm/segment/segment_layout.h"

namespace tarn::layout {

inline constexpr std::uint64_t kSlotPayloadBytes = 48;
inline constexpr std::uint32_t kMaxSlots = 1U << 20;

// A slot's word, from the high end: lap (40 bits), unused (4), redelivered (1), phase (3),
// claimant (16: a session's index, 0 for none). The position p of a message is in lap
// p / slot_count, at slot p % slot_count. All-zero is "free in lap 0".
//
//   free  --push: CAS-->  claimed(producer)  --store-->  ready
//   ready --pop, at most once: CAS-->  free in the next lap
//   ready --pop, at least once: CAS-->  taken(consumer)  --acknowledge: CAS--> free in the next lap
//   claimed --recovery--> free in the next lap       taken --recovery--> ready, redelivered
enum class SlotPhase : std::uint8_t { free = 0, claimed = 1, ready = 2, taken = 3 };

// What the payload words are.
enum class PayloadKind : std::uint8_t { none = 0, in_slot = 1, by_reference = 2 };

struct Slot {
  std::atomic<std::uint64_t> word;
  // kind (8 bits), then the size of an in_slot payload (8 bits).
  std::atomic<std::uint64_t> descriptor;  // writer: claimant, before ready
  // in_slot: the bytes. by_reference: [0] SegmentId, [1] chunk, [2] size in bytes.
  std::atomic<std::uint64_t> payload[6];  // writer: claimant, before ready
};
static_assert(std::is_standard_layout_v<Slot> && std::is_trivially_destructible_v<Slot>);
static_assert(sizeof(Slot) == kCacheLine && offsetof(Slot, payload) == 16);

struct PipeHeader {
  SegmentHeader segment;
  std::uint32_t slot_count;           // constant after format
  std::uint32_t delivery;             // constant after format: tarn::Delivery
  std::uint32_t pipe_id;              // constant after format
  std::atomic<std::uint32_t> closed;  // writers: anybody, once, from 0 to 1
  std::uint64_t reserved[2];          // zero
  // Hints, at most the true end: anybody may push them on.
  alignas(kCacheLine) std::atomic<std::uint64_t> tail;  // writers: producers
  alignas(kCacheLine) std::atomic<std::uint64_t> head;  // writers: consumers
  // Bit 0: somebody may sleep on it. The rest counts rings.
  alignas(kCacheLine) std::atomic<std::uint32_t> items_bell;  // sleepers: consumers
  alignas(kCacheLine) std::atomic<std::uint32_t> space_bell;  // sleepers: producers
  alignas(kCacheLine) std::atomic<std::uint64_t> high_water;  // writers: producers
  std::atomic<std::uint64_t> skipped;                         // writers: recovery, a late producer
  std::atomic<std::uint64_t> redelivered;  // writers: consumers that give back, recovery
  std::uint64_t reserved_counters[5];
};
static_assert(std::is_standard_layout_v<PipeHeader>);
static_assert(offsetof(PipeHeader, tail) == 1 * kCacheLine);
static_assert(offsetof(PipeHeader, head) == 2 * kCacheLine);
static_assert(offsetof(PipeHeader, items_bell) == 3 * kCacheLine);
static_assert(offsetof(PipeHeader, space_bell) == 4 * kCacheLine);
static_assert(offsetof(PipeHeader, high_water) == 5 * kCacheLine);
static_assert(sizeof(PipeHeader) == 6 * kCacheLine);

inline constexpr std::uint64_t kSlotsOffset = sizeof(PipeHeader);
constexpr std::uint64_t pipe_bytes(std::uint32_t slot_count) noexcept {
  return round_up(kSlotsOffset + std::uint64_t{slot_count} * sizeof(Slot), kPage);
}

}  // namespace tarn::layout
