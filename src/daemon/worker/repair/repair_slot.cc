// One slot of a pipe. Its word says whether what was found is still so: words never come back.
//
// Where the slot has to stand its neighbours say: as many of them as cost the worker no time worth
// speaking of, and only those that stood still between two walks, hence at one instant.
#include <algorithm>
#include <atomic>
#include <utility>

#include "daemon/worker/registry/reach.h"
#include "daemon/worker/repair/repair.h"

namespace tarn::daemon::repair {
namespace {

using audit::Kind;
using layout::PayloadKind;
using layout::SlotPhase;

// A pipe with more nonsense than this was not damaged by an accident.
constexpr std::ptrdiff_t kMostBadSlots = 64;
// The slot itself among them.
constexpr std::uint32_t kMostNeighbours = 4096;

class SlotRepair {
 public:
  // Requires: the pipe has that slot.
  SlotRepair(NodeState& node, PipeItem& pipe, std::uint32_t slot)
      : node_(node), pipe_(pipe), slot_(slot), seen_(word_at(slot)) {}

  Verdict run(const audit::Finding& finding) {
    const Kind kind = finding.kind;
    // Whoever was repaired, or went on, has another word; and so has what came after it.
    const SlotPayload payload = pipe_.view.payload_at(slot_);
    if (audit::evidence_at(kind, seen_, payload) != finding.evidence) return gone();
    look_around();
    if (is_beyond_repair()) {
      node_.quarantine(pipe_, "a check found nonsense in very many of its slots");
      return {RepairOutcome::quarantined, "very many of its slots make no sense"};
    }
    switch (kind) {
      case Kind::slot_claimant_unknown:
      case Kind::slot_claimant_without_opening:
        return resolve_claim();
      case Kind::slot_mark_impossible:
        return take_mark_away();
      case Kind::slot_lap:
        return is_out_of_window() ? free_it() : gone();
      case Kind::payload_kind_unknown:
      case Kind::payload_size:
      case Kind::reference_unknown_segment:
      case Kind::reference_wrong_generation:
      case Kind::reference_chunk:
      case Kind::reference_size:
        return is_deliverable() ? gone() : free_it();
      case Kind::reference_not_carried:
        return note_carrying();
      default:
        return judged() == Kind::none ? gone() : free_it();
    }
  }

 private:
  std::uint64_t word_at(std::uint32_t slot) const noexcept {
    const auto found =
        pipe_.segment.at<layout::Slot>(layout::kSlotsOffset + slot * sizeof(layout::Slot));
    // sync(slot-freed): as it was at its instant.
    return found ? (*found)->word.load(std::memory_order_acquire) : 0;
  }

  void look_around() {
    const std::uint32_t count = pipe_.view.slot_count();
    const std::uint32_t some = std::min(count, kMostNeighbours);
    const std::uint32_t first = some == count ? 0 : slot_ + count - some / 2;
    for (std::uint32_t i = 0; i < some; ++i) {
      const std::uint32_t slot = (first + i) % count;
      near_.push_back({slot, word_at(slot)});
    }
    std::erase_if(near_, [&](const audit::PlacedWord& each) {
      return each.slot != slot_ && word_at(each.slot) != each.word;
    });
    const PipeSnapshot now = pipe_.view.snapshot();
    hint_ = audit::lower_hint(now.tail, now.head);
    window_ = audit::find_window(near_, count, hint_);
  }

  Kind judged() const { return audit::judge_word(seen_, pipe_.view.at_least_once()); }

  bool is_beyond_repair() const {
    const auto is_bad = [&](const audit::PlacedWord& each) {
      return audit::judge_word(each.word, pipe_.view.at_least_once()) != Kind::none;
    };
    return std::count_if(near_.begin(), near_.end(), is_bad) > kMostBadSlots;
  }

  // The position that comes next in this slot: its own word's if its neighbours agree, else the one
  // that they leave for it.
  std::uint64_t next_position() const {
    const std::uint32_t count = pipe_.view.slot_count();
    const std::uint64_t own = audit::next_position(seen_, slot_, count, hint_);
    if (own - window_.claimed < count) return own;
    const std::uint64_t first = window_.claimed % count;
    return window_.claimed + (slot_ + count - first) % count;
  }

