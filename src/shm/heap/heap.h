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
// Process-local but for the slabs' bytes. Thread-safe. Each size class has two locks: a short one
// for its free chunks, and one for the thread that looks for more.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/crash_point.h"
#include "base/result.h"
#include "os/cpu.h"
#include "os/short_lock.h"
#include "shm/heap/hold_scan.h"
#include "shm/heap/size_class.h"
#include "shm/heap/slab.h"

namespace tarn {

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
  // Somebody should call relieve() soon, on a thread that may take its time.
  virtual void wish_for_relief() noexcept = 0;
};

class Heap {
 public:
  explicit Heap(HeapHost& host) noexcept : host_(host) {}

  // Memory for one message; not cleared.
  Result<ChunkPlace, Error> loan(std::uint64_t size_bytes);
  // As loan(), but only from what is known to be free; false when nothing is.
  bool try_loan(std::uint64_t size_bytes, ChunkPlace& place) noexcept {
    if (size_bytes > kMaxChunkBytes) return false;
    // sync(class-made): receives the constructed class.
    Class* chunks = classes_[size_class_of(size_bytes).index].load(std::memory_order_acquire);
    return chunks != nullptr && take_free(*chunks, size_bytes, place);
  }
  // An unpushed loan comes back. It is loaned next: it is warm.
  void give_back(ChunkPlace place) noexcept;
  // The loan stands in `pipe` at `position` now. `pipe` must stay valid until keep_pipe().
  void pushed(ChunkPlace place, const SlotWatch* pipe, std::uint64_t position) {
    SentChunk& sent = place.sent();
    // sync(class-made): receives the constructed class.
    Class* chunks = classes_[place.slab->size_class].load(std::memory_order_acquire);
    sent.sent_to(pipe, position);
    // From here on another thread may find the chunk free, and return its slab.
    // relaxed: a guess.
    if (chunks->free_count.load(std::memory_order_relaxed) == 0) look_early(*chunks, &sent);
  }
  // The caller no longer needs `pipe`; the heap keeps `keepalive` while chunks may be in it.
  void keep_pipe(const SlotWatch* pipe, std::shared_ptr<void> keepalive);
  // Whether anything is on loan, neither pushed nor given back.
  bool has_loans();

  // Gives slabs back of which no chunk was used for `idle_ticks` calls of this function.
  void return_idle(std::uint64_t idle_ticks);
  // Adds chunks where loans had to wait for a look too often.
  void relieve();
  // relaxed: a number for people.
  std::uint64_t slab_bytes() const noexcept { return slab_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Class {
    os::ShortLock lock;
    std::vector<ChunkPlace>
        free;  // guarded by `lock`; loaned from the end; has room for all chunks
    std::atomic<std::uint32_t> free_count{0};  // free.size(), for a guess without the lock

    std::mutex looking;  // taken before `lock`; guards what follows
    std::vector<std::unique_ptr<Slab>> slabs;
    std::uint64_t chunks = 0;
    std::uint64_t next_look = 0;      // the chunk, counted through all slabs, to look at first
    std::vector<ChunkPlace> gone;     // while looking; keeps its memory from look to look
    std::vector<ChunkPlace> came_in;  // as above
    std::shared_ptr<const ViewerSet> viewers;
    std::uint32_t meagre_looks = 0;  // that brought a chunk or two
    bool wants_relief = false;
  };
  enum class Extent : std::uint8_t { first_few, everything };

  Class& class_at(std::uint32_t index);
  bool take_free(Class& chunks, std::uint64_t size_bytes, ChunkPlace& place) noexcept;
  // While the message is on its way, rather than when the next one is wanted.
  void look_early(Class& chunks, const SentChunk* just_sent);
  // What follows requires `looking`.

  // Looks at chunks that were sent, in turn, and adds those that nobody needs to the free ones. All
  // but `except`, which was sent just now.
  void reclaim(Class& chunks, Extent extent, const SentChunk* except = nullptr);
  void find_gone(Class& chunks, Extent extent, const SentChunk* except);
  // The slots of `gone` have moved on: what nobody holds goes to `came_in`.
  void sort_out(Class& chunks);
  bool sort_out_by_rows(Class& chunks);
  bool sort_out_by_scan(Class& chunks);
  void add_free(Class& chunks, const std::vector<ChunkPlace>& places);
  FullStatus grow(Class& chunks, std::uint64_t chunk_bytes, std::uint32_t count);
  static std::uint64_t enough_chunks(const Class& chunks) noexcept;
  void adopt(Class& chunks, AddedSlab added, std::uint64_t chunk_bytes, std::uint32_t count);

  // What follows takes `looking`.
  void return_idle(Class& chunks, std::uint64_t idle_ticks);
  void relieve(Class& chunks);
  // Calls visit(Class&) for each class.
  template <class Visit>
  void for_each_class(Visit&& visit) {
    for (std::atomic<Class*>& cell : classes_) {
      // sync(class-made): receives the constructed class.
      Class* chunks = cell.load(std::memory_order_acquire);
      if (chunks != nullptr) visit(*chunks);
    }
  }
  void drop_unused_pipes();

  HeapHost& host_;
  std::array<std::atomic<Class*>, kSizeClasses> classes_{};
  std::mutex making_;  // of classes and parked pipes; taken before a class's locks
  std::vector<std::unique_ptr<Class>> owned_classes_;
  struct Parked {
    const SlotWatch* pipe;
    std::shared_ptr<void> keepalive;
  };
  std::vector<Parked> parked_;
  std::atomic<std::uint64_t> tick_{0};
  std::atomic<std::uint64_t> slab_bytes_{0};
};

inline bool Heap::take_free(Class& chunks, std::uint64_t size_bytes, ChunkPlace& place) noexcept {
  const std::byte* next = nullptr;
  {
    const std::lock_guard guard(chunks.lock);
    if (chunks.free.empty()) return false;
    place = chunks.free.back();
    chunks.free.pop_back();
    --place.slab->free_count;
    if (!chunks.free.empty()) next = chunks.free.back().address();
    // relaxed: a guess.
    chunks.free_count.store(static_cast<std::uint32_t>(chunks.free.size()),
                            std::memory_order_relaxed);
  }
  // The next message will want this one's lines, which its last reader's core still has.
  if (next != nullptr) {
    os::fetch_for_writing(next);
    os::fetch_for_writing(next + (size_bytes > 0 ? size_bytes - 1 : 0));
  }
  // relaxed: a clock for idleness.
  place.slab->last_loan_tick.store(tick_.load(std::memory_order_relaxed),
                                   std::memory_order_relaxed);
  TARN_CRASH_POINT("heap.loan.taken");
  return true;
}

}  // namespace tarn
