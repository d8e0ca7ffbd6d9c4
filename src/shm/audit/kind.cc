#include "shm/audit/kind.h"

#include <array>

namespace tarn::audit {
namespace {

struct Row {
  Kind kind;
  std::string_view word;
  Proof proof;
  std::string_view cure;
};

constexpr std::array kRows = {
    Row{Kind::none, "none", Proof::at_once, ""},
    Row{Kind::memory_unreadable, "memory_unreadable", Proof::twice,
        "the node quarantines the object, which it cannot look into"},
    Row{Kind::memory_unsealed, "memory_unsealed", Proof::at_once,
        "the node quarantines the object, whose memory could vanish under its readers"},
    Row{Kind::memory_size, "memory_size", Proof::at_once,
        "the node quarantines the object, whose memory is not what was announced"},
    Row{Kind::memory_pages_missing, "memory_pages_missing", Proof::twice,
        "the node quarantines the object, whose reading could fail"},
    Row{Kind::header_magic, "header_magic", Proof::twice,
        "the node writes a pipe's or the table's header anew, and quarantines another object"},
    Row{Kind::header_version, "header_version", Proof::twice,
        "the node writes a pipe's or the table's header anew, and quarantines another object"},
    Row{Kind::header_kind, "header_kind", Proof::twice,
        "the node writes a pipe's or the table's header anew, and quarantines another object"},
    Row{Kind::header_size, "header_size", Proof::twice,
        "the node writes a pipe's or the table's header anew, and quarantines another object"},
    Row{Kind::pipe_slot_count, "pipe_slot_count", Proof::twice,
        "the node writes its own record's number there"},
    Row{Kind::pipe_delivery, "pipe_delivery", Proof::twice,
        "the node writes its own record's number there"},
    Row{Kind::pipe_id, "pipe_id", Proof::twice, "the node writes its own record's number there"},
    Row{Kind::pipe_closed_flag, "pipe_closed_flag", Proof::twice,
        "the node closes the pipe properly"},
    Row{Kind::pipe_tail_ahead, "pipe_tail_ahead", Proof::at_once,
        "the node sets the hint back to where the slots say"},
    Row{Kind::pipe_head_ahead, "pipe_head_ahead", Proof::at_once,
        "the node sets the hint back to where the slots say"},
    Row{Kind::pipe_high_water, "pipe_high_water", Proof::twice,
        "the node lowers the mark to the capacity"},
    Row{Kind::slot_unused_bits, "slot_unused_bits", Proof::at_once,
        "the node frees the slot for its next message"},
    Row{Kind::slot_phase_impossible, "slot_phase_impossible", Proof::at_once,
        "the node frees the slot for its next message"},
    Row{Kind::slot_claimed_by_nobody, "slot_claimed_by_nobody", Proof::at_once,
        "the node frees the slot for its next message"},
    Row{Kind::slot_claimant_unknown, "slot_claimant_unknown", Proof::twice,
        "the node resolves the claim as after a death"},
    Row{Kind::slot_claimant_without_opening, "slot_claimant_without_opening", Proof::twice,
        "the node resolves the claim as after a death"},
    Row{Kind::slot_taken_at_most_once, "slot_taken_at_most_once", Proof::at_once,
        "the node frees the slot for its next message"},
    Row{Kind::slot_free_but_signed, "slot_free_but_signed", Proof::at_once,
        "the node frees the slot for its next message"},
    Row{Kind::slot_mark_impossible, "slot_mark_impossible", Proof::at_once,
        "the node takes the mark away"},
    Row{Kind::slot_lap, "slot_lap", Proof::twice,
        "the node frees the slot for the lap of its neighbours"},
    Row{Kind::payload_kind_unknown, "payload_kind_unknown", Proof::twice,
        "the node throws the message away, which nobody can read"},
    Row{Kind::payload_size, "payload_size", Proof::twice,
        "the node throws the message away, which nobody can read"},
    Row{Kind::reference_unknown_segment, "reference_unknown_segment", Proof::twice,
        "the node throws the message away, whose bytes are not there"},
    Row{Kind::reference_wrong_generation, "reference_wrong_generation", Proof::twice,
        "the node throws the message away, whose bytes are not there"},
    Row{Kind::reference_chunk, "reference_chunk", Proof::twice,
        "the node throws the message away, whose bytes are not there"},
    Row{Kind::reference_size, "reference_size", Proof::twice,
        "the node throws the message away, whose bytes are not there"},
    Row{Kind::reference_not_carried, "reference_not_carried", Proof::twice,
        "the node notes that the pipe carries the segment, and tells its owner"},
    Row{Kind::slab_header_shape, "slab_header_shape", Proof::twice,
        "the node quarantines the session that owns it"},
    Row{Kind::slab_record_shape, "slab_record_shape", Proof::at_once,
        "the node drops the record when nobody needs it"},
    Row{Kind::slab_owner_missing, "slab_owner_missing", Proof::at_once,
        "the node makes it an orphan, and drops it when nobody needs it"},
    Row{Kind::slab_orphan_leaked, "slab_orphan_leaked", Proof::lasting, "the node drops it"},
    Row{Kind::session_row_count, "session_row_count", Proof::twice,
        "the node quarantines the session"},
    Row{Kind::session_end_count, "session_end_count", Proof::twice,
        "the node quarantines the session"},
    Row{Kind::row_outside, "row_outside", Proof::twice, "the node quarantines the session"},
    Row{Kind::row_overlap, "row_overlap", Proof::twice, "the node quarantines the session"},
    Row{Kind::row_twice, "row_twice", Proof::twice, "the node quarantines the session"},
    Row{Kind::row_chunk_count, "row_chunk_count", Proof::twice, "the node quarantines the session"},
    Row{Kind::row_unknown_segment, "row_unknown_segment", Proof::twice,
        "the node quarantines the session"},
    Row{Kind::row_without_viewing, "row_without_viewing", Proof::twice,
        "the node notes that the session looks into the segment, and tells its owner"},
    Row{Kind::hold_saturated, "hold_saturated", Proof::twice, "the node quarantines the session"},
    Row{Kind::end_unknown_pipe, "end_unknown_pipe", Proof::twice,
        "the node quarantines the session"},
    Row{Kind::end_without_opening, "end_without_opening", Proof::lasting,
        "nothing: end the program when it persists"},
    Row{Kind::end_counters, "end_counters", Proof::twice, "nothing: the numbers are for people"},
    Row{Kind::table_node_id, "table_node_id", Proof::twice, "the node writes its table anew"},
    Row{Kind::table_generation, "table_generation", Proof::twice, "the node writes the entry anew"},
    Row{Kind::table_entry_without_session, "table_entry_without_session", Proof::twice,
        "the node clears the entry"},
    Row{Kind::session_exited, "session_exited", Proof::lasting, "the node recovers the session"},
    Row{Kind::opening_broken, "opening_broken", Proof::at_once,
        "the node drops the link, or completes it where both objects are there"},
    Row{Kind::viewing_broken, "viewing_broken", Proof::at_once,
        "the node drops the link, or completes it where both objects are there"},
    Row{Kind::carrying_broken, "carrying_broken", Proof::at_once,
        "the node drops the link, or completes it where both objects are there"},
    Row{Kind::owning_broken, "owning_broken", Proof::at_once,
        "the node drops the link, or completes it where both objects are there"},
    Row{Kind::ledger_session, "ledger_session", Proof::at_once, "the node adds up anew"},
    Row{Kind::ledger_pipes, "ledger_pipes", Proof::twice, "the node adds up anew"},
    Row{Kind::ledger_orphans, "ledger_orphans", Proof::twice, "the node adds up anew"},
    Row{Kind::ledger_total, "ledger_total", Proof::at_once, "the node adds up anew"},
    Row{Kind::quota_exceeded, "quota_exceeded", Proof::at_once,
        "nothing: the session gets no more memory until it is below"},
    Row{Kind::limit_exceeded, "limit_exceeded", Proof::at_once,
        "nothing: nobody gets more memory until the domain is below"},
    Row{Kind::counter_behind, "counter_behind", Proof::at_once,
        "the node raises the counter above the newest number"},
    Row{Kind::pid_file_wrong, "pid_file_wrong", Proof::twice, "the node writes it anew"},
    Row{Kind::lock_file_missing, "lock_file_missing", Proof::twice,
        "nothing: restart the node, since a second one could start beside it"},
    Row{Kind::socket_mode, "socket_mode", Proof::twice, "the node sets the mode"},
    Row{Kind::keeper_lacks_memory, "keeper_lacks_memory", Proof::lasting,
        "the worker sends the object to the keeper once more"},
    Row{Kind::descriptor_unaccounted, "descriptor_unaccounted", Proof::lasting,
        "nothing: the node needs a restart when many are lost"},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].kind) != i) return false;
  }
  return kRows.size() == kKindCount;
}
static_assert(is_in_order(), "a row for each kind, in the order of the kinds");

const Row& row_of(Kind kind) noexcept {
  const auto index = static_cast<std::size_t>(kind);
  return kRows[index < kRows.size() ? index : 0];
}

}  // namespace

std::string_view word_of(Kind kind) noexcept { return row_of(kind).word; }
Proof proof_of(Kind kind) noexcept { return row_of(kind).proof; }
std::string_view cure_of(Kind kind) noexcept { return row_of(kind).cure; }

bool is_problem(Kind kind) noexcept {
  return kind != Kind::quota_exceeded && kind != Kind::limit_exceeded &&
         kind != Kind::end_counters && kind != Kind::end_without_opening &&
         kind != Kind::pipe_high_water;
}

}  // namespace tarn::audit
