#include <algorithm>
#include <array>
#include <cstdio>

#include "client/doctor/judge.h"
#include "os/socket.h"

namespace tarn::doctor {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kLeastRoom = 64 * kKiB;         // pid, lock, socket, a few lines of log
constexpr std::uint64_t kRoomOfLogs = 3 * 1024 * kKiB;  // the log and two rotated ones
constexpr std::uint64_t kLeastFiles = 16;

std::string in_octal(std::uint32_t mode) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

std::string quoted(const std::string& path) { return "'" + path + "'"; }

void judge_wish(const std::string& wish, Report& report) {
  if (!wish.empty() && wish.front() != '/') {
    report.warning("XDG_RUNTIME_DIR", quoted(wish) + " is not absolute, hence not used",
                   "set it to an absolute path, such as /run/user/$UID, or unset it");
  }
}

// False when there is no use in looking at what is below.
bool judge_trusted(const RunFacts& facts, Report& report) {
  const os::PathFacts& trusted = facts.trusted;
  const std::string cure = "set XDG_RUNTIME_DIR to a directory that is yours alone, or unset it";
  if (trusted.kind != os::PathKind::directory) {
    const std::string why = trusted.kind == os::PathKind::missing ? " does not exist"
                            : trusted.error != 0 ? " cannot be examined: " + in_words(trusted.error)
                                                 : " is not a directory";
    report.problem("run directory", quoted(trusted.path) + why, cure);
    return false;
  }
  const bool open = (trusted.mode & 022) != 0;
  const bool sticky = (trusted.mode & 01000) != 0;
  if (open && !sticky) {
    report.warning("run directory",
                   quoted(trusted.path) + " has mode " + in_octal(trusted.mode) +
                       ": others can move the node's directory away",
                   "chmod +t " + trusted.path + ", or " + cure);
  } else if (!sticky && trusted.uid != facts.uid && trusted.uid != 0) {
    report.warning("run directory",
                   quoted(trusted.path) + " belongs to uid " + std::to_string(trusted.uid) +
                       ", who can move the node's directory away",
                   cure);
  }
  return true;
}

// Why a level cannot be used; empty when it can.
std::string fault_of(const os::PathFacts& level, std::uint32_t uid) {
  switch (level.kind) {
    case os::PathKind::missing:
      return {};
    case os::PathKind::unreadable:
      return "cannot be examined: " + in_words(level.error);
    case os::PathKind::link:
      return "is a link to " + quoted(level.link_target);
    case os::PathKind::file:
    case os::PathKind::socket:
    case os::PathKind::other:
      return "is not a directory";
    case os::PathKind::directory:
      break;
  }
  if (level.uid != uid) return "belongs to uid " + std::to_string(level.uid);
  if ((level.mode & 077) != 0) return "has mode " + in_octal(level.mode) + ", open to others";
  if ((level.mode & 0700) != 0700)
    return "has mode " + in_octal(level.mode) + ", closed to its owner";
  return {};
}

std::string cure_of_level(const os::PathFacts& level, std::uint32_t uid) {
  const std::string elsewhere = ", or set XDG_RUNTIME_DIR to a directory that is yours alone";
  if (level.kind == os::PathKind::directory && level.uid == uid) {
    return "chmod 0700 " + level.path + elsewhere;
  }
  if (level.kind == os::PathKind::unreadable) return "look who owns it" + elsewhere;
  return "remove " + level.path + elsewhere;
}

bool judge_levels(const RunFacts& facts, Report& report) {
  bool good = true;
  for (const os::PathFacts& level : facts.levels) {
    const std::string fault = fault_of(level, facts.uid);
    if (fault.empty()) continue;
    good = false;
    report.problem("run directory", quoted(level.path) + " " + fault,
                   cure_of_level(level, facts.uid));
  }
  return good;
}

void judge_room(const RunFacts& facts, Report& report) {
  const std::string where = "where " + quoted(facts.domain.paths.directory) + " is to be";
  const std::string cure = "make room, or set XDG_RUNTIME_DIR to a directory with more";
  if (facts.may_write != 0) {
    return report.problem("run directory",
                          "cannot write " + where + ": " + in_words(facts.may_write),
                          "set XDG_RUNTIME_DIR to a directory that is yours alone");
  }
  if (!facts.room) {
    return report.notice("run directory", "the room " + where + " cannot be measured",
                         "see `df` for it");
  }
  const bool counts_files = facts.room->total_files != 0;
  const std::string found =
      in_bytes(facts.room->free_bytes) +
      (counts_files ? " and " + counted(facts.room->free_files, "file") : "") + " free " + where;
  if (facts.room->free_bytes < kLeastRoom ||
      (counts_files && facts.room->free_files < kLeastFiles)) {
    report.problem("run directory", found, cure);
  } else if (facts.room->free_bytes < kRoomOfLogs) {
    report.warning("run directory", found + ": the log needs up to " + in_bytes(kRoomOfLogs), cure);
  }
}

void judge_directory(const RunFacts& facts, Report& report) {
  if (!judge_trusted(facts, report) || !judge_levels(facts, report)) return;
  const bool there = !facts.levels.empty() && facts.levels.back().kind == os::PathKind::directory;
  report.ok("run directory", quoted(facts.domain.paths.directory) +
                                 (there ? " is ours alone" : " will be made by the first node"));
  judge_room(facts, report);
}

}  // namespace

Findings judge(const RunFacts& facts) {
  Report report;
  if (facts.no_daemon) {
    report.problem("daemon", facts.no_daemon->object(), facts.no_daemon->cure());
  } else {
    report.ok("daemon", "the program is there");
  }
  judge_wish(facts.wished_directory, report);
  if (facts.bad_domain) {
    report.problem("domain",
                   "cannot " + facts.bad_domain->attempted() + ": " + facts.bad_domain->object(),
                   facts.bad_domain->cure());
    return report.take();
  }
  const Domain& domain = facts.domain;
  report.ok("domain", "application '" + domain.key.application + "', user '" + domain.key.user +
                          "'; its socket's path has " + std::to_string(domain.paths.socket.size()) +
                          " of " + std::to_string(os::kMaxSocketPath) + " bytes");
  judge_directory(facts, report);
  return report.take();
}

}  // namespace tarn::doctor
