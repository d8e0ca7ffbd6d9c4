#include "shm/flow/lane.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/crash_point.h"

namespace tarn {

using layout::LaneHeader;
using layout::LaneSlot;
using layout::LaneState;
using layout::PayloadKind;

Status format_lane(const Segment& segment, std::uint32_t slot_count, std::uint32_t flow_id,
                   std::uint32_t generation, std::uint64_t first_sequence) noexcept {
  if (!std::has_single_bit(slot_count) || slot_count > layout::kMaxLaneSlots)
    return Error::invalid_argument;
  if (segment.size() != layout::lane_bytes(slot_count)) return Error::invalid_argument;
  const auto header = segment.at<LaneHeader>(0);
  if (!header) return header.error();
  begin_format((*header)->segment, layout::SegmentKind::lane, segment.size());
  (*header)->slot_count = slot_count;
  (*header)->flow_id = flow_id;
  (*header)->generation = generation;
  (*header)->first_sequence = first_sequence;
  // relaxed: published by the header's magic.
  (*header)->next.store(first_sequence, std::memory_order_relaxed);
  (*header)->oldest.store(first_sequence, std::memory_order_relaxed);
  finish_format((*header)->segment);
  return Done{};
}

Result<LaneView> LaneView::attach(const Segment& segment) noexcept {
  if (auto good = check_header(segment, layout::SegmentKind::lane); !good) return good.error();
  const auto header = segment.at<LaneHeader>(0);
  if (!header) return header.error();
  const std::uint32_t slot_count = (*header)->slot_count;
  if (!std::has_single_bit(slot_count) || slot_count > layout::kMaxLaneSlots) return Error::corrupt;
  if (segment.size() != layout::lane_bytes(slot_count)) return Error::corrupt;
  LaneView view;
  view.header_ = *header;
  view.slots_ = reinterpret_cast<LaneSlot*>(segment.base() + layout::kLaneSlotsOffset);
  view.first_ = (*header)->first_sequence;
  view.mask_ = slot_count - 1;
  return view;
}

// model: lane_slots.pml, labels read_begin, read_again
LaneLook LaneView::read(std::uint64_t sequence, LaneMessage& found) const noexcept {
  const LaneSlot& slot = slot_of(sequence);
  // sync(lane-published): receives the payload, and what it refers to.
  const LaneWord word(slot.word.load(std::memory_order_acquire));
  const std::int64_t ahead = word.ahead_of(sequence);
  // (1) an earlier message, or none     ours has not begun.
  // (2) ours, being written             not yet.
  // (3) ours, published                 copy it, and look again.
  // (4) ours, retired; or a later one   too late.
  if (word.bits() == 0 || ahead < 0) return LaneLook::empty;                     // (1)
  if (ahead == 0 && word.state() == LaneState::writing) return LaneLook::empty;  // (2)
  if (ahead > 0 || word.state() != LaneState::published) return LaneLook::gone;  // (4)
  found.sequence = sequence;                                                     // (3)
  found.word = word;
  // relaxed: valid if the word is still the same afterwards.
  found.times.published_ns = slot.published_ns.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < found.words.size(); ++i) {
    // relaxed: as above.
    found.words[i] = slot.payload[i].load(std::memory_order_relaxed);
  }
  found.times.captured_ns =
      word.has_own_capture() ? static_cast<std::int64_t>(found.words[0]) : found.times.published_ns;
  // sync(lane-overwritten): a word of a later message was read only if its slot says so below.
  std::atomic_thread_fence(std::memory_order_acquire);
  // relaxed: the fence above orders it.
  if (slot.word.load(std::memory_order_relaxed) != word.bits()) return LaneLook::gone;
  return LaneLook::found;
}

// The fence is one half of a pair: the owner of the payload's memory lets go of the slot, passes a
// fence, and looks at the rows of holds. So either it sees our hold, or we see that it let go.
// model: lane_slots.pml, label hold_stands
bool LaneView::still_stands(const LaneMessage& found) const noexcept {
  // seq_cst: the row's count and the slot's word need one order, as said above.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // relaxed: the fence above orders it.
  return slot_of(found.sequence).word.load(std::memory_order_relaxed) == found.word.bits();
}

std::uint64_t LaneView::next() const noexcept {
  // sync(lane-next): receives the slots before it.
  const std::uint64_t next = header_->next.load(std::memory_order_acquire);
  return std::max(next, first_);
}

