// lane.h - publishing into a lane, and reading from one. Bytes: lane_layout.h.
//
// Everything here is noexcept and allocates nothing: a process may die at any instruction of it.
// Publication is a sequence lock a slot (H.-J. Boehm, "Can seqlocks get along with programming
// language memory models?", 2012): readers copy, and look at the word again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/crash_point.h"
#include "base/result.h"
#include "shm/flow/lane_layout.h"
#include "shm/flow/lane_word.h"
#include "shm/heap/slot_watch.h"
#include "shm/pipe/slot_payload.h"
#include "shm/segment/segment.h"

namespace tarn {

// When a message was made and when it was published: CLOCK_REALTIME in ns.
struct LaneTimes {
  std::int64_t published_ns = 0;
  std::int64_t captured_ns = 0;
};

// Writes a fresh, zeroed lane. Writer: the provider, before anybody else has it.
// invalid_argument when slot_count is no power of two, or too large.
Status format_lane(const Segment& segment, std::uint32_t slot_count, std::uint32_t flow_id,
                   std::uint32_t generation, std::uint64_t first_sequence) noexcept;

// Where a message stands that was found. What it says is copied.
struct LaneMessage {
  std::uint64_t sequence = 0;
  LaneWord word{0};
  LaneTimes times;
  std::array<std::uint64_t, 6> words{};

  layout::PayloadKind kind() const noexcept { return word.kind(); }
  // Of a payload in the slot.
  std::size_t size_bytes() const noexcept { return word.size_bytes(); }
  const std::byte* bytes() const noexcept {
    return reinterpret_cast<const std::byte*>(words.data() + (word.has_own_capture() ? 1 : 0));
  }
  ChunkReference reference() const noexcept {
    const std::uint64_t* first = words.data() + (word.has_own_capture() ? 1 : 0);
    return {SegmentId::unpack(first[0]), static_cast<std::uint32_t>(first[1]), first[2]};
  }
};

enum class LaneLook : std::uint8_t {
  found,
  empty,  // not published yet
  gone,   // overwritten or retired: the consumer was too late for it
};

// A checked view of a lane, for reading. Borrows the segment's mapping. Everything in it is input.
// Safe to use from any number of threads.
class LaneView final : public SlotWatch {
 public:
  LaneView() noexcept = default;
  // corrupt when sizes and limits do not fit together.
  static Result<LaneView> attach(const Segment& segment) noexcept;

  explicit operator bool() const noexcept { return header_ != nullptr; }
  std::uint32_t slot_count() const noexcept { return mask_ + 1; }
  std::uint32_t flow_id() const noexcept { return header_->flow_id; }
  std::uint32_t generation() const noexcept { return header_->generation; }
  std::uint64_t first_sequence() const noexcept { return first_; }

  // The message of that sequence, copied whole or not at all.
  LaneLook read(std::uint64_t sequence, LaneMessage& found) const noexcept;
  // Whether the message still stands where it was found. For a payload by reference: when it does
  // after the caller has counted its hold, its memory stays until the hold ends.
  bool still_stands(const LaneMessage& found) const noexcept;

  // As the header says; not below first_sequence().
  std::uint64_t next() const noexcept;
  std::uint64_t oldest() const noexcept;
  bool has_ended() const noexcept;
  // What next() should be, once its provider cannot publish any more: the slots are the truth.
  std::uint64_t true_end() const noexcept;
  // Where a consumer goes on that was too late for `sequence`: far enough from the oldest message
  // that a provider at full speed does not overtake it at once.
  std::uint64_t resume_after_gap(std::uint64_t sequence) const noexcept;

  // For the heap of whose chunks stand in it.
  bool is_gone(std::uint64_t sequence) const noexcept override;
  void mark_named(SegmentId segment, std::vector<bool>& named) const noexcept override;

 private:
  friend class LaneWriter;
  layout::LaneSlot& slot_of(std::uint64_t sequence) const noexcept {
    return slots_[static_cast<std::uint32_t>(sequence - first_) & mask_];
  }

