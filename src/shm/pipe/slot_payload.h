// slot_payload.h - what stands in a slot beside its word: a small message's bytes, or where a
// larger one lies. Bytes: pipe_layout.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "shm/pipe/pipe_layout.h"

namespace tarn {

// A chunk as a slot names it.
struct ChunkReference {
  SegmentId segment;
  std::uint32_t chunk = 0;
  std::uint64_t size_bytes = 0;
};

// What goes into a slot, built before the slot is claimed so that the claim is short.
struct SlotPayload {
  std::uint64_t descriptor = 0;
  std::array<std::uint64_t, 6> words{};

  // Requires: at most kSlotPayloadBytes.
  static SlotPayload copy_of(std::span<const std::byte> bytes) noexcept;
  static SlotPayload reference_to(const ChunkReference& reference) noexcept;

  layout::PayloadKind kind() const noexcept {
    return static_cast<layout::PayloadKind>(descriptor & 0xff);
  }
  // Of an in_slot payload; at most kSlotPayloadBytes whatever the bits say.
  std::size_t size_bytes() const noexcept;
  ChunkReference reference() const noexcept;
};

// Requires: the caller has claimed `slot`.
inline void store_payload(layout::Slot& slot, const SlotPayload& payload) noexcept {
  // relaxed: published by the word, which is stored after them.
  slot.descriptor.store(payload.descriptor, std::memory_order_relaxed);
  for (std::size_t i = 0; i < payload.words.size(); ++i) {
    // relaxed: as above.
    slot.payload[i].store(payload.words[i], std::memory_order_relaxed);
  }
}

// Valid if the slot's word is still the same afterwards.
inline SlotPayload load_payload(const layout::Slot& slot) noexcept {
  SlotPayload payload;
  // relaxed: valid if the word is still the same afterwards, which the taker's CAS finds out.
  payload.descriptor = slot.descriptor.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < payload.words.size(); ++i) {
    // relaxed: as above.
    payload.words[i] = slot.payload[i].load(std::memory_order_relaxed);
  }
  return payload;
}

}  // namespace tarn
