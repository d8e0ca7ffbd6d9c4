// kind.h - what an audit can find: one word for each kind, stable, so that scripts may rely on it.
#pragma once

#include <cstdint>
#include <string_view>

namespace tarn::audit {

// How often it has to be seen before it is believed.
enum class Proof : std::uint8_t {
  at_once,  // no state of work in flight looks like it
  twice,  // it compares things that were read one after the other: seen again unchanged, it is true
  lasting,  // somebody is expected to end it soon: only what stays is a defect
};

enum class Kind : std::uint16_t {
  none = 0,
  // Any segment.
  memory_unreadable,
  memory_unsealed,
  memory_size,
  memory_pages_missing,
  header_magic,
  header_version,
  header_kind,
  header_size,
  // A pipe's control segment.
  pipe_slot_count,
  pipe_delivery,
  pipe_id,
  pipe_closed_flag,
  pipe_tail_ahead,
  pipe_head_ahead,
  pipe_high_water,
  slot_unused_bits,
  slot_phase_impossible,
  slot_claimed_by_nobody,
  slot_claimant_unknown,
  slot_claimant_without_opening,
  slot_taken_at_most_once,
  slot_free_but_signed,
  slot_mark_impossible,
  slot_lap,
  payload_kind_unknown,
  payload_size,
  reference_unknown_segment,
  reference_wrong_generation,
  reference_chunk,
  reference_size,
  reference_not_carried,
  // A slab.
  slab_header_shape,
  slab_record_shape,
  slab_owner_missing,
  slab_orphan_leaked,
  // A session's segment.
  session_row_count,
  session_end_count,
  row_outside,
  row_overlap,
  row_twice,
  row_chunk_count,
  row_unknown_segment,
  row_without_viewing,
  hold_saturated,
  end_unknown_pipe,
  end_without_opening,
  end_counters,
  // The node's table of sessions.
  table_node_id,
  table_generation,
  table_entry_without_session,
  // The node's registry.
  session_exited,
  opening_broken,
  viewing_broken,
  carrying_broken,
  owning_broken,
  ledger_session,
  ledger_pipes,
  ledger_orphans,
  ledger_total,
  quota_exceeded,
  limit_exceeded,
  counter_behind,
  // Around the node.
  pid_file_wrong,
  lock_file_missing,
  socket_mode,
  keeper_lacks_memory,
  descriptor_unaccounted,
};
inline constexpr std::uint16_t kKindCount =
    static_cast<std::uint16_t>(Kind::descriptor_unaccounted) + 1;

// "slot_claimed_by_nobody"
std::string_view word_of(Kind kind) noexcept;
Proof proof_of(Kind kind) noexcept;
// What a person, or the repair, does about it.
std::string_view cure_of(Kind kind) noexcept;
// False when the node goes on well with it for now.
bool is_problem(Kind kind) noexcept;

}  // namespace tarn::audit
