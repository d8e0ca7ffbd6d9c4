// rebuild.h - a new worker's knowledge, from what the keeper stored.
//
// The records were written by a worker that may have crashed for a reason: what makes no sense is
// dropped and logged, never trusted.
#pragma once

#include "daemon/node_facts.h"
#include "daemon/worker/registry/node_state.h"

namespace tarn::daemon {

// Fills a fresh `node`. Sessions count as not connected until they resume; those that have died
// meanwhile are found by their pidfds. no_descriptors, or os: one of them cannot be watched for
// now; nothing that makes sense is dropped then, for the next worker.
FullStatus rebuild(NodeState& node, RecordStore& store);

}  // namespace tarn::daemon
