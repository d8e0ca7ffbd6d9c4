#include "tools/print/status_json.h"

#include "tarn/pipe.h"

namespace tarn::tools {

using Json = nlohmann::ordered_json;

std::string_view name_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::ok:
      return "ok";
    case Severity::notice:
      return "notice";
    case Severity::warning:
      return "warning";
    case Severity::problem:
      return "problem";
  }
  return "unknown";
}

Json json_of(const NodeStatus& node) {
  Json verdicts = Json::array();
  for (const Quarantined& each : node.verdicts) {
    verdicts.push_back(
        {{"object", each.object}, {"verdict", each.verdict}, {"age_ns", each.age_ns}});
  }
  return {{"application", node.application},
          {"user", node.user},
          {"directory", node.directory},
          {"version", node.version},
          {"keeper_pid", node.keeper_pid},
          {"worker_pid", node.worker_pid},
          {"worker_starts", node.worker_starts},
          {"age_ns", node.age_ns},
          {"ends_when_idle", node.ends_when_idle},
          {"limit_bytes", node.limit_bytes},
          {"used_bytes", node.used_bytes},
          {"sessions", node.sessions},
          {"pipes", node.pipes},
          {"segments", node.segments},
          {"orphan_segments", node.orphan_segments},
          {"recovered_sessions", node.recovered_sessions},
          {"recover_pid", node.recover_pid},
          {"recover_starts", node.recover_starts},
          {"quarantined", node.quarantined},
          {"verdicts", verdicts},
          {"clients", node.clients},
          {"longest_stop_ns", node.longest_stop_ns},
          {"service", node.service},
          {"watchdog", node.watchdog},
          {"socket_activated", node.socket_activated},
          {"keeps_descriptors", node.keeps_descriptors}};
}

Json json_of(const PipeStatus& pipe) {
  return {{"id", pipe.id},
          {"name", pipe.name},
          {"capacity", pipe.capacity},
          {"delivery", name_of(pipe.delivery)},
          {"closed", pipe.closed},
          {"depth", pipe.depth},
          {"depth_high_water", pipe.depth_high_water},
          {"pushed", pipe.pushed},
          {"popped", pipe.popped},
          {"pushed_bytes", pipe.pushed_bytes},
          {"popped_bytes", pipe.popped_bytes},
          {"push_waits", pipe.push_waits},
          {"pop_waits", pipe.pop_waits},
          {"skipped", pipe.skipped},
          {"redelivered", pipe.redelivered},
          {"copied_in", pipe.copied_in},
          {"producers", pipe.producers},
          {"consumers", pipe.consumers},
          {"sessions", pipe.sessions}};
}

Json json_of(const SessionStatus& session) {
  return {{"id", session.id},
          {"generation", session.generation},
          {"pid", session.pid},
          {"uid", session.uid},
          {"name", session.name},
          {"age_ns", session.age_ns},
          {"connected", session.connected},
          {"segments", session.segments},
          {"segment_bytes", session.segment_bytes},
          {"quota_bytes", session.quota_bytes},
          {"pipes", session.pipes},
          {"holds", session.holds},
          {"pushed", session.pushed},
          {"popped", session.popped}};
}

Json json_of(const Finding& finding) {
  return {{"severity", name_of(finding.severity)},
          {"subject", finding.subject},
          {"found", finding.found},
          {"cure", finding.cure}};
}

}  // namespace tarn::tools
