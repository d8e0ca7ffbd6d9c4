// judge.h - from what was found to what it means: pure functions, one for each subject.
//
// A problem keeps tarn from working. A warning lets it work for now, or not for everybody. A notice
// costs speed or knowledge. Each of the three comes with its cure.
#pragma once

#include <string>
#include <vector>

#include "client/doctor/host_facts.h"
#include "tarn/node.h"

namespace tarn::doctor {

using Findings = std::vector<Finding>;

Findings judge(const KernelFacts& facts);
Findings judge(const MemoryFacts& facts);
Findings judge(const LimitFacts& facts);
Findings judge(const MachineFacts& facts);
Findings judge(const RunFacts& facts);
Findings judge(const LeftoverFacts& facts);
// `memory` tells whether the node's limit still fits the machine.
Findings judge(const NodeFacts& facts, const MemoryFacts& memory);
// Who else may use the node.
Findings judge(const AccessStatus& access);
// All of them, in this order.
Findings judge(const HostFacts& facts);

// What a new domain may take: half of what the machine, or the cgroup if that is tighter, has.
std::uint64_t domain_limit_bytes(const os::MemoryLimits& limits) noexcept;

// "1.5 GiB", "300 bytes".
std::string in_bytes(std::uint64_t bytes);
// "Function not implemented (errno 38)".
std::string in_words(int error);
// "1 session", "2 sessions".
std::string counted(std::uint64_t count, const std::string& noun);

// Findings in the order in which they are made.
class Report {
 public:
  void ok(std::string subject, std::string found) {
    add(Severity::ok, std::move(subject), std::move(found), {});
  }
  void notice(std::string subject, std::string found, std::string cure) {
    add(Severity::notice, std::move(subject), std::move(found), std::move(cure));
  }
  void warning(std::string subject, std::string found, std::string cure) {
    add(Severity::warning, std::move(subject), std::move(found), std::move(cure));
  }
  void problem(std::string subject, std::string found, std::string cure) {
    add(Severity::problem, std::move(subject), std::move(found), std::move(cure));
  }
  void add(Severity severity, std::string subject, std::string found, std::string cure) {
    findings_.push_back({severity, std::move(subject), std::move(found), std::move(cure)});
  }
  Findings take() { return std::move(findings_); }

 private:
  Findings findings_;
};

}  // namespace tarn::doctor