std::uint64_t LaneView::oldest() const noexcept {
  const std::uint64_t end = next();
  const std::uint64_t first_kept = end - first_ > mask_ ? end - mask_ - 1 : first_;
  // relaxed: at most the truth; the slots say which message is gone.
  return std::clamp(header_->oldest.load(std::memory_order_relaxed), first_kept, end);
}

bool LaneView::has_ended() const noexcept {
  // sync(lane-ended): receives all that was published.
  return header_->ended.load(std::memory_order_acquire) != 0;
}

std::uint64_t LaneView::true_end() const noexcept {
  std::uint64_t end = next();
  // One is all that a provider can be behind; the bound stops nonsense.
  for (std::uint32_t step = 0; step <= mask_; ++step, ++end) {
    // sync(lane-published): receives the message.
    const LaneWord word(slot_of(end).word.load(std::memory_order_acquire));
    if (word.bits() == 0 || word.ahead_of(end) != 0 || word.state() != LaneState::published) break;
  }
  return end;
}

std::uint64_t LaneView::resume_after_gap(std::uint64_t sequence) const noexcept {
  const std::uint64_t end = next();
  const std::uint64_t margin = (std::uint64_t{mask_} + 1) / 4;
  const std::uint64_t oldest_kept = oldest();
  // With retired messages in front of it the oldest one is in no danger.
  const std::uint64_t crowded = end - first_ > mask_ ? end - mask_ - 1 + margin : first_;
  return std::min(std::max({sequence + 1, oldest_kept, crowded}), std::max(end, sequence + 1));
}

bool LaneView::is_gone(std::uint64_t sequence) const noexcept {
  // sync(lane-published): its own process asks.
  const LaneWord word(slot_of(sequence).word.load(std::memory_order_acquire));
  return word.ahead_of(sequence) != 0 || word.state() != LaneState::published;
}

void LaneView::mark_named(SegmentId segment, std::vector<bool>& named) const noexcept {
  for (std::uint32_t i = 0; i <= mask_; ++i) {
    const LaneSlot& slot = slots_[i];
    // sync(lane-published): receives the reference.
    const LaneWord word(slot.word.load(std::memory_order_acquire));
    if (word.bits() == 0 || word.state() != LaneState::published) continue;
    if (word.kind() != PayloadKind::by_reference) continue;
    const std::size_t at = word.has_own_capture() ? 1 : 0;
    // relaxed: of a slot that changes meanwhile, the owner looks again.
    const auto id = SegmentId::unpack(slot.payload[at].load(std::memory_order_relaxed));
    const std::uint64_t chunk = slot.payload[at + 1].load(std::memory_order_relaxed);
    if (id != segment || chunk >= layout::kMaxChunks) continue;
    if (chunk >= named.size()) named.resize(chunk + 1);
    named[chunk] = true;
  }
}

LanePayload LanePayload::copy_of(std::span<const std::byte> bytes) noexcept {
  LanePayload payload;
  payload.kind = PayloadKind::in_slot;
  payload.size_bytes = bytes.size();
  if (!bytes.empty()) std::memcpy(payload.words.data(), bytes.data(), bytes.size());
  return payload;
}

LanePayload LanePayload::reference_to(const ChunkReference& reference) noexcept {
  LanePayload payload;
  payload.kind = PayloadKind::by_reference;
  payload.words = {reference.segment.packed(), reference.chunk, reference.size_bytes};
  return payload;
}

Result<LaneWriter> LaneWriter::attach(const Segment& segment) noexcept {
  const auto view = LaneView::attach(segment);
  if (!view) return view.error();
  LaneWriter writer;
  writer.view_ = *view;
  writer.next_ = writer.oldest_ = view->first_sequence();
  return writer;
}

// Crash: each slot is let go of on its own; the rest stays until its slot is used again.
void LaneWriter::retire_below(std::uint64_t sequence) noexcept {
  for (; oldest_ < sequence; ++oldest_) {
    LaneSlot& slot = view_.slot_of(oldest_);
    // sync(lane-published): nothing is handed over.
    slot.word.store(LaneWord(oldest_, LaneState::retired).bits(), std::memory_order_release);
    TARN_CRASH_POINT("lane.retire.slot");
  }
  // relaxed: at most the truth.
  view_.header_->oldest.store(oldest_, std::memory_order_relaxed);
}

void LaneWriter::end() noexcept {
  // sync(lane-ended): hands over all that was published.
  view_.header_->ended.store(1, std::memory_order_release);
}

}  // namespace tarn
