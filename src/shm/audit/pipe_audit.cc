// A pipe: its header against the node's record, each slot by itself, and all of them together.
//
// Hints are read before the slots, and slots only move on: a hint that is ahead of what the slots
// say later was ahead when it was read. Laps are compared among slots that stood still between two
// walks, hence at one instant.
#include <algorithm>
#include <atomic>
#include <string>

#include "shm/audit/audit.h"
#include "shm/pipe/slot_payload.h"

namespace tarn::audit {
namespace {

using layout::PayloadKind;
using layout::Slot;
using layout::SlotPhase;

std::string number(std::uint64_t value) { return std::to_string(value); }

class PipeAudit {
 public:
  PipeAudit(const PipeImage& pipe, const NodeImage* node, Seen& seen, Findings& out)
      : pipe_(pipe), node_(node), seen_(seen), out_(out), object_(name_of(pipe)) {}

  void run() {
    ++seen_.counts.pipes;
    const std::uint64_t size = layout::pipe_bytes(pipe_.slot_count);
    const bool is_there = check_segment(pipe_.memory.get(), layout::SegmentKind::pipe, size, false,
                                        place(), object_, out_);
    if (!is_there || pipe_.slot_count == 0 || pipe_.slot_count > layout::kMaxSlots) return;
    const std::span<const std::byte> bytes = pipe_.memory->bytes;
    if (bytes.size() != size) return;
    // Checked: it has the size of a pipe with that many slots, and mappings begin at a page.
    const auto& header = *reinterpret_cast<const layout::PipeHeader*>(bytes.data());
    slots_ = reinterpret_cast<const Slot*>(bytes.data() + layout::kSlotsOffset);
    seen_.counts.slots += pipe_.slot_count;
    check_constants(header);
    // sync(hint): the hints come first, the slots later: both only move on.
    const std::uint64_t tail = header.tail.load(std::memory_order_acquire);
    const std::uint64_t head = header.head.load(std::memory_order_acquire);
    walk();
    check_laps(tail, head);
  }

 private:
  Place place(std::uint32_t slot = 0) const { return {ObjectKind::pipe, pipe_.id, 0, slot}; }
  std::string slot_name(std::uint32_t slot) const { return object_ + " slot " + number(slot); }
  void add_slot(Kind kind, std::uint32_t slot, std::uint64_t evidence, std::string found) {
    out_.add(kind, place(slot), evidence, slot_name(slot), std::move(found));
  }
  void add_payload(Kind kind, std::uint32_t slot, const SlotPayload& payload, std::string found) {
    add_slot(kind, slot, evidence_at(kind, words_[slot], payload), std::move(found));
  }
  void expect(Kind kind, std::uint64_t is, std::uint64_t wanted, const char* what) {
    if (is == wanted) return;
    out_.add(kind, place(), is, object_,
             std::string("its header says ") + what + " " + number(is) + ", the node's record " +
                 number(wanted));
  }

  void check_constants(const layout::PipeHeader& header) {
    expect(Kind::pipe_slot_count, header.slot_count, pipe_.slot_count, "slot_count");
    expect(Kind::pipe_delivery, header.delivery, pipe_.delivery, "delivery");
    expect(Kind::pipe_id, header.pipe_id, pipe_.id, "pipe_id");
    // relaxed: a flag and a mark, each checked by itself.
    const std::uint32_t closed = header.closed.load(std::memory_order_relaxed);
    if (closed > 1) {
      out_.add(Kind::pipe_closed_flag, place(), closed, object_,
               "its closed flag is " + number(closed) + ", neither 0 nor 1");
    }
    // relaxed: as above.
    const std::uint64_t mark = header.high_water.load(std::memory_order_relaxed);
    if (mark > pipe_.slot_count) {
      out_.add(Kind::pipe_high_water, place(), mark, object_,
               "the most messages it ever had are " + number(mark) + ", more than its " +
                   number(pipe_.slot_count) + " slots");
    }
  }

