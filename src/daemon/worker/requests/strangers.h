// strangers.h - what other accounts than the node's own may ask. Everything that is not named here
// is refused, so that a request which is added elsewhere is the owner's alone until somebody has
// thought about it.
//
// Nothing that is answered depends on what the caller has no right to see: the judgement looks at
// the name that was asked for, not at whether there is such a thing.
#pragma once

#include "daemon/worker/requests/request.h"

namespace tarn::daemon {

// `session`, when there is one, is the caller's.
Outcome carry_out_for_stranger(NodeState& node, SessionItem* session, Request& request);

}  // namespace tarn::daemon
