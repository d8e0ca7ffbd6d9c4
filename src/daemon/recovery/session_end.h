// session_end.h - what is left to do when a session has ended: by its process's death, known from
// the kernel, or by its goodbye.
#pragma once

#include <cstdint>

#include "daemon/worker/registry/node_state.h"

namespace tarn::daemon {

// Ends every trace of the session, then frees its index. The slabs that it leaves are orphans then,
// and are due to be looked at (orphans.h): once for all that end together. Requires: the session
// exists, its process can do nothing any more or has said goodbye, and tarn-recover has resolved
// what it claimed: `claims`.
// Crash: every step is idempotent and the session's record goes last: the next worker finds the
//        session, finds its process dead, and does all of it again.
void end_session(NodeState& node, std::uint32_t index, EndCause cause, ResolvedClaims claims);

}  // namespace tarn::daemon
