#include <algorithm>

#include "client/doctor/judge.h"
#include "shm/session/session_layout.h"

namespace tarn::doctor {
namespace {

// What a session takes in its own process, and in the node: socket, its segment, a pidfd or a
// wake-up; one more for each segment it owns. A guess at how many those are: four sizes of message,
// four slabs of each.
constexpr std::uint64_t kPerSession = 3;
constexpr std::uint64_t kUsualSegments = 16;
constexpr std::uint64_t kInPassing = 4;  // beside one message on the socket
constexpr std::uint64_t kNodeOwn = 32;   // listener, poller, log, lock, tables
constexpr std::uint64_t kFewSessions = 16;

constexpr std::uint64_t kSmallAddressSpace = std::uint64_t{4} << 30;
constexpr std::uint64_t kFewMappings = 4096;

std::uint64_t less(std::uint64_t value, std::uint64_t taken) {
  return value - std::min(value, taken);
}

std::string limit_text(std::uint64_t limit) {
  return limit == os::kUnlimited ? "unlimited" : std::to_string(limit);
}

void judge_session_descriptors(const LimitFacts& facts, Report& report) {
  const std::string subject = "open files";
  const std::uint64_t soft = facts.resources.descriptors_soft;
  const std::uint64_t left = less(soft, facts.open_descriptors);
  const std::uint64_t segments = less(left, kPerSession + kInPassing);
  const std::string found =
      "soft limit " + limit_text(soft) + ", " + std::to_string(facts.open_descriptors) +
      " open here; a session takes " + std::to_string(kPerSession) + ", " +
      std::to_string(kInPassing) + " in passing, and one a segment: room for " +
      (soft == os::kUnlimited ? "any number of segments" : counted(segments, "segment"));
  const std::string cure =
      "ulimit -n " + limit_text(std::min<std::uint64_t>(facts.resources.descriptors_hard, 4096));
  if (segments == 0) {
    report.problem(subject, found, cure + ", or raise the hard limit");
  } else if (segments < 4 * kUsualSegments) {
    report.warning(subject, found, cure + ", or raise the hard limit");
  } else {
    report.ok(subject, found);
  }
}

void judge_node_descriptors(const os::ResourceLimits& limits, Report& report) {
  const std::string subject = "open files of a node";
  const std::uint64_t hard = limits.descriptors_hard;
  if (hard == os::kUnlimited) return report.ok(subject, "no hard limit");
  const std::uint64_t each = kPerSession + kUsualSegments;
  const std::uint64_t sessions = less(hard, kNodeOwn) / each;
  const std::string found = "hard limit " + std::to_string(hard) +
                            ", which a node takes: " + std::to_string(kPerSession) +
                            " a session, one a segment, one a pipe: " + "room for about " +
                            counted(sessions, "session") + " of " + std::to_string(kUsualSegments) +
                            " segments";
  const std::string cure =
      "raise the hard limit: /etc/security/limits.conf, LimitNOFILE= of a service, --ulimit "
      "nofile= "
      "of a container";
  if (sessions == 0) return report.problem(subject, found, cure);
  if (sessions < kFewSessions) return report.warning(subject, found, cure);
  report.ok(subject, found);
}

void judge_address_space(const os::ResourceLimits& limits, Report& report) {
  const std::uint64_t most = limits.address_space;
  if (most == os::kUnlimited) return report.ok("address space", "not limited");
  const std::string found = in_bytes(most) +
                            ": every process maps the segments of all it receives from, and " +
                            in_bytes(layout::kSessionBytes) + " for each session it meets";
  if (most < kSmallAddressSpace)
    return report.warning("address space", found, "ulimit -v unlimited");
  report.notice("address space", found, "ulimit -v unlimited");
}

void judge_file_size(const os::ResourceLimits& limits, Report& report) {
  const std::uint64_t most = limits.file_size;
  if (most == os::kUnlimited) return report.ok("file size", "not limited");
  const std::string found = in_bytes(most) + ", which counts for shared memory too: ";
  if (most < layout::kSessionBytes) {
    report.problem("file size", found + "SIGXFSZ ends whoever connects", "ulimit -f unlimited");
  } else {
    report.warning("file size", found + "SIGXFSZ ends whoever needs a larger segment",
                   "ulimit -f unlimited");
  }
}

void judge_mappings(const std::optional<std::uint64_t>& most, Report& report) {
  if (!most) {
    return report.notice("mappings", "/proc/sys/vm/max_map_count cannot be read",
                         "look on the host: sysctl vm.max_map_count");
  }
  const std::string found = std::to_string(*most) + " a process, and each segment takes one";
  if (*most < kFewMappings) {
    return report.warning("mappings", found, "sysctl vm.max_map_count=65530");
  }
  report.ok("mappings", found);
}

}  // namespace

Findings judge(const LimitFacts& facts) {
  Report report;
  judge_session_descriptors(facts, report);
  judge_node_descriptors(facts.resources, report);
  judge_address_space(facts.resources, report);
  judge_file_size(facts.resources, report);
  judge_mappings(facts.most_mappings, report);
  return report.take();
}

}  // namespace tarn::doctor
