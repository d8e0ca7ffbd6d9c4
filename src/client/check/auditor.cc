#include "client/check/auditor.h"

#include <algorithm>
#include <string>
#include <thread>
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

void Auditor::sort_out(std::vector<Finding> first) {
  for (Finding& finding : first) {
    const Proof proof = audit::proof_of(finding.kind);
    if (proof == Proof::at_once) {
      audit_.findings.push_back(std::move(finding));
    } else if (proof == Proof::twice || options_.patience > 0ms) {
      suspects_.push_back({std::move(finding)});
    }
  }
}

void Auditor::confirm(const std::vector<Finding>& again, bool patience_is_over) {
  std::vector<Suspect> left;
  for (Suspect& suspect : suspects_) {
    const bool is_there = std::any_of(again.begin(), again.end(), [&](const Finding& each) {
      return each.is_same_as(suspect.finding);
    });
    if (!is_there) continue;
    ++suspect.seen;
    const bool is_lasting = audit::proof_of(suspect.finding.kind) == Proof::lasting;
    if (is_lasting ? patience_is_over : suspect.seen >= kSightings) {
      audit_.findings.push_back(std::move(suspect.finding));
    } else {
      left.push_back(std::move(suspect));
    }
  }
  suspects_ = std::move(left);
}

}  // namespace tarn::check
