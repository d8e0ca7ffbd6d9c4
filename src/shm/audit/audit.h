// audit.h - what has to be true of a node and of each of its segments, checked without changing
// anything.
//
// Pure functions on a NodeImage. Total on hostile bytes: what another process wrote is bounded
// before it is followed, and nonsense is a finding. Reading never makes a page.
//
// Why none of the findings is work in flight: kind.h, docs/design/0008-the-audit.md.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "shm/audit/finding.h"
#include "shm/audit/node_image.h"
#include "shm/pipe/pipe_layout.h"
#include "shm/pipe/slot_payload.h"
#include "shm/pipe/slot_word.h"

namespace tarn::audit {

// Everything. `counts` is added to.
std::vector<Finding> audit_node(const NodeImage& node, Counts& counts);

// --- One part without a node: for tests of the parts ---------------------------------------------

// A pipe by itself: header, slots, laps, hints, payloads; not who claimed and what is named.
std::vector<Finding> audit_pipe(const PipeImage& pipe);
// A session's segment by itself: counts, rows, holds, ends; not what they name.
std::vector<Finding> audit_session(const SessionImage& session);

// --- The parts -----------------------------------------------------------------------------------

// What the walks over the memory come upon, for those who look at the whole.
struct Seen {
  std::set<std::uint64_t> named;    // SegmentId::packed(), by slots that are ready or taken
  std::set<std::uint64_t> counted;  // by rows that count a hold
  Counts counts;
};

// The first bytes of a segment, its seals and its size. False when nothing in it may be looked at.
bool check_segment(const SegmentImage* memory, layout::SegmentKind kind, std::uint64_t size_bytes,
                   bool one_writer, const Place& place, const std::string& object, Findings& out);
// `node` is null for a part without a node.
void check_pipe(const PipeImage& pipe, const NodeImage* node, Seen& seen, Findings& out);
void check_session(const SessionImage& session, const NodeImage* node, Seen& seen, Findings& out);
void check_slab(const SlabImage& slab, Findings& out);
void check_table(const NodeImage& node, Findings& out);
void check_registry(const NodeImage& node, const Seen& seen, Findings& out);

// --- One slot ------------------------------------------------------------------------------------

// What is wrong with the word by itself, whatever its neighbours say; none when it may be.
Kind judge_word(std::uint64_t bits, bool at_least_once) noexcept;
// What a finding of that kind at a slot with that word and payload goes by.
std::uint64_t evidence_at(Kind kind, std::uint64_t word, const SlotPayload& payload) noexcept;
// Who says it is at the slot: 0 unless it is claimed or taken.
std::uint16_t claimant_at_work(std::uint64_t bits) noexcept;

// Where the slots of a pipe stand: positions are claimed in order, so that the next position of
// each slot lies in one window of slot_count positions.
struct Window {
  std::uint64_t claimed = 0;   // the next position to be claimed: the window's begin
  std::uint64_t consumed = 0;  // the oldest position still in its slot, or `claimed`
  bool is_sound = false;       // every slot lies in it
};
struct PlacedWord {
  std::uint32_t slot = 0;
  std::uint64_t word = 0;
};
// Of some slots of a pipe with `slot_count`, at least one; `near` is a hint at a position.
Window find_window(std::span<const PlacedWord> some, std::uint32_t slot_count, std::uint64_t near);
// Of all slots: `words` in their order.
Window find_window(const std::vector<std::uint64_t>& words, std::uint64_t near);
// The hint to count from. A hint that somebody wrote far ahead would show every slot beside itself,
// since words hold their lap's low bits only.
std::uint64_t lower_hint(std::uint64_t tail, std::uint64_t head) noexcept;
// The next position to be claimed in the slot, as its word says.
std::uint64_t next_position(std::uint64_t bits, std::uint32_t index, std::uint32_t slot_count,
                            std::uint64_t near) noexcept;

// The begin of the window of that length that holds most of the positions, which are sorted.
// Requires: there are some.
std::uint64_t densest_window(const std::vector<std::uint64_t>& sorted,
                             std::uint64_t length) noexcept;

// "session 3 'sink'", "pipe 'spectra'", "segment 5"
std::string name_of(const SessionImage& session);
std::string name_of(const PipeImage& pipe);
std::string name_of(const SlabImage& slab);

}  // namespace tarn::audit
