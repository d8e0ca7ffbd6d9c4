#include "client/node_status.h"

#include <algorithm>

namespace tarn {

NodeStatus to_status(const wire::StatusReply& reply) {
  NodeStatus status;
  status.application = wire::get_text(reply.application);
  status.user = wire::get_text(reply.user);
  status.directory = wire::get_text(reply.directory);
  status.version = wire::get_text(reply.version);
  status.keeper_pid = reply.keeper_pid;
  status.worker_pid = reply.worker_pid;
  status.worker_starts = reply.worker_starts;
  status.age_ns = reply.age_ns;
  status.ends_when_idle = reply.ends_when_idle != 0;
  status.limit_bytes = reply.limit_bytes;
  status.used_bytes = reply.used_bytes;
  status.sessions = reply.sessions;
  status.pipes = reply.pipes;
  status.segments = reply.segments;
  status.orphan_segments = reply.orphan_segments;
  status.recovered_sessions = reply.recovered_sessions;
  status.recover_pid = reply.recover_pid;
  status.recover_starts = reply.recover_starts;
  status.quarantined = reply.quarantined;
  const auto told = std::min<std::size_t>(reply.verdict_count, reply.verdicts.size());
  for (std::size_t i = 0; i < told; ++i) {
    const wire::VerdictFacts& verdict = reply.verdicts[i];
    status.verdicts.push_back({std::string(wire::get_text(verdict.object)),
                               std::string(wire::get_text(verdict.text)), verdict.age_ns});
  }
  status.clients = reply.clients;
  status.longest_stop_ns = reply.longest_stop_ns;
  status.service = (reply.service & wire::kServiceNotified) != 0;
  status.watchdog = (reply.service & wire::kServiceWatched) != 0;
  status.socket_activated = (reply.service & wire::kServiceActivated) != 0;
  status.keeps_descriptors = (reply.service & wire::kServiceKeeps) != 0;
  return status;
}

}  // namespace tarn
