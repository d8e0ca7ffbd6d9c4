#include <algorithm>
#include <cstdint>
#include <utility>

#include "client/doctor/judge.h"

namespace tarn::doctor {
namespace {

// A dead node's files are harmless: who takes the lock next replaces them.
constexpr const char* kReplaced = "start a node (`tarn up`): it replaces what is there";

std::string quoted(const std::string& path) { return "'" + path + "'"; }

bool answers(const LeftoverFacts& facts) {
  return facts.socket.kind == os::PathKind::socket && facts.answer == os::SocketAnswer::listening;
}

// False when the file is not what a node of ours would have made.
bool judge_kind(const os::PathFacts& file, os::PathKind wanted, const char* subject,
                std::uint32_t uid, Report& report) {
  if (file.kind == os::PathKind::missing) return true;
  if (file.kind == wanted && file.uid == uid) return true;
  const std::string why =
      file.kind == os::PathKind::unreadable ? " cannot be examined: " + in_words(file.error)
      : file.kind == os::PathKind::link     ? " is a link to " + quoted(file.link_target)
      : file.kind != wanted                 ? " is not what a node makes"
                                            : " belongs to uid " + std::to_string(file.uid);
  report.problem(subject, quoted(file.path) + why, "remove it, and look who made it");
  return false;
}

void judge_pid_file(const LeftoverFacts& facts, Report& report) {
  const std::string subject = "pid file";
  if (!judge_kind(facts.pid_file, os::PathKind::file, "pid file", facts.uid, report)) return;
  if (facts.pid_file.kind == os::PathKind::missing) {
    if (!answers(facts)) return;
    return report.warning(
        subject, quoted(facts.pid_file.path) + " is gone, though a node runs",
        "restart the node (`tarn down`, `tarn up`), and see what cleans up there");
  }
  const std::string pid = std::to_string(facts.pid);
  if (facts.pid == 0) {
    report.warning(subject, quoted(facts.pid_file.path) + " names no process", kReplaced);
  } else if (!facts.pid_runs) {
    report.warning(subject, "names process " + pid + ", which is dead: the node was killed",
                   kReplaced);
  } else if (answers(facts) || facts.lock_holder == facts.pid) {
    report.ok(subject, "names process " + pid + ", which runs");
  } else {
    report.warning(subject, "names process " + pid + ", which is another program by now",
                   kReplaced);
  }
}

void judge_lock(const LeftoverFacts& facts, Report& report) {
  if (!judge_kind(facts.lock_file, os::PathKind::file, "lock", facts.uid, report)) return;
  if (facts.lock_holder) {
    report.ok("lock", "held by process " + std::to_string(*facts.lock_holder));
  } else if (facts.lock_file.kind == os::PathKind::file) {
    report.ok("lock", answers(facts) ? "there; its holder cannot be seen from here"
                                     : "there and free: a node ended without removing it");
  }
}

// A node holds the lock, but nobody can reach it.
void judge_unreachable(const LeftoverFacts& facts, Report& report) {
  const std::string pid = std::to_string(*facts.lock_holder);
  report.problem("socket",
                 quoted(facts.socket.path) +
                     (facts.socket.kind == os::PathKind::missing ? " is gone" : " leads nowhere") +
                     ", though process " + pid + " holds the lock: nobody reaches that node",
                 "unless it is just starting: kill " + pid + ", then start a node (`tarn up`)");
}

void judge_socket(const LeftoverFacts& facts, Report& report) {
  if (!judge_kind(facts.socket, os::PathKind::socket, "socket", facts.uid, report)) return;
  const bool dead =
      facts.socket.kind == os::PathKind::missing || facts.answer == os::SocketAnswer::nobody;
  if (dead && facts.lock_holder) return judge_unreachable(facts, report);
  if (facts.socket.kind == os::PathKind::missing) return;
  switch (facts.answer) {
    case os::SocketAnswer::listening:
      return report.ok("socket", "somebody listens");
    case os::SocketAnswer::nobody:
      return report.warning("socket", quoted(facts.socket.path) + ": nobody listens there",
                            kReplaced);
    case os::SocketAnswer::queue_full:
      return report.problem("socket", "the node accepts nobody: its queue is full",
                            "see whether it is stopped (state T in `ps`), else kill it and start "
                            "another: `tarn up`");
    case os::SocketAnswer::refused:
      return report.problem("socket", quoted(facts.socket.path) + " cannot be connected to",
                            "remove it, and look who made it");
  }
}

void judge_log(const LeftoverFacts& facts, Report& report) {
  if (facts.last_error.empty()) return;
  report.add(answers(facts) ? Severity::notice : Severity::warning, "log", facts.last_error,
             "see " + quoted(facts.log_path));
}

// 80 % of `limit`, without overflow.
bool is_nearly(std::uint64_t used, std::uint64_t limit) { return used > limit - limit / 5; }

void judge_version(const NodeFacts& facts, Report& report) {
  const NodeStatus& status = *facts.status;
  const std::string processes = "keeper " + std::to_string(status.keeper_pid) + ", worker " +
                                std::to_string(status.worker_pid) + ", " +
                                counted(status.sessions, "session") + ", " +
                                counted(status.pipes, "pipe");
  if (status.version == facts.own_version) {
    return report.ok("node", "runs: version " + status.version + ", " + processes);
  }
  report.warning("node",
                 "runs version " + status.version + ", this program has " + facts.own_version +
                     ": " + processes,
                 "restart the node from the same installation: `tarn down`, `tarn up`");
}

void judge_restarts(const NodeFacts& facts, Report& report) {
  const std::uint32_t starts = facts.status->worker_starts;
  if (starts <= 1) return;
  report.warning("node's worker", "was restarted " + counted(starts - 1, "time"),
                 "see " + quoted(facts.log_path) + " for why, and report it");
}

void judge_memory(const NodeStatus& status, const MemoryFacts& memory, Report& report) {
  const std::string subject = "node's memory";
  const std::string found =
      in_bytes(status.used_bytes) + " of " + in_bytes(status.limit_bytes) + " in use";
  const os::MemoryLimits& limits = memory.limits;
  const std::uint64_t there =
      std::min(limits.machine_bytes, limits.cgroup_bytes.value_or(limits.machine_bytes));
  if (is_nearly(status.used_bytes, status.limit_bytes)) {
    report.warning(subject, found,
                   "see `tarn session ls` for who holds it, and end or drain that; or restart the "
                   "node with a higher TARN_LIMIT");
  } else if (there != 0 && status.limit_bytes > there) {
    report.warning(subject, found + ", though the machine or the cgroup has " + in_bytes(there),
                   "restart the node with a TARN_LIMIT below that");
  } else {
    report.ok(subject, found);
  }
}

void judge_orphans(const NodeStatus& status, Report& report) {
  if (status.orphan_segments == 0) return;
  report.notice(
      "node's orphans",
      counted(status.orphan_segments, "segment") +
          " of dead owners, kept for messages that are still held or not delivered",
      "see HOLDS in `tarn session ls` and DEPTH in `tarn pipe ls`: release, pop or remove");
}

void judge_quarantine(const NodeStatus& status, Report& report) {
  for (const Quarantined& each : status.verdicts) {
    report.problem("node's quarantine", each.object + ": " + each.verdict,
                   "remove the pipe, or end the session's program; `tarn check` tells more");
  }
  if (status.quarantined <= status.verdicts.size()) return;
  report.problem("node's quarantine",
                 counted(status.quarantined - status.verdicts.size(), "object") + " more",
                 "see the node's log");
}

// Both ways are sound; whoever looks into a problem has to know which it is.
void judge_service(const NodeStatus& status, Report& report) {
  if (!status.service) return report.ok("service", "a program started the node, not systemd");
  const std::string socket =
      std::string(status.socket_activated ? ", activated by its socket" : "") +
      (status.keeps_descriptors ? ", which keeps its descriptors" : "");
  if (status.watchdog) {
    return report.ok("service", "the node runs under systemd, with a watchdog" + socket);
  }
  report.notice("service", "the node runs under systemd without a watchdog" + socket,
                "say WatchdogSec=10s in its unit: then a node that hangs is restarted");
}

void judge_descriptors(const std::optional<os::DescriptorUse>& use, const char* who,
                       Report& report) {
  if (!use || use->limit == os::kUnlimited || !is_nearly(use->open_count, use->limit)) return;
  report.warning("node's open files",
                 std::string(who) + " has " + std::to_string(use->open_count) + " of " +
                     std::to_string(use->limit),
                 "end sessions, or restart the node where `ulimit -Hn` is higher");
}

}  // namespace

Findings judge(const LeftoverFacts& facts) {
  Report report;
  if (!facts.looked) return report.take();
  judge_pid_file(facts, report);
  judge_lock(facts, report);
  judge_socket(facts, report);
  judge_log(facts, report);
  return report.take();
}

Findings judge(const NodeFacts& facts, const MemoryFacts& memory) {
  Report report;
  if (facts.presence == NodePresence::absent) {
    report.ok("node", "none runs; the first client starts one");
  }
  if (facts.error) {
    report.problem("node", std::string("listens, but does not answer: ") + facts.error->what(),
                   "see " + quoted(facts.log_path) +
                       "; see whether it is stopped (state T in `ps`), else kill it and start "
                       "another: `tarn up`");
    return report.take();
  }
  if (!facts.status) return report.take();
  judge_version(facts, report);
  judge_restarts(facts, report);
  judge_memory(*facts.status, memory, report);
  judge_orphans(*facts.status, report);
  judge_quarantine(*facts.status, report);
  judge_service(*facts.status, report);
  judge_descriptors(facts.keeper, "the keeper", report);
  judge_descriptors(facts.worker, "the worker", report);
  Findings all = report.take();
  if (facts.access) {
    for (Finding& each : judge(*facts.access)) all.push_back(std::move(each));
  }
  return all;
}

}  // namespace tarn::doctor
