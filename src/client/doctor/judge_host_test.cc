// What the doctor says of a kernel, memory, limits and a machine, each with one fault seeded.
#include <gtest/gtest.h>

#include <cerrno>

#include "client/doctor/judge.h"
#include "testing/findings.h"

namespace tarn::doctor {
namespace {

using testing::about;
using testing::is_all_well;
using testing::mentions;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

KernelFacts sound_kernel() {
  KernelFacts facts;
  facts.release = "6.1.0-18-amd64";
  facts.seals.tried = true;
  facts.seals.writer_still_writes = true;
  facts.seals.futex_waits_read_only = true;
  facts.sees_itself = true;
  return facts;
}

MemoryFacts sound_memory() {
  MemoryFacts facts;
  facts.limits.machine_bytes = 16 * kGiB;
  facts.limits.available_bytes = 12 * kGiB;
  facts.overcommit_mode = 0;
  facts.commit_limit_bytes = 8 * kGiB;
  facts.committed_bytes = 1 * kGiB;
  facts.shm = os::Room{8 * kGiB, 8 * kGiB, 0, 0, false};
  facts.huge_shmem = "always [within_size] advise never deny force";
  facts.huge_reserved_bytes = 0;
  facts.huge_free_bytes = 0;
  return facts;
}

LimitFacts sound_limits() {
  LimitFacts facts;
  facts.resources.descriptors_soft = 1024;
  facts.resources.descriptors_hard = 1048576;
  facts.open_descriptors = 4;
  facts.most_mappings = 65530;
  return facts;
}

MachineFacts sound_machine() {
  MachineFacts facts;
  facts.clocksource = "tsc";
  facts.clocksources = "tsc hpet acpi_pm";
  facts.clock_reading_ns = 25;
  facts.wall_clock.synchronised = true;
  facts.processors = {8, 8};
  return facts;
}

TEST(DoctorKernelTest, SoundKernelHasNoFinding) { EXPECT_TRUE(is_all_well(judge(sound_kernel()))); }

TEST(DoctorKernelTest, KernelWithoutFutureWriteSealIsAProblem) {
  auto facts = sound_kernel();
  facts.release = "4.19.0-26-amd64";
  EXPECT_EQ(about(judge(facts), "kernel").severity, Severity::problem);
}

TEST(DoctorKernelTest, KernelWithDetoursIsAWarning) {
  auto facts = sound_kernel();
  facts.release = "5.10.0";
  EXPECT_EQ(about(judge(facts), "kernel").severity, Severity::warning);
  facts.release = "5.16";
  EXPECT_EQ(about(judge(facts), "kernel").severity, Severity::ok);
}

TEST(DoctorKernelTest, ReleaseThatTellsNoVersionIsANotice) {
  for (const char* release : {"", "x", "6", "6.", "custom-6.1", "6.x"}) {
    auto facts = sound_kernel();
    facts.release = release;
    EXPECT_EQ(about(judge(facts), "kernel").severity, Severity::notice) << release;
  }
}

TEST(DoctorKernelTest, RefusedMemoryTellsStepAndErrno) {
  auto facts = sound_kernel();
  facts.seals.failed_step = "create shared memory";
  facts.seals.error = EPERM;
  const Finding found = about(judge(facts), "memory seals");
  EXPECT_EQ(found.severity, Severity::problem);
  EXPECT_TRUE(mentions(found.found, "create shared memory")) << found.found;
  EXPECT_TRUE(mentions(found.cure, "seccomp")) << found.cure;
}

TEST(DoctorKernelTest, CureOfRefusedMemoryFollowsTheErrno) {
  auto facts = sound_kernel();
  facts.seals.failed_step = "allocate 8192 bytes";
  facts.seals.error = ENOSPC;
  EXPECT_TRUE(mentions(about(judge(facts), "memory seals").cure, "memory"));
  facts.seals.error = EMFILE;
  EXPECT_TRUE(mentions(about(judge(facts), "memory seals").cure, "ulimit -n"));
}

TEST(DoctorKernelTest, SecondWriterIsAProblem) {
  auto facts = sound_kernel();
  facts.seals.open_doors = {"a writable mapping", "mprotect"};
  const Finding found = about(judge(facts), "memory seals");
  EXPECT_EQ(found.severity, Severity::problem);
  EXPECT_TRUE(mentions(found.found, "a writable mapping, mprotect")) << found.found;
}

TEST(DoctorKernelTest, WriterThatLostItsMappingIsAProblem) {
  auto facts = sound_kernel();
  facts.seals.writer_still_writes = false;
  EXPECT_EQ(about(judge(facts), "memory seals").severity, Severity::problem);
}

TEST(DoctorKernelTest, FutexThatNeedsAWritableMappingIsAProblem) {
  auto facts = sound_kernel();
  facts.seals.futex_waits_read_only = false;
  EXPECT_EQ(about(judge(facts), "futex").severity, Severity::problem);
}

TEST(DoctorKernelTest, SealsThatCouldNotBeTriedAreAProblem) {
  auto facts = sound_kernel();
  facts.seals = {};
  const Finding found = about(judge(facts), "memory seals");
  EXPECT_EQ(found.severity, Severity::problem);
  EXPECT_TRUE(mentions(found.cure, "ulimit -f")) << found.cure;
}

TEST(DoctorKernelTest, CallsWithADetourAreNotices) {
  auto facts = sound_kernel();
  facts.populate_write = EINVAL;
  facts.futex_waitv = ENOSYS;
  facts.peer_pidfd = ENOPROTOOPT;
  for (const char* call : {"MADV_POPULATE_WRITE", "futex_waitv", "SO_PEERPIDFD"}) {
    EXPECT_EQ(about(judge(facts), call).severity, Severity::notice) << call;
  }
  facts.peer_pidfd = 0;
  facts.pidfd_open = EPERM;
  EXPECT_EQ(about(judge(facts), "pidfd_open").severity, Severity::notice);
}

TEST(DoctorKernelTest, NoPidfdAtAllIsAProblem) {
  auto facts = sound_kernel();
  facts.pidfd_open = ENOSYS;
  facts.peer_pidfd = ENOPROTOOPT;
  EXPECT_EQ(about(judge(facts), "pidfd").severity, Severity::problem);
}

TEST(DoctorKernelTest, MissingProcIsAProblem) {
  auto facts = sound_kernel();
  facts.sees_itself = false;
  EXPECT_EQ(about(judge(facts), "/proc").severity, Severity::problem);
}

TEST(DoctorMemoryTest, SoundMemoryHasNoFinding) { EXPECT_TRUE(is_all_well(judge(sound_memory()))); }

TEST(DoctorMemoryTest, DomainMayTakeHalfOfTheSmaller) {
  os::MemoryLimits limits;
  limits.machine_bytes = 16 * kGiB;
  EXPECT_EQ(domain_limit_bytes(limits), 8 * kGiB);
  limits.cgroup_bytes = 1 * kGiB;
  EXPECT_EQ(domain_limit_bytes(limits), 512 * kMiB);
}

TEST(DoctorMemoryTest, UnreadableMemoryIsAProblem) {
  auto facts = sound_memory();
  facts.limits = {};
  EXPECT_EQ(about(judge(facts), "memory").severity, Severity::problem);
}

TEST(DoctorMemoryTest, TinyMachineIsAWarning) {
  auto facts = sound_memory();
  facts.limits.machine_bytes = 100 * kMiB;
  facts.limits.available_bytes = 100 * kMiB;
  EXPECT_EQ(about(judge(facts), "memory").severity, Severity::warning);
}

TEST(DoctorMemoryTest, ExhaustedMachineIsAWarningAndABusyOneANotice) {
  auto facts = sound_memory();
  facts.limits.available_bytes = 20 * kMiB;
  EXPECT_EQ(about(judge(facts), "memory").severity, Severity::warning);
  facts.limits.available_bytes = 4 * kGiB;
  EXPECT_EQ(about(judge(facts), "memory").severity, Severity::notice);
}

TEST(DoctorMemoryTest, CgroupIsNamedAndItsEndIsAWarning) {
  auto facts = sound_memory();
  facts.limits.cgroup_bytes = 2 * kGiB;
  facts.limits.cgroup_left_bytes = 2 * kGiB;
  EXPECT_EQ(about(judge(facts), "cgroup").severity, Severity::ok);
  EXPECT_TRUE(mentions(about(judge(facts), "memory").found, "may take 1.0 GiB"));
  facts.limits.cgroup_left_bytes = 100 * kMiB;
  EXPECT_EQ(about(judge(facts), "cgroup").severity, Severity::warning);
}

TEST(DoctorMemoryTest, StrictOvercommitIsAWarningWhenItIsTooTight) {
  auto facts = sound_memory();
  facts.overcommit_mode = 2;
  EXPECT_EQ(about(judge(facts), "memory overcommit").severity, Severity::warning);
  facts.commit_limit_bytes = 14 * kGiB;
  EXPECT_EQ(about(judge(facts), "memory overcommit").severity, Severity::ok);
  facts.committed_bytes = 20 * kGiB;  // more than the limit: it was lowered
  EXPECT_EQ(about(judge(facts), "memory overcommit").severity, Severity::warning);
}

TEST(DoctorMemoryTest, HiddenOvercommitIsANotice) {
  auto facts = sound_memory();
  facts.overcommit_mode = std::nullopt;
  EXPECT_EQ(about(judge(facts), "memory overcommit").severity, Severity::notice);
}

TEST(DoctorMemoryTest, SmallDevShmIsSaidToBeUnused) {
  auto facts = sound_memory();
  facts.shm = os::Room{64 * kMiB, 0, 0, 0, false};
  const Finding found = about(judge(facts), "/dev/shm");
  EXPECT_EQ(found.severity, Severity::ok);
  EXPECT_TRUE(mentions(found.found, "64 MiB")) << found.found;
  EXPECT_TRUE(mentions(found.found, "does not use it")) << found.found;
  facts.shm = std::nullopt;
  EXPECT_EQ(about(judge(facts), "/dev/shm").severity, Severity::ok);
}

TEST(DoctorMemoryTest, SharedMemoryWithoutHugePagesIsANotice) {
  for (const char* choices : {"always within_size advise [never] deny force",
                              "always within_size [advise] never deny force",
                              "always within_size advise never [deny] force", "", "[broken"}) {
    auto facts = sound_memory();
    facts.huge_shmem = choices;
    EXPECT_EQ(about(judge(facts), "huge pages").severity, Severity::notice) << choices;
  }
}

TEST(DoctorMemoryTest, IdleHugetlbIsANotice) {
  auto facts = sound_memory();
  facts.huge_reserved_bytes = 4 * kGiB;
  facts.huge_free_bytes = 3 * kGiB;
  EXPECT_EQ(about(judge(facts), "hugetlb").severity, Severity::notice);
}

TEST(DoctorLimitsTest, SoundLimitsHaveNoFinding) {
  EXPECT_TRUE(is_all_well(judge(sound_limits())));
}

TEST(DoctorLimitsTest, UnlimitedDescriptorsAreFine) {
  auto facts = sound_limits();
  facts.resources.descriptors_soft = os::kUnlimited;
  facts.resources.descriptors_hard = os::kUnlimited;
  EXPECT_TRUE(is_all_well(judge(facts)));
}

TEST(DoctorLimitsTest, FewDescriptorsAreAWarningWithTheArithmetic) {
  auto facts = sound_limits();
  facts.resources.descriptors_soft = 64;
  facts.open_descriptors = 10;
  const Finding found = about(judge(facts), "open files");
  EXPECT_EQ(found.severity, Severity::warning);
  EXPECT_TRUE(mentions(found.found, "room for 47 segments")) << found.found;
  EXPECT_TRUE(mentions(found.cure, "ulimit -n")) << found.cure;
}

TEST(DoctorLimitsTest, NoDescriptorLeftIsAProblem) {
  auto facts = sound_limits();
  facts.resources.descriptors_soft = 16;
  facts.open_descriptors = 20;
  EXPECT_EQ(about(judge(facts), "open files").severity, Severity::problem);
}

TEST(DoctorLimitsTest, SmallHardLimitIsTheNodesTrouble) {
  auto facts = sound_limits();
  facts.resources.descriptors_hard = 256;
  const Finding few = about(judge(facts), "open files of a node");
  EXPECT_EQ(few.severity, Severity::warning);
  EXPECT_TRUE(mentions(few.found, "about 11 sessions")) << few.found;
  facts.resources.descriptors_hard = 40;
  EXPECT_EQ(about(judge(facts), "open files of a node").severity, Severity::problem);
}

TEST(DoctorLimitsTest, LimitedAddressSpaceIsAWarningOrNotice) {
  auto facts = sound_limits();
  facts.resources.address_space = 512 * kMiB;
  EXPECT_EQ(about(judge(facts), "address space").severity, Severity::warning);
  facts.resources.address_space = 1024 * kGiB;
  EXPECT_EQ(about(judge(facts), "address space").severity, Severity::notice);
}

TEST(DoctorLimitsTest, FileSizeBelowASessionsSegmentIsAProblem) {
  auto facts = sound_limits();
  facts.resources.file_size = 1 * kMiB;
  EXPECT_EQ(about(judge(facts), "file size").severity, Severity::problem);
  facts.resources.file_size = 1 * kGiB;
  EXPECT_EQ(about(judge(facts), "file size").severity, Severity::warning);
}

TEST(DoctorLimitsTest, FewOrUnknownMappingsAreFound) {
  auto facts = sound_limits();
  facts.most_mappings = 1000;
  EXPECT_EQ(about(judge(facts), "mappings").severity, Severity::warning);
  facts.most_mappings = std::nullopt;
  EXPECT_EQ(about(judge(facts), "mappings").severity, Severity::notice);
}

TEST(DoctorMachineTest, SoundMachineHasNoFinding) {
  EXPECT_TRUE(is_all_well(judge(sound_machine())));
}

TEST(DoctorMachineTest, SlowClockSourceIsAWarningThatKnowsOfTsc) {
  auto facts = sound_machine();
  facts.clocksource = "hpet";
  facts.clock_reading_ns = 1200;
  const Finding found = about(judge(facts), "clock source");
  EXPECT_EQ(found.severity, Severity::warning);
  EXPECT_TRUE(mentions(found.cure, "echo tsc")) << found.cure;
  facts.clocksources = "hpet acpi_pm";
  EXPECT_FALSE(mentions(about(judge(facts), "clock source").cure, "echo tsc"));
}

TEST(DoctorMachineTest, InterceptedOrUnnamedClockIsANotice) {
  auto facts = sound_machine();
  facts.clock_reading_ns = 900;
  EXPECT_EQ(about(judge(facts), "clock source").severity, Severity::notice);
  facts.clocksource = "";
  EXPECT_EQ(about(judge(facts), "clock source").severity, Severity::notice);
}

TEST(DoctorMachineTest, WallClockAdriftOrHiddenIsANotice) {
  auto facts = sound_machine();
  facts.wall_clock.synchronised = false;
  EXPECT_EQ(about(judge(facts), "wall clock").severity, Severity::notice);
  facts.wall_clock.error = EPERM;
  EXPECT_TRUE(mentions(about(judge(facts), "wall clock").found, "errno 1"));
}

TEST(DoctorMachineTest, OneProcessorIsAWarning) {
  auto facts = sound_machine();
  facts.processors = {8, 1};
  EXPECT_TRUE(mentions(about(judge(facts), "processors").cure, "taskset"));
  facts.processors = {1, 1};
  EXPECT_EQ(about(judge(facts), "processors").severity, Severity::warning);
  facts.processors = {0, 0};
  EXPECT_EQ(about(judge(facts), "processors").severity, Severity::notice);
}

TEST(DoctorTextTest, BytesAreReadable) {
  EXPECT_EQ(in_bytes(0), "0 bytes");
  EXPECT_EQ(in_bytes(1), "1 byte");
  EXPECT_EQ(in_bytes(1536), "1.5 KiB");
  EXPECT_EQ(in_bytes(64 * kMiB), "64 MiB");
  EXPECT_EQ(in_bytes(os::kUnlimited), "16 EiB");
}

// What a container may hide all at once.
TEST(DoctorTextTest, NothingKnownStillGivesFindingsWithCures) {
  const Findings findings = judge(HostFacts{});
  EXPECT_EQ(about(findings, "kernel").severity, Severity::notice);
  EXPECT_EQ(about(findings, "memory").severity, Severity::problem);
}

}  // namespace
}  // namespace tarn::doctor
