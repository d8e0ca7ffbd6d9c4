// What tarn/check.h promises, out of its parts.
#include "tarn/check.h"

#include <memory>
#include <utility>

#include "client/check/auditor.h"
#include "client/domain.h"
#include "client/observer.h"
#include "tarn/session.h"

namespace tarn {
namespace {

Defect defect_of(const audit::Finding& finding) {
  Defect defect;
  defect.kind = audit::word_of(finding.kind);
  defect.object = finding.object;
  defect.found = finding.found;
  defect.cure = audit::cure_of(finding.kind);
  defect.is_problem = audit::is_problem(finding.kind);
  return defect;
}

CheckReport report_of(const check::Audit& audit, std::int64_t began_ns) {
  CheckReport report;
  for (const audit::Finding& finding : audit.findings) {
    report.defects.push_back(defect_of(finding));
  }
  report.segments = audit.counts.segments;
  report.pipes = audit.counts.pipes;
  report.slots = audit.counts.slots;
  report.sessions = audit.counts.sessions;
  report.holds = audit.counts.holds;
  report.quarantined = audit.counts.quarantined;
  report.looks = audit.looks;
  report.took_ns = static_cast<std::uint64_t>(monotonic_ns() - began_ns);
  return report;
}

}  // namespace

CheckReport check_node(const ConnectOptions& options, const CheckOptions& check) {
  const std::int64_t began_ns = monotonic_ns();
  const auto domain = domain_of(options);
  if (!domain) throw domain.error();
  const auto observer = detail::Observer::create(*domain);
  if (!observer) throw observer.error();
  check::Auditor auditor(
      [&](std::span<const std::byte> request) {
        return (*observer)->ask_for_reply(request, "audit the node");
      },
      &domain->paths, check);
  const auto audit = auditor.run();
  if (!audit) throw audit.error();
  return report_of(*audit, began_ns);
}

}  // namespace tarn
