// The worker's own knowledge: links, sums and counters; the table that it writes; the run
// directory.
#include <algorithm>
#include <utility>

#include "daemon/worker/repair/repair.h"
#include "os/directory.h"
#include "os/process.h"

namespace tarn::daemon::repair {
namespace {

using audit::Kind;

// A link that one side lists. Where both objects are there, it is completed: to look in one place
// too many costs a look, to look in one too few costs a message.
Verdict repair_opening(NodeState& node, std::uint32_t session_index, std::uint32_t pipe_id) {
  SessionItem* session = node.sessions().at(session_index);
  PipeItem* pipe = node.pipes().at(pipe_id);
  if (session != nullptr && pipe != nullptr) {
    const bool is_open = session->openings.contains(pipe_id);
    if (is_open == pipe->sessions.contains(session_index)) return gone();
    if (is_open) {
      pipe->sessions.insert(session_index);
      return repaired("the pipe lists the session again");
    }
    // The number of the opening is lost: it gets a new one.
    node.open_pipe(*session, *pipe);
    return repaired("the session lists the pipe again");
  }
  if (session == nullptr && pipe == nullptr) return gone();
  node.sink().drop(StoredOpening{session_index, pipe_id, 0});
  if (session != nullptr) session->openings.erase(pipe_id);
  if (pipe != nullptr) {
    pipe->sessions.erase(session_index);
    node.discard_if_over(*pipe);
  }
  return repaired("the link was dropped");
}

Verdict repair_viewing(NodeState& node, std::uint32_t session_index, std::uint32_t slab_index) {
  SessionItem* session = node.sessions().at(session_index);
  SegmentItem* slab = node.segments().at(slab_index);
  if (session != nullptr && slab != nullptr) {
    if (session->viewed.contains(slab_index) == slab->viewers.contains(session_index)) {
      return gone();
    }
    slab->viewers.erase(session_index);
    node.add_viewer(*slab, *session);
    return repaired("both list each other again");
  }
  if (session == nullptr && slab == nullptr) return gone();
  node.sink().drop(StoredViewing{session_index, slab_index});
  if (session != nullptr) session->viewed.erase(slab_index);
  if (slab != nullptr) slab->viewers.erase(session_index);
  node.note_orphans_due();
  return repaired("the link was dropped");
}

Verdict repair_carrying(NodeState& node, std::uint32_t slab_index, std::uint32_t pipe_id) {
  SegmentItem* slab = node.segments().at(slab_index);
  PipeItem* pipe = node.pipes().at(pipe_id);
  if (slab != nullptr && pipe != nullptr) {
    if (slab->carriers.contains(pipe_id) == pipe->carried.contains(slab_index)) return gone();
    slab->carriers.erase(pipe_id);
    node.add_carrier(*slab, *pipe);
    return repaired("both list each other again");
  }
  if (slab == nullptr && pipe == nullptr) return gone();
  node.sink().drop(StoredCarrying{slab_index, pipe_id});
  if (slab != nullptr) slab->carriers.erase(pipe_id);
  if (pipe != nullptr) pipe->carried.erase(slab_index);
  return repaired("the link was dropped");
}

Verdict repair_owning(NodeState& node, std::uint32_t session_index, std::uint32_t slab_index) {
  SessionItem* session = node.sessions().at(session_index);
  if (session == nullptr) return gone();
  const SegmentItem* slab = node.segments().at(slab_index);
  const bool is_its = slab != nullptr && slab->facts.owner == session_index;
  if (is_its == session->owned.contains(slab_index)) return gone();
  if (is_its) {
    session->owned.insert(slab_index);
  } else {
    session->owned.erase(slab_index);
  }
  return repaired("the session's list says what the segment says");
}

template <class Number>
void raise(Number& counter, Number newest) noexcept {
  counter = std::max(counter, newest);
}

Verdict raise_counters(NodeState& node) {
  StoredCounters& counters = node.counters();
  for (const auto& [index, session] : node.sessions().all()) {
    raise(counters.last_session_generation, session->facts.generation);
    for (const auto& [id, serial] : session->openings) raise(counters.last_opening, serial);
  }
  for (const auto& [index, slab] : node.segments().all()) {
    raise(counters.last_segment_generation, slab->facts.generation);
  }
  for (const auto& [id, pipe] : node.pipes().all()) raise(counters.last_pipe_id, id);
  node.put_counters();
  return repaired("every counter stands above what is in use");
}

}  // namespace

Verdict repair_link(NodeState& node, const audit::Finding& finding) {
  const std::uint32_t first = finding.place.index;
  const std::uint32_t second = finding.place.part;
  switch (finding.kind) {
    case Kind::opening_broken:
      return repair_opening(node, first, second);
    case Kind::viewing_broken:
      return repair_viewing(node, first, second);
    case Kind::carrying_broken:
      return repair_carrying(node, first, second);
    default:
      return repair_owning(node, first, second);
  }
}

Verdict repair_figures(NodeState& node, const audit::Finding& finding) {
  switch (finding.kind) {
    case Kind::ledger_session:
    case Kind::ledger_pipes:
    case Kind::ledger_orphans:
    case Kind::ledger_total:
      node.add_up_memory();
      return repaired("the memory in use was added up anew");
    case Kind::counter_behind:
      return raise_counters(node);
    case Kind::limit_exceeded:
      return left("nobody gets more memory until the domain is below");
    case Kind::descriptor_unaccounted:
      return left("a restart of the node gives it back");
    default:
      return left("the node knows no repair for it");
  }
}

Verdict repair_table(NodeState& node, const audit::Finding& finding) {
  const std::uint32_t index = finding.place.index;
  switch (finding.kind) {
    case Kind::table_generation:
    case Kind::table_entry_without_session: {
      if (index == 0 || index >= layout::kMaxSessions) return left("there is no such entry");
      const SessionItem* session = node.sessions().at(index);
      // relaxed: a number to compare with; it guards nothing.
      node.table().entry(index).generation.store(session == nullptr ? 0 : session->facts.generation,
                                                 std::memory_order_relaxed);
      return repaired("the entry was written anew");
    }
    case Kind::table_node_id:
    case Kind::header_magic:
    case Kind::header_version:
    case Kind::header_kind:
    case Kind::header_size:
      node.table().restore_header(node.facts().node_id);
      return repaired("the table's header was written anew");
    default:
      return left("the table's memory is what it is until the node ends");
  }
}

Verdict repair_run_directory(NodeState& node, const audit::Finding& finding) {
  const std::string& directory = node.facts().directory;
  FullStatus done = Done{};
  switch (finding.kind) {
    case Kind::pid_file_wrong:
      done = os::replace_file(directory + "/pid", std::to_string(node.facts().keeper_pid) + "\n");
      break;
    case Kind::socket_mode:
      done = os::set_mode(directory + "/socket", 0600);
      break;
    default:
      return left("the keeper made it when it began: restart the node");
  }
  if (!done) return left(done.error().what());
  return repaired("it is as the node made it");
}

}  // namespace tarn::daemon::repair
