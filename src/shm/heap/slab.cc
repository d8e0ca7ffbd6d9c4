#include "shm/heap/slab.h"

#include "shm/heap/size_class.h"

namespace tarn {

void format_slab(const Segment& segment, std::uint64_t chunk_bytes, std::uint32_t chunks) noexcept {
  auto* header = reinterpret_cast<layout::SlabHeader*>(segment.base());
  begin_format(header->segment, layout::SegmentKind::slab, segment.size());
  header->chunk_bytes = chunk_bytes;
  header->chunk_count = chunks;
  header->reserved = 0;
  finish_format(header->segment);
}

Result<std::uint64_t> slab_bytes(std::uint64_t chunk_bytes, std::uint64_t chunks) noexcept {
  if (chunk_bytes == 0 || chunk_bytes % kCacheLine != 0 || chunk_bytes > kMaxChunkBytes) {
    return Error::corrupt;
  }
  if (chunks == 0 || chunks > layout::kMaxChunks) return Error::corrupt;
  const auto payload = checked_multiply(chunk_bytes, chunks);
  if (!payload) return payload.error();
  return round_up(layout::kFirstChunkOffset + *payload, kPage);
}

}  // namespace tarn
