#include "daemon/recovery/session_end.h"

#include <set>
#include <vector>

#include "base/crash_point.h"
#include "base/log.h"

namespace tarn::daemon {
namespace {

std::vector<std::uint32_t> leave_pipes(NodeState& node, SessionItem& session) {
  std::vector<std::uint32_t> left;
  for (const auto& [id, serial] : session.openings) left.push_back(id);
  for (const std::uint32_t id : left) {
    if (PipeItem* pipe = node.pipes().at(id)) node.leave_pipe(session, *pipe);
    TARN_CRASH_POINT("recovery.session.left_pipe");
  }
  return left;
}

void leave_segments(NodeState& node, SessionItem& session) {
  for (const std::uint32_t index : std::set(session.viewed)) {
    if (SegmentItem* segment = node.segments().at(index)) node.end_viewing(*segment, session);
    TARN_CRASH_POINT("recovery.session.left_segment");
  }
}

void orphan_slabs(NodeState& node, SessionItem& session) {
  for (const std::uint32_t index : std::set(session.owned)) {
    if (SegmentItem* segment = node.segments().at(index)) node.orphan_segment(*segment);
    TARN_CRASH_POINT("recovery.session.orphaned_segment");
  }
  node.ledger().forget_reservations(session.facts.index);
}

void report(const SessionItem& session, EndCause cause, const ResolvedClaims& claims,
            std::size_t left) {
  const std::string who = "session " + std::to_string(session.facts.index) + " '" +
                          std::string(session.name()) + "' (pid " +
                          std::to_string(session.facts.pid) + ")";
  if (cause == EndCause::goodbye) return log_info(who + " ended");
  log_info(who + " died: " + std::to_string(claims.skipped) + " unfinished messages skipped, " +
           std::to_string(claims.redelivered) + " to be delivered again, " + std::to_string(left) +
           " segments left");
}

}  // namespace

// model: worker_handover.pml, label session_end
void end_session(NodeState& node, std::uint32_t index, EndCause cause, ResolvedClaims claims) {
  SessionItem& session = *node.sessions().at(index);
  TARN_CRASH_POINT("recovery.session.resolved");
  const auto left = leave_pipes(node, session);
  leave_segments(node, session);
  const std::size_t owned = session.owned.size();
  orphan_slabs(node, session);
  report(session, cause, claims, owned);
  for (const std::uint32_t id : left) {
    if (PipeItem* pipe = node.pipes().at(id)) node.discard_if_over(*pipe);
  }
  // relaxed: a number to compare with; it guards nothing.
  node.table().entry(index).generation.store(0, std::memory_order_relaxed);
  TARN_CRASH_POINT("recovery.session.table_cleared");
  if (cause == EndCause::death) {
    ++node.counters().recovered_sessions;
    node.put_counters();
  }
  node.drop_session(index);
}

}  // namespace tarn::daemon
