#include "shm/pipe/slot_payload.h"

#include <cstring>

namespace tarn {

using layout::PayloadKind;

SlotPayload SlotPayload::copy_of(std::span<const std::byte> bytes) noexcept {
  TARN_ASSERT(bytes.size() <= layout::kSlotPayloadBytes, bytes.size());
  SlotPayload payload;
  payload.descriptor.bits = static_cast<std::uint64_t>(PayloadKind::in_slot) | (bytes.size() << 8);
  if (!bytes.empty()) std::memcpy(payload.words.data(), bytes.data(), bytes.size());
  return payload;
}

SlotPayload SlotPayload::reference_to(const ChunkReference& reference) noexcept {
  SlotPayload payload;
  payload.descriptor.bits = static_cast<std::uint64_t>(PayloadKind::by_reference);
  payload.words = {reference.segment.packed(), reference.chunk, reference.size_bytes, 0, 0, 0};
  return payload;
}

}  // namespace tarn
