// What the node changes in a pipe in which somebody wrote nonsense. It judges first:
// src/daemon/worker/repair/.
#include <atomic>

#include "base/crash_point.h"
#include "shm/pipe/pipe.h"

namespace tarn {

// Crash: between begin_format() and finish_format() nobody can attach; whoever has the pipe open
// goes
//        on. Each field is what it has to be or still nonsense: the next worker finds the header
//        spoilt, and does this again from the start. finish_format() commits.
Status restore_pipe_header(const Segment& segment, std::uint32_t slot_count, std::uint32_t delivery,
                           std::uint32_t pipe_id) noexcept {
  if (slot_count == 0 || slot_count > layout::kMaxSlots) return Error::invalid_argument;
  if (segment.size() != layout::pipe_bytes(slot_count)) return Error::corrupt;
  const auto header = segment.at<layout::PipeHeader>(0);
  if (!header) return header.error();
  begin_format((*header)->segment, layout::SegmentKind::pipe, segment.size());
  TARN_CRASH_POINT("pipe.restore.begun");
  (*header)->slot_count = slot_count;
  (*header)->delivery = delivery;
  (*header)->pipe_id = pipe_id;
  finish_format((*header)->segment);
  return Done{};
}

std::vector<std::uint64_t> PipeView::words() const {
  std::vector<std::uint64_t> words(slot_count_);
  for (std::uint32_t i = 0; i < slot_count_; ++i) {
    // sync(slot-freed): as they were, each at its instant.
    words[i] = slots_[i].word.load(std::memory_order_acquire);
  }
  return words;
}

// Crash: the CAS is the commit point. The bells are rung at the latest when a waiter looks again.
bool PipeView::replace_word(std::uint32_t slot, std::uint64_t seen, SlotWord word) noexcept {
  if (slot >= slot_count_) return false;
  TARN_CRASH_POINT("pipe.repair.slot");
  // sync(slot-freed): hands the slot to the next lap's producer, or back to consumers.
  // seq_cst: this word and the bells need one order, as bell.h says.
  if (!slots_[slot].word.compare_exchange_strong(seen, word.bits(), std::memory_order_seq_cst)) {
    return false;
  }
  settle_head();
  TARN_CRASH_POINT("pipe.repair.replaced");
  ring_everybody();
  return true;
}

// Crash: the CAS is the commit point. Waiters look again at their deadline, if nobody rings.
bool PipeView::set_back_tail(std::uint64_t seen, std::uint64_t position) noexcept {
  // sync(hint): every position before it has been claimed, and we saw that.
  const bool done =
      header_->tail.compare_exchange_strong(seen, position, std::memory_order_release);
  ring_everybody();
  return done;
}

// Crash: as above.
bool PipeView::set_back_head(std::uint64_t seen, std::uint64_t position) noexcept {
  // sync(hint): every message before it has been consumed, and we saw that.
  const bool done =
      header_->head.compare_exchange_strong(seen, position, std::memory_order_release);
  ring_everybody();
  return done;
}

// Crash: one CAS, of a statistic.
void PipeView::lower_high_water() noexcept {
  // relaxed: a statistic.
  std::uint64_t seen = header_->high_water.load(std::memory_order_relaxed);
  if (seen <= slot_count_) return;
  // relaxed: as above.
  header_->high_water.compare_exchange_strong(seen, slot_count_, std::memory_order_relaxed);
}

}  // namespace tarn
