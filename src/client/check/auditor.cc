#include "client/check/auditor.h"

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "client/check/surroundings.h"
#include "os/examine/process_facts.h"

namespace tarn::check {
namespace {

using namespace std::chrono_literals;
using audit::Finding;
using audit::Proof;

// How often what compares two readings has to be seen, the first time included.
constexpr std::uint32_t kSightings = 4;
constexpr auto kFirstPause = 1ms;
constexpr std::chrono::milliseconds kLongestPause = 100ms;

// As Finding::is_same_as().
using Identity = std::tuple<audit::Kind, audit::Place, std::uint64_t>;
Identity identity_of(const Finding& finding) {
  return {finding.kind, finding.place, finding.evidence};
}

}  // namespace

Result<Audit, Error> Auditor::run() {
  const Deadline patience = Deadline::in(options_.patience);
  auto first = look();
  if (!first) return std::move(first).error();
  sort_out(*std::move(first));
  std::chrono::milliseconds pause = kFirstPause;
  while (!suspects_.empty()) {
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
    // Asked before the look: what is seen then has lasted so long.
    const bool is_over = patience.has_passed();
    const auto again = look();
    if (!again) return again.error();
    confirm(*again, is_over);
  }
  return std::move(audit_);
}

Result<std::vector<Finding>, Error> Auditor::look() {
  auto node = reader_.read();
  if (!node) return std::move(node).error();
  ++audit_.looks;
  audit_.node_id = node->figures.node_id;
  if (options_.progress) {
    options_.progress("look " + std::to_string(audit_.looks) + ": " +
                      std::to_string(node->sessions.size()) + " sessions, " +
                      std::to_string(node->pipes.size()) + " pipes, " +
                      std::to_string(node->slabs.size()) + " slabs");
  }
  if (audit_.looks > 1) leave_stopped_alone(*node);
  std::vector<Finding> found = audit::audit_node(*node, audit_.counts);
  if (paths_ != nullptr) {
    audit::Findings around;
    check_run_directory(*paths_, *node, around);
    check_descriptors(*node, around);
    for (Finding& each : around.take()) found.push_back(std::move(each));
  }
  return found;
}

// Whoever is stopped between two steps cannot take the second.
void Auditor::leave_stopped_alone(audit::NodeImage& node) const {
  for (auto& [index, session] : node.sessions) session.is_stopped = os::is_stopped(session.pid);
}

// What is proved, up to as many of a kind as are worth it.
void Auditor::tell(Finding finding) {
  if (told_.count(finding.kind, finding.place) > audit::kMostTold) return;
  audit_.findings.push_back(std::move(finding));
}

void Auditor::sort_out(std::vector<Finding> first) {
  for (Finding& finding : first) {
    const Proof proof = audit::proof_of(finding.kind);
    if (proof == Proof::at_once) {
      tell(std::move(finding));
    } else if (proof == Proof::twice || options_.patience > 0ms) {
      suspects_.push_back({std::move(finding)});
    }
  }
}

void Auditor::confirm(const std::vector<Finding>& again, bool patience_is_over) {
  std::set<Identity> seen;
  for (const Finding& each : again) seen.insert(identity_of(each));
  std::vector<Suspect> left;
  for (Suspect& suspect : suspects_) {
    if (!seen.contains(identity_of(suspect.finding))) continue;
    ++suspect.seen;
    const bool is_lasting = audit::proof_of(suspect.finding.kind) == Proof::lasting;
    if (is_lasting ? patience_is_over : suspect.seen >= kSightings) {
      tell(std::move(suspect.finding));
    } else {
      left.push_back(std::move(suspect));
    }
  }
  suspects_ = std::move(left);
}

}  // namespace tarn::check
