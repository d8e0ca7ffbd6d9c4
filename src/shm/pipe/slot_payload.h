// slot_payload.h - what stands in a slot beside its word: a small message's bytes, or where a
// larger one lies. Bytes: pipe_layout.h.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "shm/pipe/pipe_layout.h"

namespace tarn {

// A chunk as a slot names it.
struct ChunkReference {
  SegmentId segment;
  std::uint32_t chunk = 0;
  std::uint64_t size_bytes = 0;
};

// What kind of payload, and the size of one in the slot.
struct SlotDescriptor {
  std::uint64_t bits = 0;

  layout::PayloadKind kind() const noexcept {
    return static_cast<layout::PayloadKind>(bits & 0xff);
  }
  // At most kSlotPayloadBytes whatever the bits say.
  std::size_t size_bytes() const noexcept {
    return std::min<std::size_t>((bits >> 8) & 0xff, layout::kSlotPayloadBytes);
  }
};

// What goes into a slot, built before the slot is claimed so that the claim is short.
struct SlotPayload {
  SlotDescriptor descriptor;
  std::array<std::uint64_t, 6> words{};

  // Requires: at most kSlotPayloadBytes.
  static SlotPayload copy_of(std::span<const std::byte> bytes) noexcept;
  static SlotPayload reference_to(const ChunkReference& reference) noexcept;

  layout::PayloadKind kind() const noexcept { return descriptor.kind(); }
  // Of an in_slot payload.
  std::size_t size_bytes() const noexcept { return descriptor.size_bytes(); }
  ChunkReference reference() const noexcept {
    return {SegmentId::unpack(words[0]), static_cast<std::uint32_t>(words[1]), words[2]};
  }
};

// Requires: the caller has claimed `slot`.
inline void store_payload(layout::Slot& slot, const SlotPayload& payload) noexcept {
  // relaxed: published by the word, which is stored after them.
  slot.descriptor.store(payload.descriptor.bits, std::memory_order_relaxed);
  for (std::size_t i = 0; i < payload.words.size(); ++i) {
    // relaxed: as above.
    slot.payload[i].store(payload.words[i], std::memory_order_relaxed);
  }
}

// What follows is valid if the slot's word is still the same afterwards.

// Without the words.
inline SlotDescriptor load_descriptor(const layout::Slot& slot) noexcept {
  // relaxed: valid if the word is still the same afterwards, which the taker's CAS finds out.
  return {slot.descriptor.load(std::memory_order_relaxed)};
}
inline ChunkReference load_reference(const layout::Slot& slot) noexcept {
  // relaxed: as above.
  return {SegmentId::unpack(slot.payload[0].load(std::memory_order_relaxed)),
          static_cast<std::uint32_t>(slot.payload[1].load(std::memory_order_relaxed)),
          slot.payload[2].load(std::memory_order_relaxed)};
}
// All of the words. Straight to where they go: copies in wide pieces of what was just written in
// words stall.
inline void load_words(const layout::Slot& slot, std::byte* target) noexcept {
  for (const auto& word : slot.payload) {
    // relaxed: as above.
    const std::uint64_t bits = word.load(std::memory_order_relaxed);
    std::memcpy(target, &bits, sizeof bits);
    target += sizeof bits;
  }
}
inline SlotPayload load_payload(const layout::Slot& slot) noexcept {
  SlotPayload payload;
  payload.descriptor = load_descriptor(slot);
  for (std::size_t i = 0; i < payload.words.size(); ++i) {
    // relaxed: as above.
    payload.words[i] = slot.payload[i].load(std::memory_order_relaxed);
  }
  return payload;
}

}  // namespace tarn
