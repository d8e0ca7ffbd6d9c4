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

bool may_lead_to(const NodeState& node, const PipeItem& pipe, const SegmentItem& segment) noexcept {
  const std::uint32_t audience = pipe.facts.shared != 0 ? pipe.facts.id : 0;
  return segment.facts.audience == audience || may_carry(node, segment, pipe);
}

}  // namespace tarn::daemon
