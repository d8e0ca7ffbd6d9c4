// snapshot.h - two looks at a node, and what happened between them. Counters in memory are read;
// the node does nothing for it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tarn/inspect.h"
#include "tarn/session.h"

namespace tarn::tools {

struct Snapshot {
  std::chrono::steady_clock::time_point at;
  NodeStatus node;
  std::vector<PipeStatus> pipes;
  std::vector<SessionStatus> sessions;
};

Snapshot take_snapshot(Session& session);

struct PipeRate {
  PipeStatus pipe;  // as of the later look
  double pushed_per_s = 0;
  double popped_per_s = 0;
  double pushed_bytes_per_s = 0;
  double popped_bytes_per_s = 0;
  double waits_per_s = 0;  // of producers and consumers
};

struct SessionRate {
  SessionStatus session;
  double pushed_per_s = 0;
  double popped_per_s = 0;
};

// In order of the names. A pipe that is new since the earlier look counts from zero; one that was
// removed and created again under its name is a new one.
std::vector<PipeRate> pipe_rates(const Snapshot& earlier, const Snapshot& later);
// In order of the ids. A session that is new, or whose counters went back because it closed a
// pipe, has no rate this time.
std::vector<SessionRate> session_rates(const Snapshot& earlier, const Snapshot& later);

}  // namespace tarn::tools
