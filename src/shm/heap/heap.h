// heap.h - the memory that this process hands out: loans from its own slabs, and finding out which
// chunks nobody needs any more.
//
// A pushed chunk is free again when its slot has moved on and no session's row counts it. Nobody
// tells the owner: it looks, in batches, when it runs out. Order of looking: is the slot gone, then
// the list of viewers, then the slots of pipes that carry our chunks by another's hand, then the
// rows; afterwards the list of viewers and every viewer's count of forwards must be what they were,
// else a chunk may have slipped from a row into a slot behind our back, and the batch is not used.
// Why this suffices: docs/design/0003-hold-rows.md.
//
// Process-local but for the slabs' bytes. Thread-safe; one lock a size class.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "shm/heap/size_class.h"
#include "shm/heap/slab_layout.h"
#include "shm/heap/slot_watch.h"
#include "shm/segment/segment.h"
#include "shm/session/session.h"

namespace tarn {

// One session that may hold our chunks.
struct Viewer {
  SessionId id;
  std::shared_ptr<const Segment> segment;
  SessionView view;
};
// A pipe into which others push our chunks.
struct Carrier {
  std::uint32_t pipe_id = 0;
  std::shared_ptr<const SlotWatch> slots;
};
// Who may hold our chunks, as of one viewers_epoch. Immutable.
struct ViewerSet {
  std::uint64_t epoch = 0;
  std::vector<Viewer> viewers;
  std::vector<Carrier> carriers;
};

struct AddedSlab {
  SegmentId id;
  Segment segment;
};

// What the heap needs from the rest of the process.
class HeapHost {
 public:
  virtual ~HeapHost() = default;
  // A new slab of ours, known to the node, its pages allocated and mapped.
  virtual Result<AddedSlab, Error> add_slab(std::uint64_t chunk_bytes, std::uint32_t chunks) = 0;
  // Nobody uses it any more.
  virtual void remove_slab(SegmentId id) noexcept = 0;
  // The node's present viewers_epoch for us.
  virtual std::uint64_t viewers_epoch() const noexcept = 0;
  // The newest list; asks the node when the epoch has moved. Null when the node does not answer:
  // then nothing can be freed for now.
  virtual std::shared_ptr<const ViewerSet> viewers() noexcept = 0;
};

// One slab of ours.
struct Slab {
  SegmentId id;
  Segment segment;
  std::uint64_t chunk_bytes = 0;
  std::uint32_t chunk_count = 0;
  std::uint32_t free_count = 0;  // guarded by the class's lock
  std::uint64_t last_loan_tick = 0;
  // Where the viewers count our chunks, as of `rows_of` and each one's row_changes.
  std::vector<std::span<const layout::HoldCount>> rows;
  std::shared_ptr<const ViewerSet> rows_of;
  std::vector<std::uint64_t> row_changes;

  std::byte* chunk(std::uint32_t index) const noexcept {
    return segment.base() + layout::kFirstChunkOffset + index * chunk_bytes;
  }
};

struct ChunkPlace {
  Slab* slab = nullptr;
  std::uint32_t chunk = 0;
};

class Heap {
 public:
  explicit Heap(HeapHost& host) noexcept : host_(host) {}

  // Memory for one message; not cleared. The newest freed chunk first: it is warm.
  Result<ChunkPlace, Error> loan(std::uint64_t size_bytes);
  // An unpushed loan comes back.
  void give_back(ChunkPlace place) noexcept;
  // The loan stands in `pipe` at `position` now. `pipe` must stay valid until keep_pipe().
  void pushed(ChunkPlace place, const SlotWatch* pipe, std::uint64_t position);
  // The caller no longer needs `pipe`; the heap keeps `keepalive` while chunks may be in it.
  void keep_pipe(const SlotWatch* pipe, std::shared_ptr<void> keepalive);

  // Gives slabs back of which no chunk was used for `idle_ticks` calls of this function.
  void return_idle(std::uint64_t idle_ticks);
  // relaxed: a number for people.
  std::uint64_t slab_bytes() const noexcept { return slab_bytes_.load(std::memory_order_relaxed); }

 private:
  struct InFlight {
    ChunkPlace place;
    bool needed = false;              // what the last look said
    const SlotWatch* pipe = nullptr;  // null: the slot is gone, but somebody held it at a look
    std::uint64_t position = 0;
    bool is_gone() const noexcept { return pipe == nullptr || pipe->is_gone(position); }
  };
  struct Class {
    std::mutex lock;
    std::vector<std::unique_ptr<Slab>> slabs;
    std::vector<ChunkPlace> free;  // newest last
    std::deque<InFlight> in_flight;
    std::vector<InFlight> gone;  // while looking; keeps its memory from look to look
    std::uint64_t chunks = 0;
  };

  Class& class_at(const SizeClass& size);
  Result<ChunkPlace, Error> take_free(Class& chunks) noexcept;
  // Looks through at most `most` pushed chunks, the oldest first; true when one became free.
  bool reclaim(Class& chunks, std::size_t most);
  // The slots of `gone` have moved on: what nobody holds becomes free, the rest waits on.
  void sort_out(Class& chunks);
  // True when nothing moved while we looked, so that the marks can be trusted.
  bool mark_needed(Class& chunks, const std::shared_ptr<const ViewerSet>& viewers);
  static bool is_held(Slab& slab, std::uint32_t chunk,
                      const std::shared_ptr<const ViewerSet>& viewers);
  FullStatus grow(Class& chunks, std::uint64_t chunk_bytes);
  void return_idle_slabs(Class& chunks, std::uint64_t idle_ticks);
  void drop_unused_pipes();

  HeapHost& host_;
  std::array<std::atomic<Class*>, kSizeClasses> classes_{};
  std::mutex making_;  // of classes and parked pipes
  std::vector<std::unique_ptr<Class>> owned_classes_;
  struct Parked {
    const SlotWatch* pipe;
    std::shared_ptr<void> keepalive;
  };
  std::vector<Parked> parked_;
  std::atomic<std::uint64_t> tick_{0};
  std::atomic<std::uint64_t> slab_bytes_{0};
};

// Writes the header of a fresh slab.
void format_slab(const Segment& segment, std::uint64_t chunk_bytes, std::uint32_t chunks) noexcept;
// The size of a slab's segment, or corrupt when it cannot be.
Result<std::uint64_t> slab_bytes(std::uint64_t chunk_bytes, std::uint64_t chunks) noexcept;

// Which chunks somebody may still need, found by looking once. Used by owners, and by the node for
// slabs whose owner is dead.
class HoldScan {
 public:
  // Counts forwards now; is_conclusive() compares.
  explicit HoldScan(const ViewerSet& viewers);
  // True when a row of any viewer counts the chunk, or a carrier's slot names it.
  bool is_needed(SegmentId segment, std::uint32_t chunk) const noexcept;
  // Reads the carriers' slots and finds the viewers' rows for these segments. Call first.
  void look(const std::vector<SegmentId>& segments);
  // False when something moved while we looked: the answers cannot be trusted.
  bool is_conclusive() const noexcept;

 private:
  struct SegmentRows {
    SegmentId segment;
    std::vector<std::span<const layout::HoldCount>> rows;
    std::vector<bool> named;  // by a carrier's slot
  };
  const ViewerSet& viewers_;
  std::vector<std::uint64_t> forwards_;
  std::vector<SegmentRows> found_;
};

}  // namespace tarn
