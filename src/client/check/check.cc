// What tarn/check.h promises, out of its parts.
#include "tarn/check.h"

#include <algorithm>
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

void fill_in(CheckReport& report, const check::Audit& audit, std::int64_t began_ns) {
  report.segments = audit.counts.segments;
  report.pipes = audit.counts.pipes;
  report.slots = audit.counts.slots;
  report.sessions = audit.counts.sessions;
  report.holds = audit.counts.holds;
  report.quarantined = audit.counts.quarantined;
  report.looks += audit.looks;
  report.took_ns = static_cast<std::uint64_t>(monotonic_ns() - began_ns);
}

// A node that is asked to check, and perhaps to repair.
class Inspection {
 public:
  Inspection(const ConnectOptions& options, const CheckOptions& check) : check_(check) {
    auto domain = domain_of(options);
    if (!domain) throw std::move(domain).error();
    auto observer = detail::Observer::create(*domain);
    if (!observer) throw std::move(observer).error();
    observer_ = *std::move(observer);
  }

  check::Audit audit() {
    check::Auditor auditor([this](auto request) { return ask(request); },
                           &observer_->domain().paths, check_);
    auto audit = auditor.run();
    if (!audit) throw std::move(audit).error();
    return *std::move(audit);
  }

  // Of that node alone; node_lost when another has taken its place.
  Defect repair(std::uint64_t node_id, const audit::Finding& finding) {
    auto request = wire::make<wire::AuditRepair>(0);
    request.node_id = node_id;
    request.kind = static_cast<std::uint32_t>(finding.kind);
    request.object = static_cast<std::uint32_t>(finding.place.object);
    request.index = finding.place.index;
    request.generation = finding.place.generation;
    request.part = finding.place.part;
    request.evidence = finding.evidence;
    const auto answer = observer_->ask<wire::AuditRepaired>(request, "repair the node");
    if (!answer) throw answer.error();
    Defect defect = defect_of(finding);
    defect.outcome = answer->outcome == wire::RepairOutcome::repaired      ? "repaired"
                     : answer->outcome == wire::RepairOutcome::quarantined ? "quarantined"
                                                                           : "left";
    defect.verdict = wire::get_text(answer->verdict);
    return defect;
  }

 private:
  Result<Reply, Error> ask(std::span<const std::byte> request) {
    return observer_->ask_for_reply(request, "audit the node");
  }

  const CheckOptions check_;
  std::shared_ptr<detail::Observer> observer_;
};

// It is there again, as if nothing had been done.
void note_relapse(Defect& defect) {
  if (defect.outcome == "left") return;
  defect.verdict = "it is there again after this: " + defect.verdict;
  defect.outcome = "left";
}

// A repair may uncover what it covered, and of one kind only so many are found at once.
constexpr int kMostRounds = 32;

}  // namespace

CheckReport check_node(const ConnectOptions& options, const CheckOptions& check) {
  const std::int64_t began_ns = monotonic_ns();
  const check::Audit audit = Inspection(options, check).audit();
  CheckReport report;
  for (const audit::Finding& finding : audit.findings) {
    report.defects.push_back(defect_of(finding));
  }
  fill_in(report, audit, began_ns);
  return report;
}

CheckReport repair_node(const ConnectOptions& options, const CheckOptions& check) {
  const std::int64_t began_ns = monotonic_ns();
  Inspection inspection(options, check);
  CheckReport report;
  std::vector<audit::Finding> known;  // as the report's defects
  bool has_changed = true;
  for (int round = 0; has_changed && round < kMostRounds; ++round) {
    has_changed = false;
    const check::Audit audit = inspection.audit();
    fill_in(report, audit, began_ns);
    for (const audit::Finding& finding : audit.findings) {
      const auto before = std::find_if(known.begin(), known.end(),
                                       [&](const auto& each) { return each.is_same_as(finding); });
      if (before != known.end()) {
        note_relapse(report.defects[static_cast<std::size_t>(before - known.begin())]);
        continue;
      }
      known.push_back(finding);
      report.defects.push_back(inspection.repair(audit.node_id, finding));
      has_changed |= report.defects.back().outcome != "left";
    }
  }
  return report;
}

}  // namespace tarn
