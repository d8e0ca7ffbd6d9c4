// orphans.h - slabs whose owner has ended: kept while a slot of a pipe names one of their chunks or
// a living session holds one, dropped as soon as neither is so.
#pragma once

#include <cstddef>

#include "daemon/worker/registry/node_state.h"

namespace tarn::daemon {

// Looks at every orphan, and drops those that nobody needs. Returns how many it dropped.
// Idempotent. An orphan that somebody pushed on while we looked stays for the next time.
std::size_t drop_unused_orphans(NodeState& node);

}  // namespace tarn::daemon
