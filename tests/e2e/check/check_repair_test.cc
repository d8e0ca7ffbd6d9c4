// What surrounds a node, its table and its keeper's hands: defects are found and put right; what is
// beyond repair comes into quarantine; and a worker may die while it repairs.
#include <signal.h>
#include <sys/syscall.h>

#include <future>

#include "tarn/client.h"
#include "testing/host_state.h"
#include "testing/step/tracee.h"
#include "tests/e2e/check/plants.h"

namespace tarn::raw {
namespace {

using layout::PipeHeader;
using layout::RowEntry;
using layout::SegmentHeader;
using layout::SlotPhase;
using ::testing::HasSubstr;
using testing::Tracee;

class CheckRepairTest : public CheckTest {
 protected:
  static std::uint64_t word(std::uint64_t lap, SlotPhase phase, std::uint32_t claimant) {
    return SlotWord(lap, phase, static_cast<std::uint16_t>(claimant), false).bits();
  }
};

TEST_F(CheckRepairTest, TheNodesTableIsWrittenAnew) {
  ForeignMemory table(observer().status().worker_pid, "tarn-node");
  ASSERT_TRUE(table.is_open());
  const auto entry = [](std::uint32_t index) {
    return layout::kNodeTableOffset + index * sizeof(layout::NodeEntry);
  };
  table.exchange(entry(owner()), std::uint32_t{99});
  expect_dealt_with("table_generation", kRepaired);
  table.exchange(entry(100), std::uint32_t{5});
  expect_dealt_with("table_entry_without_session", kRepaired);
  table.exchange(offsetof(layout::NodeHeader, node_id), std::uint64_t{5});
  expect_dealt_with("table_node_id", kRepaired);
  table.exchange(offsetof(SegmentHeader, layout_version), std::uint32_t{5});
  expect_dealt_with("header_version", kRepaired);
}

TEST_F(CheckRepairTest, TheRunDirectoryIsAsTheNodeMadeIt) {
  const auto paths = place_.paths();
  std::ofstream(paths.pid_file) << "1\n";
  expect_dealt_with("pid_file_wrong", kRepaired);
  ::chmod(paths.socket.c_str(), 0666);
  expect_dealt_with("socket_mode", kRepaired);
  std::filesystem::rename(paths.lock_file, paths.lock_file + ".moved");
  expect_dealt_with("lock_file_missing", kLeft);
  std::filesystem::rename(paths.lock_file + ".moved", paths.lock_file);
  EXPECT_EQ(testing::text_of(check()), "");
}

// What another process has in its hands.
class CheckDescriptorsTest : public CheckRepairTest {
 protected:
  void SetUp() override {
    const std::string reason = testing::why_no_tracing();
    if (!reason.empty()) GTEST_SKIP() << reason;
    CheckRepairTest::SetUp();
  }
  // The number under which a process holds this memory; -1 when it does not.
  static int number_of(pid_t pid, int memory) {
    struct stat wanted {};
    EXPECT_EQ(::fstat(memory, &wanted), 0);
    const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
    for (const auto& each : std::filesystem::directory_iterator(folder)) {
      struct stat facts {};
      if (::stat(each.path().c_str(), &facts) != 0 || facts.st_ino != wanted.st_ino) continue;
      return std::stoi(each.path().filename());
    }
    return -1;
  }
};

TEST_F(CheckDescriptorsTest, KeeperThatLostMemoryIsGivenItOnceMore) {
  const pid_t keeper_pid = observer().status().keeper_pid;
  for (const int memory : {slab_.owned.fd.get(), viewer_->record->fd()}) {
    int number = -1;  // it may have to take the record yet
    ASSERT_TRUE(eventually([&] { return (number = number_of(keeper_pid, memory)) >= 0; }));
    {
      // Something else under its number, so that the number is not given to what comes next.
      Tracee keeper(keeper_pid);
      EXPECT_EQ(keeper.call(SYS_dup2, 0, number), number);
      keeper.let_go();
    }
    expect_dealt_with("keeper_lacks_memory", kRepaired, 100ms);
    EXPECT_GE(number_of(keeper_pid, memory), 0);
  }
  // It was for this that the keeper has it.
  kill_worker();
  ASSERT_TRUE(owner_->come_back());
  ASSERT_TRUE(viewer_->come_back());
  EXPECT_EQ(testing::text_of(check()), "");
}

// Its description and its board belong to it, and the keeper may lose them as well.
TEST_F(CheckDescriptorsTest, MemoryOfASupervisedClientIsItsOwn) {
  tarn::Client client = run_client(domain(), "sleeper", {"/bin/sleep", "1000"});
  EXPECT_EQ(testing::text_of(check(100ms)), "");
  const pid_t keeper_pid = observer().status().keeper_pid;
  for (const char* label : {"tarn-description", "tarn-board"}) {
    const auto numbers = testkit::memory_descriptors(keeper_pid, label);
    ASSERT_EQ(numbers.size(), 1u) << label;
    {
      Tracee keeper(keeper_pid);
      EXPECT_EQ(keeper.call(SYS_dup2, 0, numbers[0]), numbers[0]);
      keeper.let_go();
    }
    expect_dealt_with("keeper_lacks_memory", kRepaired, 100ms);
  }
  kill_worker();
  EXPECT_EQ(client.status().state, ClientState::running);
  client.remove(true);
  EXPECT_EQ(testing::text_of(check(100ms)), "");
}

TEST_F(CheckDescriptorsTest, MemoryThatBelongsToNothingGoesWithTheWorker) {
  auto stray = os::create_memory("test-stray", kPage);
  ASSERT_TRUE(stray);
  {
    Tracee worker(observer().status().worker_pid);
    const long self = worker.call(SYS_pidfd_open, os::own_pid(), 0);
    ASSERT_GE(self, 0);
    ASSERT_GE(worker.call(SYS_pidfd_getfd, self, stray->get()), 0);
    EXPECT_EQ(worker.call(SYS_close, self), 0);
    worker.let_go();
  }
  expect_dealt_with("descriptor_unaccounted", kLeft, 100ms);
  kill_worker();
  ASSERT_TRUE(owner_->come_back());
  ASSERT_TRUE(viewer_->come_back());
  EXPECT_EQ(testing::text_of(check(100ms)), "");
}

// What only its own process can write, the node leaves alone, and tells why.
TEST_F(CheckRepairTest, VerdictOfASessionInQuarantineIsToldByTheNode) {
  write(viewer_->record->segment().base(), layout::kRowTableOffset + offsetof(RowEntry, offset),
        std::uint32_t{8});
  expect_dealt_with("row_outside", kQuarantined);
  const NodeStatus status =
      connect({.application = "test", .user = "tester", .observer = true}).status();
  ASSERT_EQ(status.verdicts.size(), 1u);
  EXPECT_THAT(status.verdicts[0].verdict, HasSubstr("row_outside"));
}

TEST_F(CheckRepairTest, PipeFullOfNonsenseIsPutInQuarantine) {
  MappedPipe pipe(owner_->open_pipe("wild", 256));
  viewer_->open_pipe("wild");
  for (std::uint32_t i = 0; i < 256; ++i) {
    write(pipe.segment.base(), word_of(i), word(0, static_cast<SlotPhase>(6), 9) | (3 << 20));
  }
  const CheckReport report = repair();
  ASSERT_FALSE(report.is_clean());
  EXPECT_EQ(report.defects[0].outcome, kQuarantined);
  EXPECT_EQ(testing::text_of(check()), "");
  EXPECT_EQ(check().quarantined, 1u);
  expect_flow(*once_, owner());
}

// A worker that is killed in the middle of a repair is followed by one that does it. At each of its
// crash points: tests/crash/repair_crash.cc.
TEST_F(CheckRepairTest, WorkerMayBeKilledWhileItRepairs) {
  std::byte* const once = once_->segment.base();
  for (int round = 0; round < 10; ++round) {
    write(once, offsetof(PipeHeader, pipe_id), std::uint32_t{77});
    write(once, word_of(5), word(0, SlotPhase::free, owner()));
    write(once, word_of(6), word(3, SlotPhase::free, 0));
    const pid_t worker = observer().status().worker_pid;
    std::promise<void> proved;
    CheckOptions options;
    options.patience = 0ms;
    // What is seen in four looks is proved: the repairs begin.
    options.progress = [&, looks = 0](const std::string&) mutable {
      if (++looks == 4) proved.set_value();
    };
    std::thread killer([&] {
      EXPECT_EQ(proved.get_future().wait_for(20s), std::future_status::ready);
      std::this_thread::sleep_for(std::chrono::microseconds(200 * round));
      ::kill(worker, SIGKILL);
    });
    repair_node(domain(), options);
    killer.join();
    ASSERT_TRUE(owner_->come_back());
    ASSERT_TRUE(viewer_->come_back());
    repair();
    EXPECT_EQ(testing::text_of(check()), "");
    EXPECT_EQ(check().quarantined, 0u);
  }
}

}  // namespace
}  // namespace tarn::raw