  std::uint64_t word_at(std::uint32_t slot) const noexcept {
    // sync(slot-ready): receives the payload with the word. sync(slot-freed): and who let go.
    return slots_[slot].word.load(std::memory_order_acquire);
  }

  void walk() {
    words_.resize(pipe_.slot_count);
    for (std::uint32_t i = 0; i < pipe_.slot_count; ++i) {
      words_[i] = word_at(i);
      const Kind kind = judge_word(words_[i], pipe_.is_at_least_once());
      if (kind != Kind::none) add_word(kind, i);
      check_claimant(i);
      check_payload(i);
    }
  }

  void add_word(Kind kind, std::uint32_t slot) {
    static constexpr const char* kPhases[] = {"free",    "claimed", "ready",   "taken",
                                              "phase 4", "phase 5", "phase 6", "phase 7"};
    const SlotWord word(words_[slot]);
    add_slot(kind, slot, words_[slot],
             std::string("it is ") + kPhases[static_cast<std::size_t>(word.phase()) & 7] +
                 ", signed by session " + number(word.claimant()) +
                 (word.redelivered() ? ", marked as redelivered" : ""));
  }

  void check_claimant(std::uint32_t slot) {
    const std::uint16_t claimant = claimant_at_work(words_[slot]);
    if (node_ == nullptr || claimant == 0) return;
    if (!node_->sessions.contains(claimant)) {
      add_slot(Kind::slot_claimant_unknown, slot, words_[slot],
               "it is claimed by session " + number(claimant) + ", which is not there");
    } else if (!node_->openings.contains({claimant, pipe_.id})) {
      add_slot(
          Kind::slot_claimant_without_opening, slot, words_[slot],
          "it is claimed by session " + number(claimant) + ", which does not have the pipe open");
    }
  }

  void check_payload(std::uint32_t slot) {
    const SlotWord word(words_[slot]);
    if (word.phase() != SlotPhase::ready && word.phase() != SlotPhase::taken) return;
    const SlotPayload payload = load_payload(slots_[slot]);
    // sync(slot-claimed): a payload of the next lap shows up only with its claim.
    std::atomic_thread_fence(std::memory_order_acquire);
    // relaxed: the fence above orders it. A slot that moved on is looked at another time.
    if (slots_[slot].word.load(std::memory_order_relaxed) != words_[slot]) {
      note_reference(slot);
      return;
    }
    if (payload.kind() == PayloadKind::by_reference) {
      check_reference(slot, payload, word);
    } else if (payload.kind() != PayloadKind::in_slot) {
      add_payload(Kind::payload_kind_unknown, slot, payload,
                  "its payload is of kind " + number(payload.descriptor.bits & 0xff));
    } else if (((payload.descriptor.bits >> 8) & 0xff) > layout::kSlotPayloadBytes) {
      add_payload(Kind::payload_size, slot, payload,
                  "its payload in the slot has " + number((payload.descriptor.bits >> 8) & 0xff) +
                      " bytes, more than fit");
    }
  }

  // For what is still named in a slot that moves on: too much rather than too little.
  void note_reference(std::uint32_t slot) {
    const SlotPayload payload = load_payload(slots_[slot]);
    if (payload.kind() == PayloadKind::by_reference) {
      seen_.named.insert(payload.reference().segment.packed());
    }
  }

  void check_reference(std::uint32_t slot, const SlotPayload& payload, SlotWord word) {
    const ChunkReference reference = payload.reference();
    const SegmentId id = reference.segment;
    seen_.named.insert(id.packed());
    if (node_ == nullptr) return;
    const auto found = node_->slabs.find(id.index);
    if (found == node_->slabs.end()) {
      add_payload(Kind::reference_unknown_segment, slot, payload,
                  "its message lies in segment " + number(id.index) + ", which is not there");
      return;
    }
    const SlabImage& slab = found->second;
    if (slab.generation != id.generation) {
      add_payload(Kind::reference_wrong_generation, slot, payload,
                  "its message lies in generation " + number(id.generation) + " of segment " +
                      number(id.index) + ", of which there is " + number(slab.generation));
    } else if (reference.chunk >= slab.chunk_count) {
      add_payload(Kind::reference_chunk, slot, payload,
                  "its message is chunk " + number(reference.chunk) + " of the " +
                      number(slab.chunk_count) + " in segment " + number(id.index));
    } else if (reference.size_bytes > slab.chunk_bytes) {
      add_payload(Kind::reference_size, slot, payload,
                  "its message has " + number(reference.size_bytes) + " bytes in a chunk of " +
                      number(slab.chunk_bytes));
    } else if (is_uncarried(slab, word)) {
      add_payload(Kind::reference_not_carried, slot, payload,
                  "session " + number(word.claimant()) + " pushed a chunk of session " +
                      number(slab.owner) + "'s, who was not told to look here");
    }
  }

