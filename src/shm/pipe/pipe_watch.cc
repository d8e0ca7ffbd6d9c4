// Looking at a pipe without changing it: for owners of slabs, for those who wait, for people.
#include <algorithm>
#include <atomic>

#include "shm/pipe/pipe.h"

namespace tarn {

using layout::PayloadKind;
using layout::Slot;
using layout::SlotPhase;

void PipeView::mark_named(SegmentId segment, std::vector<bool>& named) const noexcept {
  for_each_reference([&](SegmentId found, std::uint32_t chunk) {
    if (found != segment || chunk >= layout::kMaxChunks) return;
    if (named.size() <= chunk) named.resize(chunk + 1);
    named[chunk] = true;
  });
}

bool PipeView::read_reference(std::uint32_t index, ChunkReference& reference) const noexcept {
  const Slot& slot = slots_[index];
  // Two words that differ mean that the slot moved on while we read: look again. Whoever moves a
  // slot on did something, so that the bound only stops nonsense.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    // sync(slot-ready): receives what the producer released.
    const std::uint64_t before = slot.word.load(std::memory_order_acquire);
    const SlotPhase phase = SlotWord(before).phase();
    if (phase != SlotPhase::ready && phase != SlotPhase::taken) return false;
    const SlotPayload payload = load_payload(slot);
    // sync(slot-claimed): a payload of the next lap shows up only with its claim.
    std::atomic_thread_fence(std::memory_order_acquire);
    // relaxed: the fence above orders it.
    if (slot.word.load(std::memory_order_relaxed) != before) continue;
    if (payload.kind() != PayloadKind::by_reference) return false;
    reference = payload.reference();
    return true;
  }
  return false;
}

bool PipeView::has_space() const noexcept {
  // sync(hint): as in push().
  std::uint64_t at = header_->tail.load(std::memory_order_acquire);
  // The cases are those of push().
  for (std::uint64_t step = 0; step < most_steps(); ++step) {
    const Place place = place_of(at);
    // sync(slot-freed): sees every slot freed before.
    // seq_cst: this word and the space bell need one order, as bell.h says.
    const SlotWord word(slots_[place.index].word.load(std::memory_order_seq_cst));
    const std::int64_t ahead = word.laps_ahead_of(place.lap);
    if (ahead < 0) return false;
    if (ahead == 0 && word.phase() == SlotPhase::free) return true;
    at = ahead == 0 ? at + 1 : std::max(last_freed(place, ahead), at) + 1;
  }
  return true;  // pushes go on under our eyes
}

bool PipeView::is_drained() const noexcept {
  for (std::uint32_t i = 0; i < slot_count_; ++i) {
    // sync(slot-ready): sees every message whose push completed before.
    const SlotWord word(slots_[i].word.load(std::memory_order_acquire));
    if (word.phase() != SlotPhase::free) return false;
  }
  return true;
}

PipeSnapshot PipeView::snapshot() const noexcept {
  PipeSnapshot now;
  // relaxed: counters for people; each is true for some moment near now.
  now.head = header_->head.load(std::memory_order_relaxed);
  now.tail = header_->tail.load(std::memory_order_relaxed);
  now.high_water = header_->high_water.load(std::memory_order_relaxed);
  now.skipped = header_->skipped.load(std::memory_order_relaxed);
  now.redelivered = header_->redelivered.load(std::memory_order_relaxed);
  now.closed = is_closed();
  now.depth = now.tail > now.head ? now.tail - now.head : 0;
  if (now.depth > slot_count_) now.depth = slot_count_;
  now.high_water = std::clamp<std::uint64_t>(now.high_water, now.depth, slot_count_);
  return now;
}

}  // namespace tarn
