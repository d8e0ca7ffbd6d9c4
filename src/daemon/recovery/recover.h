// recover.h - tarn-recover: the program that touches what the dead left, so that the worker does
// not have to.
//
// The worker keeps one standing by. It has no descriptor but its socket and the segment of the job
// that it is at, knows nothing from job to job, and may die at any instruction: the next one does
// the same job from the start. What it changes are single words, by compare-and-swap, while others
// push and pop on.
#pragma once

#include "daemon/recovery/job.h"
#include "os/fd.h"

namespace tarn::daemon {

// The whole program: serves jobs from `socket` until its other end is closed. `parent` is the
// worker, with which it ends; `start` counts how often this worker has started it. Returns the exit
// status.
int serve_recovery(int socket, std::int32_t parent, std::uint32_t start);

// One job.
RecoveryAnswer carry_out(const RecoveryJob& job, int memory) noexcept;

}  // namespace tarn::daemon