  // What the owner pushed itself it looks after; whose owner is dead, the node does.
  bool is_uncarried(const SlabImage& slab, SlotWord word) const {
    if (word.phase() != SlotPhase::ready || word.redelivered()) return false;
    if (slab.owner == 0 || slab.owner == word.claimant()) return false;
    return !node_->carryings.contains({slab.index, pipe_.id});
  }

  void check_laps(std::uint64_t tail, std::uint64_t head) {
    const std::uint64_t near = lower_hint(tail, head);
    const Window window = find_window(words_, near);
    if (window.is_sound) return check_hints(window, tail, head);
    // Some moved on while we walked: those that stand where they stood were there at one instant.
    std::vector<std::uint64_t> still;
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < pipe_.slot_count; ++i) {
      if (word_at(i) != words_[i]) continue;
      still.push_back(next_position(words_[i], i, pipe_.slot_count, near));
      places.push_back(i);
    }
    add_outsiders(still, places, near);
  }

  void check_hints(const Window& window, std::uint64_t tail, std::uint64_t head) {
    if (static_cast<std::int64_t>(tail - window.claimed) > 0) {
      out_.add(Kind::pipe_tail_ahead, place(), tail, object_,
               "its tail is " + number(tail) + ", and position " + number(window.claimed) +
                   " is not claimed yet");
    }
    if (static_cast<std::int64_t>(head - window.consumed) > 0) {
      out_.add(Kind::pipe_head_ahead, place(), head, object_,
               "its head is " + number(head) + ", and position " + number(window.consumed) +
                   " is not consumed yet");
    }
  }

  void add_outsiders(const std::vector<std::uint64_t>& still,
                     const std::vector<std::uint32_t>& places, std::uint64_t near) {
    if (still.empty()) return;
    const std::uint64_t origin = near - (std::uint64_t{1} << 62);
    std::vector<std::uint64_t> sorted;
    for (const std::uint64_t position : still) sorted.push_back(position - origin);
    std::sort(sorted.begin(), sorted.end());
    if (sorted.back() - sorted.front() < pipe_.slot_count) return;
    const std::uint64_t begin = densest_window(sorted, pipe_.slot_count);
    for (std::size_t i = 0; i < still.size(); ++i) {
      if (still[i] - origin - begin < pipe_.slot_count) continue;
      add_slot(Kind::slot_lap, places[i], words_[places[i]],
               "its next position is " + number(still[i]) + ", where its neighbours stand at " +
                   number(begin + origin));
    }
  }

  const PipeImage& pipe_;
  const NodeImage* node_;
  Seen& seen_;
  Findings& out_;
  const std::string object_;
  const Slot* slots_ = nullptr;
  std::vector<std::uint64_t> words_;
};

}  // namespace

std::string name_of(const PipeImage& pipe) {
  return pipe.name.empty() ? "pipe " + number(pipe.id) : "pipe '" + pipe.name + "'";
}

void check_pipe(const PipeImage& pipe, const NodeImage* node, Seen& seen, Findings& out) {
  PipeAudit(pipe, node, seen, out).run();
}

std::vector<Finding> audit_pipe(const PipeImage& pipe) {
  Seen seen;
  Findings out;
  check_pipe(pipe, nullptr, seen, out);
  return out.take();
}

}  // namespace tarn::audit
