// segments.h - the slabs of other sessions that this process has met, mapped for reading, each with
// the row in which this process counts what it holds of them.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/result.h"
#include "client/connection.h"
#include "shm/heap/slab_layout.h"
#include "shm/pipe/slot_payload.h"
#include "shm/segment/segment.h"
#include "shm/session/session.h"

namespace tarn {

// One slab as its readers see it. Stays allocated until the session ends, so that a thread that met
// it may look at it without a lock; its bytes are unmapped once the owner has taken the slab back,
// which the owner does only when no slot names a chunk and nobody holds one. A thread that is late,
// and loses the race for such a slot, still computes an address, but never reads there.
struct ForeignSlab {
  SegmentId id;
  Segment segment;                  // guarded by ForeignSlabs' lock
  const std::byte* base = nullptr;  // where it was mapped: never changes
  std::uint64_t chunk_bytes = 0;
  std::uint32_t chunk_count = 0;
  std::uint32_t audience = 0;                // not 0: for messages of that pipe alone
  std::span<layout::HoldCount> holds;        // in our own session segment
  std::atomic<std::uint32_t> carried_to{0};  // a pipe for which segment_carry was answered

  bool contains(const ChunkReference& reference) const noexcept {
    return reference.chunk < chunk_count && reference.size_bytes <= chunk_bytes;
  }
  const std::byte* chunk(std::uint32_t index) const noexcept {
    return base + layout::kFirstChunkOffset + index * chunk_bytes;
  }
};

class ForeignSlabs {
 public:
  ForeignSlabs() = default;
  ForeignSlabs(const ForeignSlabs&) = delete;
  ForeignSlabs& operator=(const ForeignSlabs&) = delete;
  ~ForeignSlabs();

  // Null when this process has not met it yet. Takes no lock.
  ForeignSlab* find(SegmentId id) const noexcept {
    if (id.index == 0 || id.index >= layout::kMaxSegments) return nullptr;
    // sync(slab-met): receives the block and the slab that fetch() made.
    const Block* block = blocks_[id.index / kBlock].load(std::memory_order_acquire);
    if (block == nullptr) return nullptr;
    // sync(slab-met): as above.
    ForeignSlab* slab = (*block)[id.index % kBlock].load(std::memory_order_acquire);
    return slab != nullptr && slab->id == id ? slab : nullptr;
  }
  // Asks the node for it, maps it, and makes it findable. not_found: nobody has it any more.
  // Requires: `record` is used under no other lock.
  Result<ForeignSlab*, Error> fetch(SegmentId id, Connection& connection, SessionRecord& record,
                                    std::mutex& record_lock);
  // The owner took it back.
  void forget(SegmentId id, SessionRecord& record, std::mutex& record_lock) noexcept;

 private:
  Result<std::unique_ptr<ForeignSlab>, Error> ask_for(SegmentId id, Connection& connection);
  // Requires lock_.
  void drop(ForeignSlab& slab, SessionRecord& record, std::mutex& record_lock) noexcept;

  static constexpr std::uint32_t kBlock = 256;
  using Block = std::array<std::atomic<ForeignSlab*>, kBlock>;

  std::atomic<ForeignSlab*>& cell_for_writing(std::uint32_t index);

  std::array<std::atomic<Block*>, layout::kMaxSegments / kBlock> blocks_{};
  std::mutex lock_;                                  // guards what follows, and all writes above
  std::vector<std::unique_ptr<ForeignSlab>> slabs_;  // every one ever met
  // The node's notices are read on another thread than its answers are waited for: what went while
  // we asked for it is remembered here.
  std::uint32_t fetching_ = 0;
  std::vector<SegmentId> gone_meanwhile_;
};

}  // namespace tarn
