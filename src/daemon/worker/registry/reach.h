// reach.h - into whose memory somebody may be let look: one answer for those who ask, and for a
// repair of what they wrote without asking.
#pragma once

#include "daemon/worker/registry/node_state.h"

namespace tarn::daemon {

// Whether the slab is this session's to view: any of them for the node's own account; for another
// one those made for a pipe that the session has open. What the rules say of the pipe now is not
// looked at: whoever lost a right is disconnected.
bool may_view(NodeState& node, const SessionItem& session, const SegmentItem& segment) noexcept;

// Whether a reference to the slab may be passed on through the pipe by another hand than its
// owner's. Who made the slab will look into the pipe: no other account's session may, and no other
// account could map the slab.
bool may_carry(const NodeState& node, const SegmentItem& segment, const PipeItem& pipe) noexcept;

// Whether who reads the pipe would follow a slot of it into the slab: it is of the pipe's own
// audience, or may have been passed on. A slot that names any other leads nowhere.
bool may_lead_to(const NodeState& node, const PipeItem& pipe, const SegmentItem& segment) noexcept;

}  // namespace tarn::daemon
