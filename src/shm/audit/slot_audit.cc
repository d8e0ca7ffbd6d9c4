// One slot's word, and where all of them stand together. Shared with the repair, which judges again
// before it changes anything.
#include <algorithm>

#include "shm/audit/audit.h"

namespace tarn::audit {

using layout::SlotPhase;

namespace {

constexpr std::uint64_t kUnusedBits = std::uint64_t{0xf} << 20;

bool is_occupied(SlotWord word) noexcept { return word.phase() != SlotPhase::free; }

// The signed distance between two positions.
std::int64_t ahead_of(std::uint64_t position, std::uint64_t other) noexcept {
  return static_cast<std::int64_t>(position - other);
}

}  // namespace

std::uint64_t densest_window(const std::vector<std::uint64_t>& sorted,
                             std::uint64_t length) noexcept {
  std::size_t best = 0;
  std::size_t best_count = 0;
  std::size_t end = 0;
  for (std::size_t begin = 0; begin < sorted.size(); ++begin) {
    end = std::max(end, begin);
    while (end < sorted.size() && sorted[end] - sorted[begin] < length) ++end;
    if (end - begin <= best_count) continue;
    best = begin;
    best_count = end - begin;
  }
  return sorted[best];
}

Kind judge_word(std::uint64_t bits, bool at_least_once) noexcept {
  const SlotWord word(bits);
  if ((bits & kUnusedBits) != 0) return Kind::slot_unused_bits;
  const bool is_nobody = word.claimant() == 0;
  switch (word.phase()) {
    case SlotPhase::free:
      return is_nobody && !word.redelivered() ? Kind::none : Kind::slot_free_but_signed;
    case SlotPhase::claimed:
      if (is_nobody) return Kind::slot_claimed_by_nobody;
      return word.redelivered() ? Kind::slot_mark_impossible : Kind::none;
    case SlotPhase::ready:
      // What is given back is signed by nobody; what is fresh, by its producer.
      if (word.redelivered() && !at_least_once) return Kind::slot_mark_impossible;
      return word.redelivered() == is_nobody ? Kind::none : Kind::slot_mark_impossible;
    case SlotPhase::taken:
      if (!at_least_once) return Kind::slot_taken_at_most_once;
      return is_nobody ? Kind::slot_claimed_by_nobody : Kind::none;
  }
  return Kind::slot_phase_impossible;
}

std::uint16_t claimant_at_work(std::uint64_t bits) noexcept {
  const SlotWord word(bits);
  const bool at_work = word.phase() == SlotPhase::claimed || word.phase() == SlotPhase::taken;
  return at_work ? word.claimant() : std::uint16_t{0};
}

std::uint64_t next_position(std::uint64_t bits, std::uint32_t index, std::uint32_t slot_count,
                            std::uint64_t near) noexcept {
  const SlotWord word(bits);
  const std::uint64_t lap = near / slot_count;
  const auto laps = static_cast<std::uint64_t>(word.laps_ahead_of(lap));
  // Unsigned throughout: what a hostile hint makes of it wraps, and is out of the window.
  return (lap + laps + (is_occupied(word) ? 1 : 0)) * slot_count + index;
}

std::uint64_t evidence_at(Kind kind, std::uint64_t word, const SlotPayload& payload) noexcept {
  const ChunkReference reference = payload.reference();
  switch (kind) {
    case Kind::payload_kind_unknown:
    case Kind::payload_size:
      return evidence_of(word, payload.descriptor.bits);
    case Kind::reference_unknown_segment:
    case Kind::reference_wrong_generation:
    case Kind::reference_chunk:
    case Kind::reference_not_carried:
      return evidence_of(word, reference.segment.packed(), reference.chunk);
    case Kind::reference_size:
      return evidence_of(evidence_of(word, reference.segment.packed(), reference.chunk),
                         reference.size_bytes);
    default:
      return word;
  }
}

std::uint64_t lower_hint(std::uint64_t tail, std::uint64_t head) noexcept {
  return ahead_of(tail, head) < 0 ? tail : head;
}

Window find_window(std::span<const PlacedWord> some, std::uint32_t slot_count, std::uint64_t near) {
  std::vector<std::uint64_t> next(some.size());
  Window window;
  // From here on positions count from one that is surely before all that make sense.
  const std::uint64_t origin = near - (std::uint64_t{1} << 62);
  for (std::size_t i = 0; i < some.size(); ++i) {
    next[i] = next_position(some[i].word, some[i].slot, slot_count, near) - origin;
  }
  const auto [least, most] = std::minmax_element(next.begin(), next.end());
  window.is_sound = *most - *least < slot_count;
  std::uint64_t begin = *least;
  if (!window.is_sound) {
    std::vector<std::uint64_t> sorted(next);
    std::sort(sorted.begin(), sorted.end());
    begin = densest_window(sorted, slot_count);
  }
  window.claimed = begin + origin;
  window.consumed = window.claimed;
  for (std::size_t i = 0; i < some.size(); ++i) {
    const SlotWord word(some[i].word);
    if (!is_occupied(word) || next[i] - begin >= slot_count) continue;
    const std::uint64_t position = next[i] + origin - slot_count;
    if (ahead_of(position, window.consumed) < 0) window.consumed = position;
  }
  return window;
}

Window find_window(const std::vector<std::uint64_t>& words, std::uint64_t near) {
  std::vector<PlacedWord> all;
  all.reserve(words.size());
  for (const std::uint64_t word : words) {
    all.push_back({static_cast<std::uint32_t>(all.size()), word});
  }
  return find_window(all, static_cast<std::uint32_t>(words.size()), near);
}

}  // namespace tarn::audit
