#include "daemon/worker/registry/reach.h"

namespace tarn::daemon {

bool may_view(NodeState& node, const SessionItem& session, const SegmentItem& segment) noexcept {
  if (session.facts.uid == node.access().owner_uid()) return true;
  const PipeItem* pipe = node.pipes().at(segment.facts.audience);
  return pipe != nullptr && session.openings.contains(pipe->facts.id);
}

bool may_carry(const NodeState& node, const SegmentItem& segment, const PipeItem& pipe) noexcept {
  return pipe.facts.shared == 0 && segment.facts.uid == node.access().owner_uid();
}

}  // namespace tarn::daemon