  layout::LaneHeader* header_ = nullptr;
  layout::LaneSlot* slots_ = nullptr;
  std::uint64_t first_ = 0;
  std::uint32_t mask_ = 0;
};

// What a provider publishes: bytes for the slot, or where they lie.
struct LanePayload {
  layout::PayloadKind kind = layout::PayloadKind::none;
  std::size_t size_bytes = 0;  // in the slot: at most 48, and 40 with a capture time of its own
  std::array<std::uint64_t, 6> words{};

  static LanePayload copy_of(std::span<const std::byte> bytes) noexcept;
  static LanePayload reference_to(const ChunkReference& reference) noexcept;
};

// The provider's side. What it has published stands in ordinary memory, too: it reads nothing back.
// One thread at a time.
class LaneWriter {
 public:
  LaneWriter() noexcept = default;
  // Requires: `segment` is a lane of this process's own, just formatted.
  static Result<LaneWriter> attach(const Segment& segment) noexcept;

  // Valid as long as this is, and where this is: the heap looks at it from its own threads.
  const LaneView& view() const noexcept { return view_; }
  std::uint64_t next_sequence() const noexcept { return next_; }
  // Puts the message into the next slot, over the oldest one when the lane is full.
  inline std::uint64_t publish(const LanePayload& payload, const LaneTimes& times) noexcept;
  // Messages below `sequence` are gone from now on: their memory is needed elsewhere. At most
  // next_sequence().
  void retire_below(std::uint64_t sequence) noexcept;
  std::uint64_t oldest_kept() const noexcept { return oldest_; }
  // Nothing more will come.
  void end() noexcept;

 private:
  LaneView view_;
  std::uint64_t next_ = 0;
  std::uint64_t oldest_ = 0;
};

// Crash: [1] takes the former message out; until [2] the slot holds none. [2] commits. [3] is
//        made good by true_end().
inline std::uint64_t LaneWriter::publish(const LanePayload& payload,
                                         const LaneTimes& times) noexcept {
  const std::uint64_t sequence = next_;
  layout::LaneSlot& slot = view_.slot_of(sequence);
  if (sequence - oldest_ > view_.mask_) {
    oldest_ = sequence - view_.mask_;
    // relaxed: at most the truth.
    view_.header_->oldest.store(oldest_, std::memory_order_relaxed);
  }
  // relaxed: the fence orders it before what follows.
  slot.word.store(LaneWord(sequence, layout::LaneState::writing).bits(),
                  std::memory_order_relaxed);  // [1] model: lane_slots.pml, label publish_begin
  // sync(lane-overwritten): whoever reads a word of the new message sees, when it looks at the
  // slot's word again, that the old one is gone.
  std::atomic_thread_fence(std::memory_order_release);
  TARN_CRASH_POINT("lane.publish.begun");  // model: lane_slots.pml, label publish_begun
  const bool own_capture = times.captured_ns != times.published_ns;
  // relaxed: published by [2].
  slot.published_ns.store(times.published_ns, std::memory_order_relaxed);
  std::size_t at = 0;
  if (own_capture) [[unlikely]] {
    // relaxed: as above.
    slot.payload[at++].store(static_cast<std::uint64_t>(times.captured_ns),
                             std::memory_order_relaxed);
  }
  for (std::size_t i = 0; at < payload.words.size(); ++i, ++at) {
    // relaxed: as above.
    slot.payload[at].store(payload.words[i], std::memory_order_relaxed);
  }
  TARN_CRASH_POINT("lane.publish.filled");  // model: lane_slots.pml, label publish_filled
  const LaneWord word = LaneWord(sequence, layout::LaneState::published)
                            .with(payload.kind, payload.size_bytes, own_capture);
  // sync(lane-published): hands the payload, and what it refers to, to the acquire in read().
  slot.word.store(word.bits(), std::memory_order_release);  // [2]
  TARN_CRASH_POINT("lane.publish.published");  // model: lane_slots.pml, label publish_published
  next_ = sequence + 1;
  // sync(lane-next): whoever starts from it sees the slots before it.
  view_.header_->next.store(next_, std::memory_order_release);  // [3]
  return sequence;
}

}  // namespace tarn
