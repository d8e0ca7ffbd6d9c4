#include "daemon/worker/registry/node_state.h"

#include <array>
#include <utility>

#include "base/crash_point.h"
#include "base/deadline.h"

namespace tarn::daemon {

// Crash: the record is the commit point. The next worker writes the table's entry again.
SessionItem& NodeState::add_session(std::unique_ptr<SessionItem> item) {
  SessionItem& session = sessions_.add(std::move(item));
  put_counters();
  TARN_CRASH_POINT("node.add_session.numbered");
  sink_.put(session.facts, std::array{session.memory.get(), session.process.get()});
  // model: worker_handover.pml, label session_stored
  TARN_CRASH_POINT("node.add_session.stored");
  // relaxed: a number to compare with; it guards nothing.
  table_.entry(session.facts.index)
      .generation.store(session.facts.generation, std::memory_order_relaxed);
  return session;
}

std::string NodeState::describe_holder(std::uint32_t holder) {
  if (holder == kPipesHolder) return "pipes";
  if (holder == kOrphansHolder) return "messages of ended sessions";
  const SessionItem* session = sessions_.at(holder);
  if (session == nullptr) return "session " + std::to_string(holder);
  return "session " + std::to_string(holder) + " '" + std::string(session->name()) + "' (pid " +
         std::to_string(session->facts.pid) + ")";
}

FullStatus NodeState::check_memory(const MemoryWish& wish) {
  return ledger_.check(wish, monotonic_ns(),
                       [this](std::uint32_t holder) { return describe_holder(holder); });
}

void NodeState::drop_session(std::uint32_t index) {
  SessionItem& session = *sessions_.at(index);
  if (quarantine_.erase(ObjectKind::session, index)) {
    sink_.drop(StoredVerdict{ObjectKind::session, index, 0, {}});
  }
  sink_.drop(session.facts);
  sessions_.erase(index);
}

PipeItem& NodeState::add_pipe(std::unique_ptr<PipeItem> item) {
  PipeItem& pipe = pipes_.add(std::move(item));
  ledger_.charge(kPipesHolder, pipe.size_bytes());
  put_counters();
  TARN_CRASH_POINT("node.add_pipe.numbered");
  sink_.put(pipe.facts, std::array{pipe.memory.get()});
  return pipe;
}

void NodeState::open_pipe(SessionItem& session, PipeItem& pipe) {
  if (session.openings.contains(pipe.facts.id)) return;
  const std::uint64_t serial = ++counters_.last_opening;
  put_counters();
  // model: worker_handover.pml, labels open_numbered, opening_stored
  TARN_CRASH_POINT("node.open_pipe.numbered");
  sink_.put(StoredOpening{session.facts.index, pipe.facts.id, serial});
  session.openings.emplace(pipe.facts.id, serial);
  pipe.sessions.insert(session.facts.index);
}

EndFacts facts_of_end(const SessionItem& session, std::uint32_t pipe_id) noexcept {
  EndFacts sum;
  sum.pipe = pipe_id;
  if (!session.view) return sum;
  session.view.for_each_end([&](const EndFacts& end) noexcept {
    if (end.pipe != pipe_id) return;
    sum.pushed += end.pushed;
    sum.pushed_bytes += end.pushed_bytes;
    sum.push_waits += end.push_waits;
    sum.copied_in += end.copied_in;
    sum.popped += end.popped;
    sum.popped_bytes += end.popped_bytes;
    sum.pop_waits += end.pop_waits;
  });
  return sum;
}

// Crash: [1] commits; it names the opening that it counts, so that a worker which finds [2] undone
//        does not count it twice.
void NodeState::leave_pipe(SessionItem& session, PipeItem& pipe) {
  const auto opening = session.openings.find(pipe.facts.id);
  if (opening == session.openings.end()) return;
  const EndFacts end = facts_of_end(session, pipe.facts.id);
  StoredTotals& totals = pipe.facts.retired;
  totals.pushed += end.pushed;
  totals.pushed_bytes += end.pushed_bytes;
  totals.push_waits += end.push_waits;
  totals.copied_in += end.copied_in;
  totals.popped += end.popped;
  totals.popped_bytes += end.popped_bytes;
  totals.pop_waits += end.pop_waits;
  pipe.facts.retired_opening = opening->second;
  sink_.put(pipe.facts);  // [1]
  // model: worker_handover.pml, label leave_counted
  TARN_CRASH_POINT("node.leave_pipe.counted");
  sink_.drop(StoredOpening{session.facts.index, pipe.facts.id, 0});  // [2]
  session.openings.erase(opening);
  pipe.sessions.erase(session.facts.index);
}

bool NodeState::discard_if_over(PipeItem& pipe) {
  if (!pipe.sessions.empty()) return false;
  if (pipe.facts.nameless == 0) {
    if (!pipe.view || !pipe.view.is_closed() || !pipe.view.is_drained()) return false;
  }
  // A removed pipe may hold messages: what they refer to is free once they are thrown away.
  if (pipe.view) pipe.view.drain();
  TARN_CRASH_POINT("node.discard_pipe.drained");
  for (const std::uint32_t index : std::set(pipe.carried)) {
    if (SegmentItem* segment = segments_.at(index)) end_carrying(*segment, pipe);
  }
  if (quarantine_.erase(ObjectKind::pipe, pipe.facts.id)) {
    sink_.drop(StoredVerdict{ObjectKind::pipe, pipe.facts.id, 0, {}});
  }
  sink_.drop(pipe.facts);
  ledger_.refund(kPipesHolder, pipe.size_bytes());
  const bool for_others = pipe.facts.shared != 0;
  pipes_.erase(pipe);
  note_orphans_due(for_others);
  return true;
}

bool NodeState::has_undelivered() const noexcept {
  for (const auto& [id, pipe] : pipes_.all()) {
    if (pipe->view && !pipe->view.is_drained()) return true;
  }
  return false;
}

void NodeState::add_up_memory() {
  std::map<std::uint32_t, std::uint64_t> sums;
  for (const auto& [id, pipe] : pipes_.all()) sums[kPipesHolder] += pipe->size_bytes();
  for (const auto& [index, segment] : segments_.all()) {
    const std::uint32_t owner = segment->facts.owner;
    sums[segment->is_orphan() ? kOrphansHolder : owner] += segment->facts.size_bytes;
  }
  ledger_.replace(std::move(sums));
}

SegmentItem& NodeState::add_segment(std::unique_ptr<SegmentItem> item) {
  SegmentItem& segment = segments_.add(std::move(item));
  put_counters();
  TARN_CRASH_POINT("node.add_segment.numbered");
  sink_.put(segment.facts, std::array{segment.memory.get()});
  ledger_.charge(segment.facts.owner, segment.facts.size_bytes);
  if (SessionItem* owner = sessions_.at(segment.facts.owner)) {
    owner->owned.insert(segment.facts.index);
  }
  return segment;
}

// Crash: the record is the commit point: from then on the viewer counts as one, though the owner
//        learns it only from the bump. The next worker bumps every epoch.
void NodeState::add_viewer(SegmentItem& segment, SessionItem& viewer) {
  if (!segment.viewers.insert(viewer.facts.index).second) return;
  viewer.viewed.insert(segment.facts.index);
  sink_.put(StoredViewing{viewer.facts.index, segment.facts.index});
  TARN_CRASH_POINT("node.add_viewer.stored");  // model: hold_rows.pml, label viewer_stored
  bump_viewers_epoch(segment.facts.owner);
}

void NodeState::end_viewing(SegmentItem& segment, SessionItem& viewer) {
  if (segment.viewers.erase(viewer.facts.index) == 0) return;
  viewer.viewed.erase(segment.facts.index);
  sink_.drop(StoredViewing{viewer.facts.index, segment.facts.index});
  // model: hold_rows.pml, label viewing_dropped
  TARN_CRASH_POINT("node.end_viewing.dropped");
  bump_viewers_epoch(segment.facts.owner);
  if (segment.is_orphan()) note_orphans_due(!access_.is_owner(viewer.facts.uid));
}

void NodeState::add_carrier(SegmentItem& segment, PipeItem& pipe) {
  if (!segment.carriers.insert(pipe.facts.id).second) return;
  pipe.carried.insert(segment.facts.index);
  sink_.put(StoredCarrying{segment.facts.index, pipe.facts.id});
  TARN_CRASH_POINT("node.add_carrier.stored");  // model: hold_rows.pml, label carrier_stored
  bump_viewers_epoch(segment.facts.owner);
}

void NodeState::end_carrying(SegmentItem& segment, PipeItem& pipe) {
  if (segment.carriers.erase(pipe.facts.id) == 0) return;
  pipe.carried.erase(segment.facts.index);
  sink_.drop(StoredCarrying{segment.facts.index, pipe.facts.id});
  bump_viewers_epoch(segment.facts.owner);
}

void NodeState::orphan_segment(SegmentItem& segment) {
  if (segment.is_orphan()) return;
  const std::uint32_t owner = segment.facts.owner;
  segments_.mark_orphan(segment);
  sink_.put(segment.facts);
  TARN_CRASH_POINT("node.orphan_segment.stored");
  // The node looks into all pipes for an orphan: who carries it need not be known any more.
  for (const std::uint32_t id : std::set(segment.carriers)) {
    if (PipeItem* pipe = pipes_.at(id)) end_carrying(segment, *pipe);
  }
  ledger_.refund(owner, segment.facts.size_bytes);
  ledger_.charge(kOrphansHolder, segment.facts.size_bytes);
  if (SessionItem* session = sessions_.at(owner)) session->owned.erase(segment.facts.index);
  note_orphans_due(!access_.is_owner(segment.facts.uid));
}

void NodeState::drop_segment(SegmentItem& segment) {
  auto gone = wire::make<wire::NoticeSegmentGone>(0);
  gone.index = segment.facts.index;
  gone.generation = segment.facts.generation;
  for (const std::uint32_t index : std::set(segment.viewers)) {
    if (SessionItem* viewer = sessions_.at(index)) end_viewing(segment, *viewer);
    notify(index, gone);
  }
  for (const std::uint32_t id : std::set(segment.carriers)) {
    if (PipeItem* pipe = pipes_.at(id)) end_carrying(segment, *pipe);
  }
  sink_.drop(segment.facts);
  TARN_CRASH_POINT("node.drop_segment.dropped");
  ledger_.refund(segment.is_orphan() ? kOrphansHolder : segment.facts.owner,
                 segment.facts.size_bytes);
  if (SessionItem* owner = sessions_.at(segment.facts.owner)) {
    owner->owned.erase(segment.facts.index);
  }
  segments_.erase(segment.facts.index);
}

void NodeState::bump_viewers_epoch(std::uint32_t owner) noexcept {
  if (owner == 0 || owner >= layout::kMaxSessions) return;
  // sync(viewers-epoch): an owner that sees the change sees all that was decided before it.
  table_.entry(owner).viewers_epoch.fetch_add(1, std::memory_order_release);
}

}  // namespace tarn::daemon
