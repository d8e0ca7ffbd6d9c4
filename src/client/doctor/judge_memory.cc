#include <algorithm>

#include "client/doctor/judge.h"

namespace tarn::doctor {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kSmallDomain = 64 * kMiB;  // one slab of the largest kind
constexpr std::uint64_t kSmallShm = 1024 * kMiB;

void judge_room(const os::MemoryLimits& limits, Report& report) {
  const std::string subject = "memory";
  if (limits.machine_bytes == 0) {
    return report.problem(subject, "/proc/meminfo tells nothing: a domain's limit would be 0",
                          "mount -t proc proc /proc, or set TARN_LIMIT, as in 512MiB");
  }
  const std::uint64_t most = domain_limit_bytes(limits);
  const std::uint64_t left = limits.left_bytes();
  const std::string found = in_bytes(limits.machine_bytes) + ", " + in_bytes(left) +
                            " available; a new domain may take " + in_bytes(most);
  if (most < kSmallDomain) {
    report.warning(subject, found + ", which is less than one large slab",
                   "give the machine or the cgroup at least 128 MiB");
  } else if (left < kSmallDomain) {
    report.warning(subject, found, "end what uses the memory, or raise the cgroup's limit");
  } else if (left < most) {
    report.notice(subject, found + ", more than is available: sends may be refused before that",
                  "end what uses the memory, or give the domain less (TARN_LIMIT)");
  } else {
    report.ok(subject, found);
  }
}

void judge_cgroup(const os::MemoryLimits& limits, Report& report) {
  if (!limits.cgroup_bytes) return report.ok("cgroup", "sets no limit below the machine's memory");
  const std::uint64_t left = limits.cgroup_left_bytes.value_or(0);
  const std::string found =
      "allows " + in_bytes(*limits.cgroup_bytes) + ", " + in_bytes(left) + " left";
  if (left < *limits.cgroup_bytes / 10) {
    return report.warning("cgroup", found + ": the kernel kills somebody when nothing is left",
                          "raise memory.max (version 1: memory.limit_in_bytes), or end a process "
                          "in the group");
  }
  report.ok("cgroup", found);
}

void judge_overcommit(const MemoryFacts& facts, Report& report) {
  const std::string subject = "memory overcommit";
  if (!facts.overcommit_mode) {
    return report.notice(subject, "/proc/sys/vm/overcommit_memory cannot be read",
                         "look on the host: sysctl vm.overcommit_memory");
  }
  if (*facts.overcommit_mode != 2) return report.ok(subject, "not restricted");
  const std::uint64_t limit = facts.commit_limit_bytes.value_or(0);
  const std::uint64_t left = limit - std::min(limit, facts.committed_bytes.value_or(0));
  const std::string found = "vm.overcommit_memory=2: " + in_bytes(left) + " of " + in_bytes(limit) +
                            " may still be promised";
  if (left < domain_limit_bytes(facts.limits)) {
    return report.warning(subject, found + ", less than a domain may take",
                          "sysctl vm.overcommit_memory=0, or raise vm.overcommit_ratio");
  }
  report.ok(subject, found);
}

void judge_shm(const MemoryFacts& facts, Report& report) {
  if (!facts.shm) return report.ok("/dev/shm", "is not there; tarn does not use it");
  const bool small = facts.shm->total_bytes < kSmallShm;
  report.ok("/dev/shm", in_bytes(facts.shm->total_bytes) +
                            (small ? ", which is little, but tarn does not use it: nothing to do"
                                   : "; tarn does not use it"));
}

// The word in brackets.
std::string chosen_of(const std::string& choices) {
  const auto begin = choices.find('[');
  const auto end = choices.find(']', begin);
  if (begin == std::string::npos || end == std::string::npos) return {};
  return choices.substr(begin + 1, end - begin - 1);
}

void judge_huge_pages(const MemoryFacts& facts, Report& report) {
  const std::string subject = "huge pages";
  const std::string chosen = chosen_of(facts.huge_shmem);
  if (chosen.empty()) {
    report.notice(subject, "shared memory has none: the kernel was built without, or hides it",
                  "use a kernel with transparent huge pages if messages are of many MiB");
  } else if (chosen == "always" || chosen == "within_size" || chosen == "force") {
    report.ok(subject, "shared memory gets them ('" + chosen + "')");
  } else {
    report.notice(subject, "shared memory gets none ('" + chosen + "'): large messages cost more",
                  "echo within_size > /sys/kernel/mm/transparent_hugepage/shmem_enabled");
  }
  const std::uint64_t idle = facts.huge_free_bytes.value_or(0);
  if (idle > 0) {
    report.notice("hugetlb",
                  in_bytes(idle) + " of " + in_bytes(facts.huge_reserved_bytes.value_or(idle)) +
                      " reserved lie idle, and tarn cannot use them",
                  "sysctl vm.nr_hugepages=0, unless another program needs them");
  } else {
    report.ok("hugetlb", "holds no idle memory back");
  }
}

}  // namespace

Findings judge(const MemoryFacts& facts) {
  Report report;
  judge_room(facts.limits, report);
  judge_cgroup(facts.limits, report);
  judge_overcommit(facts, report);
  judge_shm(facts, report);
  judge_huge_pages(facts, report);
  return report.take();
}

}  // namespace tarn::doctor
