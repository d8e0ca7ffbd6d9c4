// plants.h - every defect that a test can plant in what a running node and its clients share: where
// it lies, what of it an audit has to find, and what a repair makes of it.
//
// Tables of bytes, so that a new field is a new line. They count on the node of CheckTest::staff().
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/e2e/check/check_fixture.h"

namespace tarn::raw {

// Whose memory.
enum class Ground : std::uint8_t { once, least, slab, session };

inline constexpr const char* kRepaired = "repaired";
inline constexpr const char* kQuarantined = "quarantined";
inline constexpr const char* kLeft = "left";  // for a person, with the reason

// Some bytes that make no sense where they are put.
struct Plant {
  const char* kind;
  const char* outcome;
  Ground ground{};
  std::uint64_t offset = 0;
  std::vector<std::byte> bytes{};
  std::chrono::milliseconds patience{0};
};
inline void PrintTo(const Plant& plant, std::ostream* out) {
  *out << plant.kind << " at byte " << plant.offset;
}

template <class T>
Plant plant(const char* kind, const char* outcome, Ground ground, std::uint64_t offset, T value) {
  Plant made{kind, outcome, ground, offset};
  made.bytes.resize(sizeof value);
  std::memcpy(made.bytes.data(), &value, sizeof value);
  return made;
}

// As staff() comes by them.
inline constexpr std::uint16_t kOwner = 1;
inline constexpr std::uint16_t kViewer = 2;
inline constexpr SegmentId kSlab{1, 1};
inline constexpr SegmentId kOther{2, 2};  // the next one

inline std::vector<Plant> plants_in_headers() {
  using layout::PipeHeader;
  using layout::SegmentHeader;
  using layout::SlabHeader;
  const auto u32 = [](const char* kind, const char* outcome, Ground ground, std::uint64_t offset,
                      std::uint32_t value) { return plant(kind, outcome, ground, offset, value); };
  const auto u64 = [](const char* kind, const char* outcome, Ground ground, std::uint64_t offset,
                      std::uint64_t value) { return plant(kind, outcome, ground, offset, value); };
  constexpr std::uint64_t version = offsetof(SegmentHeader, layout_version);
  constexpr std::uint64_t kind = offsetof(SegmentHeader, kind);
  constexpr std::uint64_t size = offsetof(SegmentHeader, size_bytes);
  return {
      u64("header_magic", kRepaired, Ground::once, 0, 17),
      u32("header_version", kRepaired, Ground::once, version, 99),
      u32("header_kind", kRepaired, Ground::once, kind, 1),
      u64("header_size", kRepaired, Ground::once, size, 1),
      u32("pipe_slot_count", kRepaired, Ground::once, offsetof(PipeHeader, slot_count), 7),
      u32("pipe_delivery", kRepaired, Ground::once, offsetof(PipeHeader, delivery), 1),
      u32("pipe_id", kRepaired, Ground::once, offsetof(PipeHeader, pipe_id), 77),
      u32("pipe_closed_flag", kRepaired, Ground::once, offsetof(PipeHeader, closed), 7),
      u64("pipe_tail_ahead", kRepaired, Ground::once, offsetof(PipeHeader, tail), 4),
      // So far that the words' laps fit again.
      u64("pipe_tail_ahead", kRepaired, Ground::once, offsetof(PipeHeader, tail), 1ULL << 60),
      u64("pipe_head_ahead", kRepaired, Ground::once, offsetof(PipeHeader, head), 1ULL << 60),
      u64("pipe_head_ahead", kRepaired, Ground::once, offsetof(PipeHeader, head), 1),
      u64("pipe_high_water", kRepaired, Ground::once, offsetof(PipeHeader, high_water), 9),
      // What its own process alone can write, the node cannot put right.
      u64("header_magic", kQuarantined, Ground::slab, 0, 17),
      u32("header_version", kQuarantined, Ground::slab, version, 99),
      u64("slab_header_shape", kQuarantined, Ground::slab, offsetof(SlabHeader, chunk_bytes), 64),
      u32("slab_header_shape", kQuarantined, Ground::slab, offsetof(SlabHeader, chunk_count), 5),
      u64("header_magic", kQuarantined, Ground::session, 0, 17),
      u32("header_kind", kQuarantined, Ground::session, kind, 3),
      u64("header_size", kQuarantined, Ground::session, size, 4096),
  };
}

inline std::vector<Plant> plants_in_slots() {
  using layout::SlotPhase;
  const auto word = [](const char* kind, Ground ground, std::uint32_t slot, std::uint64_t lap,
                       SlotPhase phase, std::uint16_t claimant, bool redelivered = false) {
    return plant(kind, kRepaired, ground, CheckTest::word_of(slot),
                 SlotWord(lap, phase, claimant, redelivered).bits());
  };
  constexpr auto nonsense = static_cast<SlotPhase>(5);
  constexpr std::uint64_t unused_bit = 1 << 21;
  const auto free_slot = SlotWord(0, SlotPhase::free, 0).bits();
  return {
      plant("slot_unused_bits", kRepaired, Ground::once, CheckTest::word_of(5),
            free_slot | unused_bit),
      word("slot_phase_impossible", Ground::once, 1, 0, nonsense, kOwner),
      word("slot_claimed_by_nobody", Ground::once, 3, 0, SlotPhase::claimed, 0),
      word("slot_claimed_by_nobody", Ground::least, 0, 0, SlotPhase::taken, 0),
      word("slot_claimant_unknown", Ground::once, 3, 0, SlotPhase::claimed, 4000),
      word("slot_claimant_unknown", Ground::least, 0, 0, SlotPhase::taken, 4000),
      word("slot_taken_at_most_once", Ground::once, 1, 0, SlotPhase::taken, kViewer),
      word("slot_free_but_signed", Ground::once, 5, 0, SlotPhase::free, kOwner),
      word("slot_mark_impossible", Ground::once, 1, 0, SlotPhase::ready, kOwner, true),
      word("slot_mark_impossible", Ground::least, 0, 0, SlotPhase::ready, kOwner, true),
      word("slot_lap", Ground::once, 6, 3, SlotPhase::free, 0),
      word("slot_lap", Ground::once, 0, 7, SlotPhase::ready, kOwner),
  };
}

inline std::vector<Plant> plants_in_payloads() {
  const auto number = [](const char* kind, std::uint32_t slot, std::uint64_t offset,
                         std::uint64_t value) {
    return plant(kind, kRepaired, Ground::once, CheckTest::word_of(slot) + offset, value);
  };
  constexpr std::uint64_t descriptor = offsetof(layout::Slot, descriptor);
  constexpr std::uint64_t reference = offsetof(layout::Slot, payload);
  constexpr std::uint64_t too_long = 1 | (49 << 8);
  // Slots 0 and 1 hold texts, 2 a reference.
  return {
      number("payload_kind_unknown", 0, descriptor, 9),
      number("payload_kind_unknown", 1, descriptor, 0),
      number("payload_size", 0, descriptor, too_long),
      number("reference_unknown_segment", 2, reference, SegmentId{60000, 1}.packed()),
      number("reference_wrong_generation", 2, reference, SegmentId{1, 2}.packed()),
      number("reference_chunk", 2, reference + 8, 4),
      number("reference_size", 2, reference + 16, 4097),
  };
}

inline std::vector<Plant> plants_in_sessions() {
  using layout::EndEntry;
  using layout::RowEntry;
  using layout::SessionHeader;
  const auto number = [](const char* kind, const char* outcome, std::uint64_t offset, auto value) {
    return plant(kind, outcome, Ground::session, offset, value);
  };
  constexpr std::uint64_t row = layout::kRowTableOffset;
  constexpr std::uint64_t second = row + sizeof(RowEntry);
  constexpr std::uint64_t end = layout::kEndTableOffset;
  std::vector<Plant> plants = {
      number("session_row_count", kQuarantined, offsetof(SessionHeader, row_count),
             layout::kMaxRows + 1),
      number("session_end_count", kQuarantined, offsetof(SessionHeader, end_count),
             layout::kMaxEnds + 1),
      number("row_chunk_count", kQuarantined, row + offsetof(RowEntry, chunk_count), 3U),
      number("row_unknown_segment", kQuarantined, row, SegmentId{1, 2}.packed()),
      number("row_unknown_segment", kQuarantined, row, SegmentId{0, 1}.packed()),
      number("row_unknown_segment", kQuarantined, row, SegmentId{70'000, 1}.packed()),
      number("row_twice", kQuarantined, second, kSlab.packed()),
      number("hold_saturated", kQuarantined, layout::kRowArenaOffset, std::uint16_t{0x8001}),
      number("end_unknown_pipe", kQuarantined, end, 3U),
      number("end_counters", kLeft, end + offsetof(EndEntry, popped_bytes), std::uint64_t{100}),
      number("end_counters", kLeft, end + offsetof(EndEntry, copied_in), std::uint64_t{2}),
  };
  for (const std::uint32_t offset : {0U, 64U, 167'937U, 16U << 20, ~0U}) {
    plants.push_back(number("row_outside", kQuarantined, row + offsetof(RowEntry, offset), offset));
  }
  return plants;
}

inline std::vector<Plant> all_plants() {
  std::vector<Plant> all;
  for (const auto& some :
       {plants_in_headers(), plants_in_slots(), plants_in_payloads(), plants_in_sessions()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace tarn::raw
