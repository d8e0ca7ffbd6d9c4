// slab.h - one slab as its owner knows it: its bytes, and where each chunk is. Process-local but
// for the bytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "shm/heap/hold_scan.h"
#include "shm/heap/slab_layout.h"
#include "shm/heap/slot_watch.h"
#include "shm/segment/segment.h"

namespace tarn {

// Where a chunk went. Whoever has it on loan says so, once; from then on only the thread that looks
// for free chunks changes it.
class SentChunk {
 public:
  // The chunk stands in `pipe` at `position`.
  void sent_to(const SlotWatch* pipe, std::uint64_t position) noexcept {
    position_ = position;
    // sync(chunk-sent): hands over the position, and the pipe.
    where_.store(reinterpret_cast<std::uintptr_t>(pipe), std::memory_order_release);
  }

  // What follows is for the thread that looks.

  // False while the chunk is free or on loan.
  bool is_sent() const noexcept {
    // relaxed: a chunk that was sent just now is found at the next look.
    return where_.load(std::memory_order_relaxed) != kHere;
  }
  // Sent, and its slot has moved on.
  bool has_left_its_slot() const noexcept {
    // sync(chunk-sent): receives the position.
    const std::uintptr_t where = where_.load(std::memory_order_acquire);
    if (where == kHere) return false;
    return where == kOutside || reinterpret_cast<const SlotWatch*>(where)->is_gone(position_);
  }
  // Nobody has to look at the slot again.
  void leave_slot() noexcept {
    // relaxed: read and written by whoever looks, under one lock.
    where_.store(kOutside, std::memory_order_relaxed);
  }
  void come_back() noexcept {
    // relaxed: whoever loans it next gets it through a lock.
    where_.store(kHere, std::memory_order_relaxed);
  }
  bool may_stand_in(const SlotWatch* pipe) const noexcept {
    // relaxed: a pipe that is asked about gets no more chunks.
    return where_.load(std::memory_order_relaxed) == reinterpret_cast<std::uintptr_t>(pipe);
  }

 private:
  static constexpr std::uintptr_t kHere = 0;
  static constexpr std::uintptr_t kOutside = 1;
  std::atomic<std::uintptr_t> where_{kHere};  // or the pipe's address
  std::uint64_t position_ = 0;
};

class Heap;

struct Slab {
  SegmentId id;
  Heap* home = nullptr;  // whose it is
  Segment segment;
  std::uint32_t size_class = 0;
  std::uint64_t chunk_bytes = 0;
  std::uint32_t chunk_count = 0;
  std::uint32_t free_count = 0;  // guarded by the class's lock
  // Of Heap::return_idle(), at the last loan. relaxed: a clock for idleness.
  std::atomic<std::uint64_t> last_loan_tick{0};
  std::unique_ptr<SentChunk[]> sent;  // one a chunk
  KnownRows rows;                     // for the thread that looks

  std::byte* chunk(std::uint32_t index) const noexcept {
    return segment.base() + layout::kFirstChunkOffset + index * chunk_bytes;
  }
};

struct ChunkPlace {
  Slab* slab = nullptr;
  std::uint32_t chunk = 0;

  std::byte* address() const noexcept { return slab->chunk(chunk); }
  SentChunk& sent() const noexcept { return slab->sent[chunk]; }
};

// Writes the header of a fresh slab.
void format_slab(const Segment& segment, std::uint64_t chunk_bytes, std::uint32_t chunks) noexcept;
// The size of a slab's segment, or corrupt when it cannot be.
Result<std::uint64_t> slab_bytes(std::uint64_t chunk_bytes, std::uint64_t chunks) noexcept;

}  // namespace tarn
