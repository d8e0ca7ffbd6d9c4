// What the doctor says of a run directory, what lies in it, and a node, each with a fault seeded.
#include <gtest/gtest.h>

#include <cerrno>

#include "client/doctor/judge.h"
#include "testing/findings.h"

namespace tarn::doctor {
namespace {

using testing::about;
using testing::is_all_well;
using testing::mentions;

constexpr std::uint32_t kUid = 1000;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

os::PathFacts path_of(std::string path, os::PathKind kind, std::uint32_t mode) {
  os::PathFacts facts;
  facts.path = std::move(path);
  facts.kind = kind;
  facts.uid = kUid;
  facts.mode = mode;
  return facts;
}

RunFacts sound_run() {
  RunFacts facts;
  facts.uid = kUid;
  facts.wished_directory = "/run/user/1000";
  facts.domain.key = {"default", "ada"};
  facts.domain.paths = *wire::run_paths(facts.domain.key, facts.wished_directory, kUid);
  facts.trusted = path_of("/run/user/1000", os::PathKind::directory, 0700);
  for (const char* level :
       {"/run/user/1000/tarn", "/run/user/1000/tarn/default", "/run/user/1000/tarn/default/ada"}) {
    facts.levels.push_back(path_of(level, os::PathKind::directory, 0700));
  }
  facts.room = os::Room{kGiB, kGiB, 100000, 99000, false};
  return facts;
}

LeftoverFacts running_node() {
  LeftoverFacts facts;
  facts.looked = true;
  facts.uid = kUid;
  facts.pid_file = path_of("/d/pid", os::PathKind::file, 0600);
  facts.pid_text = "4711";
  facts.pid = 4711;
  facts.pid_runs = true;
  facts.lock_file = path_of("/d/lock", os::PathKind::file, 0600);
  facts.lock_holder = 4711;
  facts.socket = path_of("/d/socket", os::PathKind::socket, 0600);
  facts.answer = os::SocketAnswer::listening;
  facts.log_path = "/d/log";
  return facts;
}

// After kill -9 of the keeper.
LeftoverFacts killed_node() {
  LeftoverFacts facts = running_node();
  facts.pid_runs = false;
  facts.lock_holder = std::nullopt;
  facts.answer = os::SocketAnswer::nobody;
  return facts;
}

NodeFacts sound_node() {
  NodeFacts facts;
  facts.presence = NodePresence::listening;
  facts.own_version = "0.1.0";
  facts.log_path = "/d/log";
  facts.status.emplace();
  facts.status->version = "0.1.0";
  facts.status->worker_starts = 1;
  facts.status->limit_bytes = 8 * kGiB;
  facts.status->used_bytes = 1 * kGiB;
  facts.keeper = os::DescriptorUse{40, 1024};
  facts.worker = os::DescriptorUse{40, 1024};
  return facts;
}

MemoryFacts sound_memory() {
  MemoryFacts facts;
  facts.limits.machine_bytes = 16 * kGiB;
  facts.limits.available_bytes = 12 * kGiB;
  return facts;
}

Severity of_run_directory(const RunFacts& facts) {
  return about(judge(facts), "run directory").severity;
}

TEST(DoctorNodeTest, ServiceIsNamedAndAMissingWatchdogIsANotice) {
  auto facts = sound_node();
  EXPECT_EQ(about(judge(facts, sound_memory()), "service").severity, Severity::ok);
  facts.status->service = true;
  EXPECT_EQ(about(judge(facts, sound_memory()), "service").severity, Severity::notice);
  facts.status->watchdog = facts.status->socket_activated = true;
  const Finding found = about(judge(facts, sound_memory()), "service");
  EXPECT_EQ(found.severity, Severity::ok);
  EXPECT_NE(found.found.find("systemd, with a watchdog, activated"), std::string::npos);
  EXPECT_EQ(found.found.find("keeps"), std::string::npos);
  facts.status->keeps_descriptors = true;
  EXPECT_NE(
      about(judge(facts, sound_memory()), "service").found.find("which keeps its descriptors"),
      std::string::npos);
}

TEST(DoctorRunTest, SoundDirectoryHasNoFinding) { EXPECT_TRUE(is_all_well(judge(sound_run()))); }

TEST(DoctorRunTest, DirectoryThatIsNotThereYetIsFine) {
  auto facts = sound_run();
  facts.levels.resize(1);
  facts.levels[0].kind = os::PathKind::missing;
  EXPECT_TRUE(is_all_well(judge(facts)));
}

TEST(DoctorRunTest, MissingDaemonIsAProblem) {
  auto facts = sound_run();
  facts.no_daemon = Error(Error::node_unavailable, "start the node", "no tarnd", "install it");
  EXPECT_EQ(about(judge(facts), "daemon").severity, Severity::problem);
}

TEST(DoctorRunTest, RelativeRuntimeDirectoryIsAWarning) {
  auto facts = sound_run();
  facts.wished_directory = "run";
  EXPECT_EQ(about(judge(facts), "XDG_RUNTIME_DIR").severity, Severity::warning);
}

TEST(DoctorRunTest, BadDomainIsAProblemWithTheErrorsCure) {
  RunFacts facts;
  facts.bad_domain = Error(Error::invalid_argument, "place the node's socket", "it has 120 bytes",
                           "shorten XDG_RUNTIME_DIR");
  const Finding found = about(judge(facts), "domain");
  EXPECT_EQ(found.severity, Severity::problem);
  EXPECT_EQ(found.cure, "shorten XDG_RUNTIME_DIR");
}

TEST(DoctorRunTest, TrustedLevelMustBeADirectory) {
  for (const auto kind : {os::PathKind::missing, os::PathKind::file, os::PathKind::unreadable}) {
    auto facts = sound_run();
    facts.trusted.kind = kind;
    facts.trusted.error = kind == os::PathKind::unreadable ? EACCES : 0;
    EXPECT_EQ(of_run_directory(facts), Severity::problem);
  }
}

TEST(DoctorRunTest, TrustedLevelThatOthersMayRenameInIsAWarning) {
  auto facts = sound_run();
  facts.trusted.mode = 0777;
  EXPECT_EQ(of_run_directory(facts), Severity::warning);
  facts.trusted.mode = 01777;
  EXPECT_EQ(of_run_directory(facts), Severity::ok);
  facts.trusted.mode = 0755;
  facts.trusted.uid = 1001;
  EXPECT_EQ(of_run_directory(facts), Severity::warning);
}

TEST(DoctorRunTest, FaultAtAnyLevelIsAProblemThatNamesIt) {
  for (std::size_t i = 0; i < 3; ++i) {
    auto facts = sound_run();
    facts.levels[i].mode = 0755;
    const Finding open = about(judge(facts), "run directory");
    EXPECT_EQ(open.severity, Severity::problem);
    EXPECT_TRUE(mentions(open.found, "'" + facts.levels[i].path + "'")) << open.found;
    EXPECT_TRUE(mentions(open.cure, "chmod 0700 " + facts.levels[i].path)) << open.cure;

    facts = sound_run();
    facts.levels[i].uid = 1001;
    EXPECT_TRUE(mentions(about(judge(facts), "run directory").found, "uid 1001"));

    facts = sound_run();
    facts.levels[i].kind = os::PathKind::link;
    facts.levels[i].link_target = "/home/eve";
    EXPECT_TRUE(mentions(about(judge(facts), "run directory").found, "link to '/home/eve'"));

    facts = sound_run();
    facts.levels[i].kind = os::PathKind::file;
    EXPECT_EQ(of_run_directory(facts), Severity::problem);

    facts = sound_run();
    facts.levels[i].kind = os::PathKind::unreadable;
    facts.levels[i].error = EACCES;
    EXPECT_EQ(of_run_directory(facts), Severity::problem);

    facts = sound_run();
    facts.levels[i].mode = 0;
    EXPECT_EQ(of_run_directory(facts), Severity::problem);
  }
}

TEST(DoctorRunTest, DirectoryThatCannotBeWrittenIsAProblem) {
  auto facts = sound_run();
  facts.may_write = EROFS;
  EXPECT_EQ(of_run_directory(facts), Severity::problem);
}

TEST(DoctorRunTest, FullFileSystemIsAProblemAndALittleRoomAWarning) {
  auto facts = sound_run();
  facts.room->free_bytes = 4096;
  EXPECT_EQ(of_run_directory(facts), Severity::problem);
  facts.room->free_bytes = 2 * kMiB;
  EXPECT_EQ(of_run_directory(facts), Severity::warning);
  facts = sound_run();
  facts.room->free_files = 0;
  EXPECT_EQ(of_run_directory(facts), Severity::problem);
  facts.room->total_files = 0;  // a file system that does not count them
  EXPECT_EQ(of_run_directory(facts), Severity::ok);
  facts.room = std::nullopt;
  EXPECT_EQ(of_run_directory(facts), Severity::notice);
}

TEST(DoctorLeftoversTest, RunningNodeHasNoFinding) {
  EXPECT_TRUE(is_all_well(judge(running_node())));
}

TEST(DoctorLeftoversTest, LockWithoutADaemonIsFine) {
  LeftoverFacts facts;
  facts.looked = true;
  facts.uid = kUid;
  facts.lock_file = path_of("/d/lock", os::PathKind::file, 0600);
  EXPECT_TRUE(is_all_well(judge(facts)));
}

TEST(DoctorLeftoversTest, KilledNodeLeavesAStalePidAndADeadSocket) {
  const Findings findings = judge(killed_node());
  EXPECT_EQ(about(findings, "pid file").severity, Severity::warning);
  EXPECT_TRUE(mentions(about(findings, "pid file").found, "4711"));
  EXPECT_EQ(about(findings, "socket").severity, Severity::warning);
  EXPECT_EQ(about(findings, "lock").severity, Severity::ok);
}

TEST(DoctorLeftoversTest, PidOfAnotherProgramIsAWarning) {
  auto facts = killed_node();
  facts.pid_runs = true;
  EXPECT_EQ(about(judge(facts), "pid file").severity, Severity::warning);
}

TEST(DoctorLeftoversTest, PidFileThatNamesNoProcessIsAWarning) {
  auto facts = killed_node();
  facts.pid = 0;
  facts.pid_text = "garbage";
  EXPECT_EQ(about(judge(facts), "pid file").severity, Severity::warning);
}

TEST(DoctorLeftoversTest, RunningNodeWithoutItsPidFileIsAWarning) {
  auto facts = running_node();
  facts.pid_file.kind = os::PathKind::missing;
  EXPECT_EQ(about(judge(facts), "pid file").severity, Severity::warning);
}

TEST(DoctorLeftoversTest, NodeWhoseSocketIsGoneIsAProblem) {
  auto facts = running_node();
  facts.socket.kind = os::PathKind::missing;
  const Finding found = about(judge(facts), "socket");
  EXPECT_EQ(found.severity, Severity::problem);
  EXPECT_TRUE(mentions(found.cure, "kill 4711")) << found.cure;
  facts = running_node();
  facts.answer = os::SocketAnswer::nobody;
  EXPECT_EQ(about(judge(facts), "socket").severity, Severity::problem);
}

TEST(DoctorLeftoversTest, FullQueueAndRefusedSocketAreProblems) {
  for (const auto answer : {os::SocketAnswer::queue_full, os::SocketAnswer::refused}) {
    auto facts = running_node();
    facts.answer = answer;
    EXPECT_EQ(about(judge(facts), "socket").severity, Severity::problem);
  }
}

TEST(DoctorLeftoversTest, StrangeFilesAreProblems) {
  auto facts = running_node();
  facts.pid_file.kind = os::PathKind::link;
  facts.lock_file.uid = 1001;
  facts.socket.kind = os::PathKind::file;
  for (const char* subject : {"pid file", "lock", "socket"}) {
    EXPECT_EQ(about(judge(facts), subject).severity, Severity::problem) << subject;
  }
}

TEST(DoctorLeftoversTest, LastErrorWeighsMoreWhenTheNodeIsGone) {
  auto facts = running_node();
  facts.last_error = "2026-01-31T12:00:00.000 4711 worker error disk on fire";
  EXPECT_EQ(about(judge(facts), "log").severity, Severity::notice);
  facts = killed_node();
  facts.last_error = "2026-01-31T12:00:00.000 4711 worker error disk on fire";
  EXPECT_EQ(about(judge(facts), "log").severity, Severity::warning);
}

TEST(DoctorLeftoversTest, LastErrorLineIsFoundByItsLevel) {
  EXPECT_EQ(last_error_line(""), "");
  EXPECT_EQ(last_error_line("garbage\n\n1 2\n"), "");
  EXPECT_EQ(last_error_line("t 1 keeper info no error\nt 1 info error is a word\n"), "");
  EXPECT_EQ(last_error_line("t 1 keeper error a\nt 1 worker error b\nt 1 worker info c"),
            "t 1 worker error b");
  EXPECT_EQ(last_error_line("t 1 error without a role\nt 1 warning x"), "t 1 error without a role");
}

TEST(DoctorNodeTest, SoundNodeHasNoFinding) {
  EXPECT_TRUE(is_all_well(judge(sound_node(), sound_memory())));
}

TEST(DoctorNodeTest, AbsentNodeIsFineAndAnUnclearOneIsLeftToOthers) {
  NodeFacts facts;
  facts.presence = NodePresence::absent;
  EXPECT_TRUE(is_all_well(judge(facts, sound_memory())));
  facts.presence = NodePresence::unclear;
  EXPECT_TRUE(judge(facts, sound_memory()).empty());
}

TEST(DoctorNodeTest, NodeThatDoesNotAnswerIsAProblem) {
  auto facts = sound_node();
  facts.status = std::nullopt;
  facts.error = Error(Error::node_lost, "greet the node", "it does not answer", {});
  EXPECT_EQ(about(judge(facts, sound_memory()), "node").severity, Severity::problem);
}

TEST(DoctorNodeTest, OtherVersionIsAWarning) {
  auto facts = sound_node();
  facts.status->version = "0.0.9";
  const Finding found = about(judge(facts, sound_memory()), "node");
  EXPECT_EQ(found.severity, Severity::warning);
  EXPECT_TRUE(mentions(found.found, "0.0.9") && mentions(found.found, "0.1.0")) << found.found;
}

TEST(DoctorNodeTest, RestartedWorkerIsAWarning) {
  auto facts = sound_node();
  facts.status->worker_starts = 3;
  const Finding found = about(judge(facts, sound_memory()), "node's worker");
  EXPECT_EQ(found.severity, Severity::warning);
  EXPECT_TRUE(mentions(found.found, "2 times")) << found.found;
}

TEST(DoctorNodeTest, MemoryAboveFourFifthsIsAWarning) {
  auto facts = sound_node();
  facts.status->limit_bytes = 1000;
  facts.status->used_bytes = 800;
  EXPECT_EQ(about(judge(facts, sound_memory()), "node's memory").severity, Severity::ok);
  facts.status->used_bytes = 801;
  EXPECT_EQ(about(judge(facts, sound_memory()), "node's memory").severity, Severity::warning);
}

TEST(DoctorNodeTest, LimitAboveTheCgroupIsAWarning) {
  auto memory = sound_memory();
  memory.limits.cgroup_bytes = 4 * kGiB;
  EXPECT_EQ(about(judge(sound_node(), memory), "node's memory").severity, Severity::warning);
}

TEST(DoctorNodeTest, OrphansAreANotice) {
  auto facts = sound_node();
  facts.status->quarantined = 2;
  facts.status->verdicts = {{"pipe 'p'", "recovery crashed on it", 0}};
  EXPECT_EQ(about(judge(facts, sound_memory()), "node's quarantine").severity, Severity::problem);
  facts.status->orphan_segments = 1;
  EXPECT_EQ(about(judge(facts, sound_memory()), "node's orphans").severity, Severity::notice);
}

TEST(DoctorNodeTest, NodeShortOfDescriptorsIsAWarning) {
  auto facts = sound_node();
  facts.keeper->open_count = 1000;
  EXPECT_EQ(about(judge(facts, sound_memory()), "node's open files").severity, Severity::warning);
  facts = sound_node();
  facts.worker = std::nullopt;  // not ours to look at
  facts.keeper->limit = os::kUnlimited;
  EXPECT_TRUE(is_all_well(judge(facts, sound_memory())));
}

}  // namespace
}  // namespace tarn::doctor