  bool is_out_of_window() const {
    const std::uint32_t count = pipe_.view.slot_count();
    return audit::next_position(seen_, slot_, count, hint_) - window_.claimed >= count;
  }

  Verdict replace(SlotWord word, std::string done) {
    if (!pipe_.view.replace_word(slot_, seen_, word)) return gone();
    return repaired(std::move(done));
  }

  // What stood in it is lost; the position after it is the next one.
  Verdict free_it() {
    const std::uint64_t next = next_position();
    return replace(SlotWord(next / pipe_.view.slot_count(), SlotPhase::free, 0),
                   "it is free for position " + std::to_string(next));
  }

  // As after the claimant's death.
  Verdict resolve_claim() {
    const std::uint16_t claimant = audit::claimant_at_work(seen_);
    const SessionItem* session = claimant == 0 ? nullptr : node_.sessions().at(claimant);
    if (claimant == 0) return gone();
    if (session != nullptr && session->openings.contains(pipe_.facts.id)) return gone();
    const SlotWord word(seen_);
    if (word.phase() == SlotPhase::taken && pipe_.view.at_least_once()) {
      return replace(word.with(SlotPhase::ready, 0, true), "its message is delivered again");
    }
    return free_it();
  }

  Verdict take_mark_away() {
    if (judged() != Kind::slot_mark_impossible) return gone();
    const SlotWord word(seen_);
    if (word.phase() == SlotPhase::claimed) {
      return replace(word.with(SlotPhase::claimed, word.claimant(), false),
                     "the mark was taken away");
    }
    if (pipe_.view.at_least_once()) {
      return replace(word.with(SlotPhase::ready, 0, true), "its message counts as redelivered");
    }
    // Nobody signed it: where it comes from nobody knows.
    if (word.claimant() == 0) return free_it();
    return replace(word.with(SlotPhase::ready, word.claimant(), false), "the mark was taken away");
  }

  bool is_deliverable() const {
    const SlotWord word(seen_);
    if (word.phase() != SlotPhase::ready && word.phase() != SlotPhase::taken) return true;
    const SlotPayload payload = pipe_.view.payload_at(slot_);
    if (payload.kind() == PayloadKind::in_slot) {
      return ((payload.descriptor.bits >> 8) & 0xff) <= layout::kSlotPayloadBytes;
    }
    if (payload.kind() != PayloadKind::by_reference) return false;
    const ChunkReference reference = payload.reference();
    const SegmentItem* slab = node_.segments().find(reference.segment);
    return slab != nullptr && reference.chunk < slab->facts.chunk_count &&
           reference.size_bytes <= slab->facts.chunk_bytes;
  }

  Verdict note_carrying() {
    const SlotPayload payload = pipe_.view.payload_at(slot_);
    if (payload.kind() != PayloadKind::by_reference) return gone();
    SegmentItem* slab = node_.segments().find(payload.reference().segment);
    if (slab == nullptr || slab->is_orphan() || slab->carriers.contains(pipe_.facts.id)) {
      return gone();
    }
    // Who asked to pass it on was refused, or would have been: nobody may read it.
    if (!may_carry(node_, *slab, pipe_)) return free_it();
    node_.add_carrier(*slab, pipe_);
    return repaired("its owner was told to look here");
  }

  NodeState& node_;
  PipeItem& pipe_;
  const std::uint32_t slot_;
  const std::uint64_t seen_;
  std::vector<audit::PlacedWord> near_;
  std::uint64_t hint_ = 0;
  audit::Window window_;
};

}  // namespace

Verdict repair_slot(NodeState& node, PipeItem& pipe, const audit::Finding& finding) {
  if (!pipe.view) return left("the pipe is in quarantine");
  if (finding.place.part >= pipe.view.slot_count()) return left("the pipe has no such slot");
  return SlotRepair(node, pipe, finding.place.part).run(finding);
}

}  // namespace tarn::daemon::repair
