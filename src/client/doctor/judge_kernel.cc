#include <cerrno>
#include <charconv>

#include "client/doctor/judge.h"

namespace tarn::doctor {
namespace {

struct KernelVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};

// F_SEAL_FUTURE_WRITE came with 5.1; futex_waitv, the last thing that has a detour, with 5.16.
constexpr KernelVersion kLeast{5, 1};
constexpr KernelVersion kFull{5, 16};

// {0, 0} when the text begins otherwise than "6.1".
KernelVersion version_of(const std::string& release) {
  KernelVersion version;
  const char* const end = release.data() + release.size();
  const auto major = std::from_chars(release.data(), end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return {};
  const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
  return minor.ec == std::errc() ? version : KernelVersion{};
}

void judge_release(const std::string& release, Report& report) {
  const KernelVersion version = version_of(release);
  const std::string found = "Linux " + release;
  if (version == KernelVersion{}) {
    report.notice("kernel", "'" + release + "' does not tell its version",
                  "go by the features below");
  } else if (version < kLeast) {
    report.problem("kernel", found + " cannot seal memory against other writers",
                   "use Linux 5.1 or later, best 5.16");
  } else if (version < kFull) {
    report.warning("kernel", found + " works, with slower detours for what it lacks",
                   "use Linux 5.16 or later");
  } else {
    report.ok("kernel", found);
  }
}

std::string cure_of_step(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n, fs.file-max)";
    case ENOMEM:
    case ENOSPC:
      return "free memory, or raise the limit of the cgroup or of address space (ulimit -v)";
    case ENOSYS:
    case EPERM:
    case EACCES:
      return "use Linux 5.1 or later; in a container, let its seccomp profile allow memfd_create, "
             "fallocate, mmap and fcntl";
    default:
      return "use Linux 5.1 or later, and not an emulation of it";
  }
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void judge_seals(const os::SealProbe& probe, Report& report) {
  const std::string subject = "memory seals";
  const std::string emulated = "use a Linux kernel of 5.1 or later, and not an emulation of it";
  if (!probe.tried) {
    return report.problem(subject, "not tried: the limit of file size would end the process",
                          "ulimit -f unlimited");
  }
  if (!probe.failed_step.empty()) {
    return report.problem(subject, "cannot " + probe.failed_step + ": " + in_words(probe.error),
                          cure_of_step(probe.error));
  }
  if (!probe.writer_still_writes) {
    report.problem(subject, "readers do not see what the writer's earlier mapping writes",
                   emulated);
  } else if (!probe.open_doors.empty()) {
    report.problem(subject, "sealed memory still allows " + listed(probe.open_doors), emulated);
  } else {
    report.ok(subject, "one writer: a second one is refused, the first one's mapping still writes");
  }
  if (probe.futex_waits_read_only) {
    report.ok("futex", "waits through a read-only mapping");
  } else {
    report.problem("futex", "does not wait through a read-only mapping", emulated);
  }
}

void judge_call(int error, const std::string& name, const std::string& without,
                const std::string& since, Report& report) {
  if (error == 0) return report.ok(name, "works");
  report.notice(
      name, in_words(error) + ": " + without,
      "use Linux " + since + " or later; in a container, let its seccomp profile allow " + name);
}

void judge_pidfds(const KernelFacts& facts, Report& report) {
  if (facts.pidfd_open != 0 && facts.peer_pidfd != 0) {
    return report.problem(
        "pidfd",
        "neither pidfd_open nor SO_PEERPIDFD works: the node admits no session (" +
            in_words(facts.pidfd_open) + ")",
        "use Linux 5.3 or later; in a container, let its seccomp profile allow "
        "pidfd_open");
  }
  judge_call(facts.pidfd_open, "pidfd_open", "the end of a socket tells of a death instead", "5.3",
             report);
  judge_call(facts.peer_pidfd, "SO_PEERPIDFD", "pidfd_open and a second look are used instead",
             "6.5", report);
}

}  // namespace

Findings judge(const KernelFacts& facts) {
  Report report;
  judge_release(facts.release, report);
  judge_seals(facts.seals, report);
  judge_call(facts.populate_write, "MADV_POPULATE_WRITE", "first touches of memory cost more",
             "5.14", report);
  judge_call(facts.futex_waitv, "futex_waitv",
             "waiting for several things at once looks every millisecond", "5.16", report);
  judge_pidfds(facts, report);
  if (facts.sees_itself) {
    report.ok("/proc", "shows processes");
  } else {
    report.problem("/proc", "does not show this process: nobody can be told from a reused pid",
                   "mount -t proc proc /proc");
  }
  return report.take();
}

}  // namespace tarn::doctor
