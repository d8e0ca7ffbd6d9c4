// slab_layout.h - a segment full of chunks of one size.
//
// Lives in  its owner's segment: one writer, mapped read-only by those who received from it.
//           Bytes: docs/formats/slab.md.
// Writers   the owner alone: the header before it is handed out, a chunk between loan and push.
// Readers   holders of a chunk.
// Crash     which chunk is free is not written here at all: it follows from the rows of those who
//           may hold it and from the slots that may name it. After the owner's death the node
//           keeps the slab until the last of both is gone.
// Bounds    chunk_count never changes.
#pragma once

#include "shm/segment/segment_layout.h"

namespace tarn::layout {

struct SlabHeader {
  SegmentHeader segment;
  std::uint64_t chunk_bytes;  // constant after format; a multiple of 64
  std::uint32_t chunk_count;  // constant after format
  std::uint32_t reserved;     // zero
};
static_assert(std::is_standard_layout_v<SlabHeader> && sizeof(SlabHeader) == 48);

inline constexpr std::uint64_t kFirstChunkOffset = kPage;

}  // namespace tarn::layout
