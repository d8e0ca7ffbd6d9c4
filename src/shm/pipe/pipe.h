// pipe.h - the operations on a pipe's slots. Bytes and state diagram: pipe_layout.h.
//
// Everything here is noexcept and allocates nothing: a process may die at any instruction of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "shm/heap/slot_watch.h"
#include "shm/pipe/bell.h"
#include "shm/pipe/pipe_layout.h"
#include "shm/pipe/slot_payload.h"
#include "shm/pipe/slot_word.h"
#include "shm/segment/segment.h"

namespace tarn {

enum class SlotPush : std::uint8_t { ok, full, closed, corrupt };
enum class SlotPop : std::uint8_t { ok, empty, closed, corrupt };

// A message that peek() found, still in its slot. What is read of its payload is good if take()
// then succeeds: it fails when the slot has changed meanwhile.
struct Peeked {
  std::uint64_t position = 0;
  SlotWord word{0};
  const layout::Slot* slot = nullptr;
  bool all_before_done = false;  // no earlier message waits for its producer or consumer

  SlotPayload payload() const noexcept { return load_payload(*slot); }
};

struct PipeSnapshot {
  std::uint64_t tail = 0;
  std::uint64_t head = 0;
  std::uint64_t depth = 0;
  std::uint64_t high_water = 0;
  std::uint64_t skipped = 0;
  std::uint64_t redelivered = 0;
  bool closed = false;
};

// Writes a fresh, zeroed control segment. Writer: the node.
Status format_pipe(const Segment& segment, std::uint32_t slot_count, std::uint32_t delivery,
                   std::uint32_t pipe_id) noexcept;

// Writes the constant fields of a pipe's header once more, over whatever somebody wrote there.
// Writer: the node, which knows them from its own record.
// Crash: each field is what it has to be, or still nonsense: it can be run again.
Status restore_pipe_header(const Segment& segment, std::uint32_t slot_count, std::uint32_t delivery,
                           std::uint32_t pipe_id) noexcept;

// A checked view of a pipe's control segment. Borrows the segment's mapping. Safe to use from any
// number of threads. Made on a read-only mapping it may only be looked at.
class PipeView final : public SlotWatch {
 public:
  PipeView() noexcept = default;
  // corrupt when sizes and limits do not fit together.
  static Result<PipeView> attach(const Segment& segment) noexcept;

  explicit operator bool() const noexcept { return header_ != nullptr; }
  std::uint32_t slot_count() const noexcept { return slot_count_; }
  std::uint32_t pipe_id() const noexcept { return pipe_id_; }
  bool at_least_once() const noexcept { return at_least_once_; }

  // Puts the payload into the next free slot, and says where. Never waits.
  SlotPush push(std::uint16_t self, const SlotPayload& payload, std::uint64_t& position) noexcept;
  // Finds the oldest ready message, and leaves it where it is.
  SlotPop peek(Peeked& found) noexcept;
  // Makes the peeked message the caller's; false when somebody else was faster.
  bool take(std::uint16_t self, const Peeked& found) noexcept;
  // at_least_once only. Ends a taken message for good.
  void acknowledge(std::uint16_t self, std::uint64_t position, bool redelivered) noexcept;
  // at_least_once only. Puts a taken message back, marked.
  void give_back(std::uint16_t self, std::uint64_t position, bool redelivered) noexcept;
  bool is_gone(std::uint64_t position) const noexcept override {
    const Place place = place_of(position);
    // sync(slot-freed): whoever took the message wrote down its hold before it freed the slot.
    const SlotWord word(slots_[place.index].word.load(std::memory_order_acquire));
    return word.laps_ahead_of(place.lap) > 0;
  }
  void mark_named(SegmentId segment, std::vector<bool>& named) const noexcept override;

  // Whether a push would find a free slot now.
  bool has_space() const noexcept;
  // For a producer that slept, after its push. Slots that were freed out of order rang for a push
  // that found the oldest one taken; once that is free, too, one ring has to do for all of them.
  void pass_space_on() noexcept;

  void close() noexcept;
  bool is_closed() const noexcept;
  // Nothing is in it, and nobody is pushing.
  bool is_drained() const noexcept;
  // Throws away what is ready or taken. Only when no consumer has the pipe open.
  void drain() noexcept;

  struct RecoverCounts {
    std::uint64_t skipped = 0;
    std::uint64_t redelivered = 0;
  };
  // Resolves what the dead session claimed and took, then rings both bells for everybody.
  RecoverCounts recover(std::uint16_t dead) noexcept;
  void ring_everybody() noexcept;

  // For the node's repair of what others wrote: pipe_repair.cc. Each changes what it says only
  // while it still is as it was seen, and wakes everybody.
  std::vector<std::uint64_t> words() const;
  bool replace_word(std::uint32_t slot, std::uint64_t seen, SlotWord word) noexcept;
  // To a lower position, at which whoever starts from it walks on.
  bool set_back_tail(std::uint64_t seen, std::uint64_t position) noexcept;
  bool set_back_head(std::uint64_t seen, std::uint64_t position) noexcept;
  void lower_high_water() noexcept;
  SlotPayload payload_at(std::uint32_t slot) const noexcept { return load_payload(slots_[slot]); }

  os::FutexWord& items_bell() const noexcept { return header_->items_bell; }
  os::FutexWord& space_bell() const noexcept { return header_->space_bell; }
  PipeSnapshot snapshot() const noexcept;

  // Calls visit(SegmentId, chunk) for each slot that names a chunk.
  template <class Visit>
  void for_each_reference(Visit&& visit) const noexcept {
    for (std::uint32_t i = 0; i < slot_count_; ++i) {
      ChunkReference reference;
      if (read_reference(i, reference)) visit(reference.segment, reference.chunk);
    }
  }

 private:
  struct Place {
    std::uint64_t lap;
    std::uint32_t index;
  };
  Place place_of(std::uint64_t position) const noexcept {
    if (shift_ < 64) [[likely]] {
      return {position >> shift_, static_cast<std::uint32_t>(position) & (slot_count_ - 1)};
    }
    return {position / slot_count_, static_cast<std::uint32_t>(position % slot_count_)};
  }
  std::uint64_t position_of(std::uint64_t lap, std::uint32_t index) const noexcept {
    return lap * slot_count_ + index;
  }
  // The last position in the slot at `place` whose message is over, when its word is that many
  // laps ahead. Every position before it has been claimed, too.
  std::uint64_t last_freed(const Place& place, std::int64_t laps_ahead) const noexcept {
    return position_of(place.lap + static_cast<std::uint64_t>(laps_ahead) - 1, place.index);
  }
  // More than a walk over slots that stand still can need, from whatever hint: where it ends,
  // others got on meanwhile, or there is nonsense in the slots.
  std::uint64_t most_steps() const noexcept { return 4 * std::uint64_t{slot_count_} + 64; }
  bool read_reference(std::uint32_t index, ChunkReference& reference) const noexcept;
  void note_depth(std::uint64_t pushed) noexcept;
  void settle_head() noexcept;
  SlotPop walk(Peeked& found, std::uint64_t at, bool closed) noexcept;
  void ring_if_closed() noexcept;

  layout::PipeHeader* header_ = nullptr;
  layout::Slot* slots_ = nullptr;
  std::uint32_t slot_count_ = 0;
  std::uint32_t pipe_id_ = 0;
  unsigned shift_ = 64;  // log2 of slot_count, or 64 when it is no power of two
  bool at_least_once_ = false;
};

}  // namespace tarn
