#include "shm/pipe/pipe.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <utility>

#include "base/crash_point.h"
#include "os/cpu.h"

namespace tarn {

using layout::Slot;
using layout::SlotPhase;

namespace {

constexpr std::uint64_t kNowhere = UINT64_MAX;

// Pushes a hint on, never back. Two that do so at once may leave the lower one: it stays a hint.
inline void advance(std::atomic<std::uint64_t>& hint, std::uint64_t to) noexcept {
  // relaxed: a hint is at most the true end; whoever uses it walks on from there.
  if (hint.load(std::memory_order_relaxed) >= to) return;
  TARN_CRASH_POINT("pipe.hint.behind");
  // sync(hint): whoever starts from it sees the slots before it as we saw them.
  hint.store(to, std::memory_order_release);
}

}  // namespace

Status format_pipe(const Segment& segment, std::uint32_t slot_count, std::uint32_t delivery,
                   std::uint32_t pipe_id) noexcept {
  if (slot_count == 0 || slot_count > layout::kMaxSlots || delivery > 1) {
    return Error::invalid_argument;
  }
  if (segment.size() != layout::pipe_bytes(slot_count)) return Error::invalid_argument;
  const auto header = segment.at<layout::PipeHeader>(0);
  if (!header) return header.error();
  begin_format((*header)->segment, layout::SegmentKind::pipe, segment.size());
  (*header)->slot_count = slot_count;
  (*header)->delivery = delivery;
  (*header)->pipe_id = pipe_id;
  finish_format((*header)->segment);
  return Done{};
}

Result<PipeView> PipeView::attach(const Segment& segment) noexcept {
  if (auto good = check_header(segment, layout::SegmentKind::pipe); !good) return good.error();
  const auto header = segment.at<layout::PipeHeader>(0);
  if (!header) return header.error();
  PipeView view;
  view.slot_count_ = (*header)->slot_count;
  if (view.slot_count_ == 0 || view.slot_count_ > layout::kMaxSlots) return Error::corrupt;
  if (segment.size() != layout::pipe_bytes(view.slot_count_)) return Error::corrupt;
  if ((*header)->delivery > 1) return Error::corrupt;
  view.header_ = *header;
  view.slots_ = reinterpret_cast<Slot*>(segment.base() + layout::kSlotsOffset);
  view.pipe_id_ = (*header)->pipe_id;
  view.at_least_once_ = (*header)->delivery == 1;
  if (std::has_single_bit(view.slot_count_)) {
    view.shift_ = static_cast<unsigned>(std::countr_zero(view.slot_count_));
  }
  return view;
}

// Crash: [1] claims and signs in one step; until [3] recovery frees the slot for the next lap.
//        [3] commits: from then on the message is delivered whatever happens to us. [4] is a hint.
SlotPush PipeView::push(std::uint16_t self, const SlotPayload& payload,
                        std::uint64_t& position) noexcept {
  if (is_closed()) return SlotPush::closed;
  // sync(hint): every position before it has been claimed, and we see that.
  std::uint64_t at = header_->tail.load(std::memory_order_acquire);
  // Each step means that somebody else got on; the bound only stops nonsense in the slots.
  // model: pipe_slots.pml, labels push_begin, push_looked, push_full
  for (std::uint64_t step = 0; step < most_steps(); ++step) {
    const Place place = place_of(at);
    Slot& slot = slots_[place.index];
    os::fetch_for_writing(&slot);
    // sync(slot-freed): receives what the last consumer of this slot released.
    // seq_cst: this word and the space bell need one order, as bell.h says.
    const SlotWord word(slot.word.load(std::memory_order_seq_cst));
    const std::int64_t ahead = word.laps_ahead_of(place.lap);
    // (1) our lap, free        nobody has this position: try to take it.
    // (2) our lap, not free    somebody was faster: the next position.
    // (3) a lap behind         last lap's message is still there: the pipe is full.
    // (4) laps ahead           our tail is stale: go where this slot says the tail has been.
    // (5) anything else        nobody ever writes this: the pipe is spoilt.
    if (ahead == 0 && word.phase() != SlotPhase::free) {  // (2)
      ++at;
      continue;
    }
    if (ahead > 0) {  // (4)
      at = std::max(last_freed(place, ahead), at) + 1;
      continue;
    }
    if (ahead < 0) {  // (3), (5)
      if (ahead < -1 || word.phase() == SlotPhase::free) return SlotPush::corrupt;
      advance(header_->tail, at);
      advance(header_->high_water, std::uint64_t{slot_count_});
      return SlotPush::full;
    }
    std::uint64_t expected = word.bits();
    const SlotWord claimed = word.with(SlotPhase::claimed, self, false);
    // seq_cst: this word and `closed` need one order: either we see the closing below, or whoever
    // closed sees our claim and waits for what becomes of it.
    if (!slot.word.compare_exchange_strong(expected, claimed.bits(),
                                           std::memory_order_seq_cst)) {  // [1]
      continue;
    }
    TARN_CRASH_POINT("pipe.push.claimed");  // model: pipe_slots.pml, label push_claimed
    if (is_closed()) [[unlikely]] {
      // sync(slot-freed): nothing was written; consumers step over it.
      slot.word.store(word.next_lap().bits(), std::memory_order_release);
      TARN_CRASH_POINT("pipe.push.skipped");  // model: pipe_slots.pml, label push_skipped
      // relaxed: a statistic.
      header_->skipped.fetch_add(1, std::memory_order_relaxed);
      ring_all(header_->items_bell);
      return SlotPush::closed;
    }
    // sync(slot-claimed): whoever reads a word of [2] sees the claim when it looks again.
    std::atomic_thread_fence(std::memory_order_release);
    store_payload(slot, payload);          // [2]
    TARN_CRASH_POINT("pipe.push.filled");  // model: pipe_slots.pml, label push_filled
    // sync(slot-ready): hands the payload, and what it refers to, to the acquire in peek().
    // seq_cst: this word and the bell need one order, as bell.h says.
    slot.word.exchange(word.with(SlotPhase::ready, self, false).bits(),
                       std::memory_order_seq_cst);  // [3]
    TARN_CRASH_POINT("pipe.push.published");        // model: pipe_slots.pml, label push_published
    ring(header_->items_bell);
    advance(header_->tail, at + 1);  // [4]
    note_depth(at);
    position = at;
    return SlotPush::ok;
  }
  return SlotPush::full;
}

// model: pipe_slots.pml, labels peek_begin, peek_end
SlotPop PipeView::peek(Peeked& found) noexcept {
  // seq_cst: this word and the slots' words need one order, as push() says; so it is read first.
  const bool closed = header_->closed.load(std::memory_order_seq_cst) != 0;
  // sync(hint): every message before it has been consumed, and we see that.
  const std::uint64_t at = header_->head.load(std::memory_order_acquire);
  const Place place = place_of(at);
  Slot& slot = slots_[place.index];
  os::fetch_for_writing(&slot);
  // sync(slot-ready): receives what the producer released.
  // seq_cst: this word and `closed`, as push() says, and this word and the items bell need one
  // order.
  const SlotWord word(slot.word.load(std::memory_order_seq_cst));
  const std::int64_t ahead = word.laps_ahead_of(place.lap);
  // Nearly always the next message is there, or nothing is.
  if (ahead == 0 && word.phase() == SlotPhase::ready) {
    found.slot = &slot;
    found.position = at;
    found.word = word;
    found.all_before_done = true;
    return SlotPop::ok;
  }
  const bool is_end = ahead < 0 || (ahead == 0 && word.phase() == SlotPhase::free);
  if (is_end) return closed ? SlotPop::closed : SlotPop::empty;
  return walk(found, at, closed);
}

// peek() from a slot that is stale, or at which somebody is just now.
// model: pipe_slots.pml, labels walk_step, peek_hint
SlotPop PipeView::walk(Peeked& found, std::uint64_t at, bool closed) noexcept {
  std::uint64_t done = at;  // every message before it has been consumed
  std::uint64_t first_claimed = kNowhere;
  std::uint64_t candidate = kNowhere;
  bool at_end = false;
  for (std::uint64_t step = 0; step < most_steps() && !at_end; ++step) {
    const Place place = place_of(at);
    Slot& slot = slots_[place.index];
    os::fetch_for_writing(&slot);
    // sync(slot-ready): receives what the producer released.
    // seq_cst: this word and `closed`, as push() says, and this word and the items bell need one
    // order.
    const SlotWord word(slot.word.load(std::memory_order_seq_cst));
    const std::int64_t ahead = word.laps_ahead_of(place.lap);
    // (1) laps ahead           consumed, and so is what is a lap older than its last message.
    // (2) a lap behind, free   nobody has claimed this position: nothing is behind it either.
    // (3) our lap, ready       here it is.
    // (4) our lap, not free    a producer is at it, or a consumer has it unacknowledged: what came
    //                          after may go first. But the producer may publish it, and its next
    //                          one, while we walk on. So we look at what we stepped over once more
    //                          after we saw (3): what is still claimed then is no older message.
    if (ahead > 0) {  // (1)
      const std::uint64_t last = last_freed(place, ahead);
      const std::uint64_t next = last >= at + slot_count_ ? last - slot_count_ + 1 : at + 1;
      if (done == at) done = next;
      at = next;
    } else if (ahead < 0 || word.phase() == SlotPhase::free) {  // (2)
      at_end = true;
    } else if (word.phase() == SlotPhase::ready) {  // (3)
      if (first_claimed != kNowhere && at != candidate) [[unlikely]] {
        candidate = at;
        at = std::exchange(first_claimed, kNowhere);
        continue;
      }
      found.slot = &slot;
      found.position = at;
      found.word = word;
      found.all_before_done = done == at;
      return SlotPop::ok;
    } else if (word.phase() == SlotPhase::claimed || word.phase() == SlotPhase::taken) {  // (4)
      if (word.phase() == SlotPhase::claimed && first_claimed == kNowhere) first_claimed = at;
      // model: pipe_slots.pml, label peek_stepped_over
      TARN_CRASH_POINT("pipe.peek.stepped_over");
      ++at;
    } else {
      return SlotPop::corrupt;
    }
  }
  advance(header_->head, done);
  return closed && at_end && done == at ? SlotPop::closed : SlotPop::empty;
}

// Crash: the CAS is the commit point. At most once: before it the message stays, after it the
//        message is ours and dies with us. At least once: after it recovery makes it ready again.
bool PipeView::take(std::uint16_t self, const Peeked& found) noexcept {
  Slot& slot = slots_[place_of(found.position).index];
  std::uint64_t expected = found.word.bits();
  const SlotWord next = at_least_once_
                            ? found.word.with(SlotPhase::taken, self, found.word.redelivered())
                            : found.word.next_lap();
  TARN_CRASH_POINT("pipe.pop.peeked");  // model: pipe_slots.pml, label pop_peeked
  // sync(slot-freed): hands the slot to the next lap's producer.
  // seq_cst: this word and the space bell need one order, as bell.h says.
  if (!slot.word.compare_exchange_strong(expected, next.bits(), std::memory_order_seq_cst)) {
    return false;
  }
  TARN_CRASH_POINT("pipe.pop.taken");  // model: pipe_slots.pml, label pop_taken
  if (at_least_once_) return true;
  if (found.all_before_done) advance(header_->head, found.position + 1);
  ring(header_->space_bell);
  ring_if_closed();
  return true;
}

// Crash: one CAS; before it recovery delivers the message again, after it never.
void PipeView::acknowledge(std::uint16_t self, std::uint64_t position, bool redelivered) noexcept {
  const Place place = place_of(position);
  const SlotWord taken(place.lap, SlotPhase::taken, self, redelivered);
  std::uint64_t expected = taken.bits();
  TARN_CRASH_POINT("pipe.acknowledge");  // model: pipe_slots.pml, label acknowledge
  // sync(slot-freed): as in take(). seq_cst: this word and the space bell need one order.
  if (!slots_[place.index].word.compare_exchange_strong(expected, taken.next_lap().bits(),
                                                        std::memory_order_seq_cst)) {
    return;
  }
  TARN_CRASH_POINT("pipe.acknowledge.freed");  // model: pipe_slots.pml, label acknowledge_freed
  settle_head();
  ring(header_->space_bell);
  ring_if_closed();
}

// Crash: one CAS; before it recovery does the same, after it the message is anybody's.
void PipeView::give_back(std::uint16_t self, std::uint64_t position, bool redelivered) noexcept {
  const Place place = place_of(position);
  const SlotWord taken(place.lap, SlotPhase::taken, self, redelivered);
  std::uint64_t expected = taken.bits();
  const SlotWord ready = taken.with(SlotPhase::ready, 0, true);
  TARN_CRASH_POINT("pipe.give_back");  // model: pipe_slots.pml, label give_back
  // sync(slot-ready): the payload is as its producer wrote it; we acquired it in peek().
  // seq_cst: this word and the items bell need one order.
  if (!slots_[place.index].word.compare_exchange_strong(expected, ready.bits(),
                                                        std::memory_order_seq_cst)) {
    return;
  }
  TARN_CRASH_POINT("pipe.give_back.ready");
  // relaxed: a statistic.
  header_->redelivered.fetch_add(1, std::memory_order_relaxed);
  ring(header_->items_bell);
}

void PipeView::close() noexcept {
  // seq_cst: this word and the slots' words need one order, as push() says.
  header_->closed.store(1, std::memory_order_seq_cst);
  TARN_CRASH_POINT("pipe.close.marked");  // model: pipe_slots.pml, label close_marked
  ring_everybody();
}

bool PipeView::is_closed() const noexcept {
  // seq_cst: this word and the slots' words need one order, as push() says.
  return header_->closed.load(std::memory_order_seq_cst) != 0;
}

// Crash: one CAS a slot; idempotent, so it can be run again.
void PipeView::drain() noexcept {
  for (std::uint32_t i = 0; i < slot_count_; ++i) {
    // sync(slot-ready): sees every message whose push completed before.
    std::uint64_t seen = slots_[i].word.load(std::memory_order_acquire);
    const SlotWord word(seen);
    if (word.phase() != SlotPhase::ready && word.phase() != SlotPhase::taken) continue;
    TARN_CRASH_POINT("pipe.drain.slot");
    // sync(slot-freed): as in take().
    slots_[i].word.compare_exchange_strong(seen, word.next_lap().bits(), std::memory_order_acq_rel);
  }
  settle_head();
  ring_everybody();
}

// Crash: one CAS a slot; idempotent, so the next recovery can run it again from the start.
// model: pipe_slots.pml, labels recover_slot, recover_next
PipeView::RecoverCounts PipeView::recover(std::uint16_t dead) noexcept {
  RecoverCounts counts;
  for (std::uint32_t i = 0; i < slot_count_; ++i) {
    // sync(slot-ready): the payload of a taken slot is its producer's.
    std::uint64_t seen = slots_[i].word.load(std::memory_order_acquire);
    const SlotWord word(seen);
    if (word.claimant() != dead) continue;
    if (word.phase() == SlotPhase::claimed) {
      TARN_CRASH_POINT("pipe.recover.claimed");  // model: pipe_slots.pml, label recover_claimed
      // sync(slot-freed): nothing in it was committed; consumers step over it.
      // seq_cst: this word and the bells need one order.
      if (slots_[i].word.compare_exchange_strong(seen, word.next_lap().bits(),
                                                 std::memory_order_seq_cst)) {
        ++counts.skipped;
        // relaxed: a statistic, as below. Counted at once: a death costs it one at most.
        header_->skipped.fetch_add(1, std::memory_order_relaxed);
      }
    } else if (word.phase() == SlotPhase::taken) {
      TARN_CRASH_POINT("pipe.recover.taken");  // model: pipe_slots.pml, label recover_taken
      // sync(slot-ready): hands the payload on. seq_cst: this word and the bells need one order.
      if (slots_[i].word.compare_exchange_strong(seen, word.with(SlotPhase::ready, 0, true).bits(),
                                                 std::memory_order_seq_cst)) {
        ++counts.redelivered;
        // relaxed: a statistic.
        header_->redelivered.fetch_add(1, std::memory_order_relaxed);
      }
    }
  }
  settle_head();
  TARN_CRASH_POINT("pipe.recover.resolved");  // model: pipe_slots.pml, label recover_resolved
  // The dead one may have been woken for a message that it did not take.
  ring_everybody();
  return counts;
}

void PipeView::pass_space_on() noexcept {
  if (has_space()) ring(header_->space_bell);
}

// Once a message of a closed pipe is gone, those who wait for the next one may wait in vain.
// Requires: the slot's word was changed with seq_cst before.
void PipeView::ring_if_closed() noexcept {
  if (!is_closed()) [[likely]]
    return;
  // seq_cst: this word and the slot's word need one order, as bell.h says.
  if ((header_->items_bell.load(std::memory_order_seq_cst) & kSleepers) != 0) {
    ring_all(header_->items_bell);
  }
}

void PipeView::ring_everybody() noexcept {
  ring_all(header_->items_bell);
  ring_all(header_->space_bell);
}

// Keeps the high-water mark: it is too low when the message that is a mark's length behind this one
// is still in its slot. That line is nobody's concern any more, so that looking slows no consumer.
// A high mark is checked only now and then: a short peak may be seen a few messages low.
void PipeView::note_depth(std::uint64_t pushed) noexcept {
  constexpr std::uint64_t kAlwaysBelow = 8;
  constexpr std::uint64_t kSometimes = 15;
  // relaxed: a statistic, here and below; producers that race may leave the lower mark.
  const std::uint64_t mark = header_->high_water.load(std::memory_order_relaxed);
  if (mark >= kAlwaysBelow && (pushed & kSometimes) != 0) return;
  std::uint64_t depth = mark;
  while (depth < slot_count_ && depth <= pushed && !is_gone(pushed - depth)) ++depth;
  if (depth > mark) advance(header_->high_water, depth);
}

// Pushes the head hint over what is consumed.
void PipeView::settle_head() noexcept {
  // sync(hint): as in peek().
  std::uint64_t at = header_->head.load(std::memory_order_acquire);
  for (std::uint32_t step = 0; step < slot_count_; ++step) {
    const Place place = place_of(at);
    // sync(slot-freed): only slots that were freed are stepped over.
    const SlotWord word(slots_[place.index].word.load(std::memory_order_acquire));
    if (word.laps_ahead_of(place.lap) <= 0) break;
    ++at;
  }
  advance(header_->head, at);
}

}  // namespace tarn
