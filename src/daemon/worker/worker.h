// worker.h - the process that serves clients. It may die at any instruction: the keeper starts the
// next one, which goes on where this one was.
#pragma once

#include "daemon/node_facts.h"

namespace tarn::daemon {

// Serves until the node's end; returns the process's exit status.
int serve(WorkerSeed seed);

}  // namespace tarn::daemon
