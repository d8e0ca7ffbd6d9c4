// What was planted is repaired, or put in quarantine; and afterwards the node is clean and works.
#include "tests/e2e/check/check_fixture.h"

namespace tarn::raw {
namespace {

using layout::PipeHeader;
using layout::RowEntry;
using layout::SegmentHeader;
using layout::SessionHeader;
using layout::SlabHeader;
using layout::Slot;
using layout::SlotPhase;
using ::testing::HasSubstr;

class CheckRepairTest : public CheckTest {
 protected:
  // Writes it, for good.
  template <class T>
  static void write(std::byte* base, std::uint64_t offset, T value) {
    std::memcpy(base + offset, &value, sizeof value);
  }
  CheckReport repair() {
    CheckOptions options;
    options.patience = 0ms;
    return repair_node(domain(), options);
  }
  // One defect, with that outcome; afterwards there is none, and a second repair has nothing to do.
  void expect_outcome(const std::string& kind, const std::string& outcome) {
    SCOPED_TRACE(kind);
    const CheckReport report = repair();
    ASSERT_EQ(kinds_of(report), std::set<std::string>{kind}) << testing::text_of(report);
    EXPECT_EQ(report.defects[0].outcome, outcome) << report.defects[0].verdict;
    EXPECT_NE(report.defects[0].verdict, "");
    EXPECT_EQ(testing::text_of(check()), "");
    EXPECT_TRUE(repair().is_clean());
  }
  template <class T>
  void expect_repaired(const std::string& kind, std::byte* base, std::uint64_t offset, T value) {
    write(base, offset, value);
    expect_outcome(kind, "repaired");
  }
  // Messages go through it, as often as it has slots and more.
  void expect_flow(MappedPipe& pipe, std::uint32_t session) {
    Peeked found;
    while (pipe.view.peek(found) == SlotPop::ok) {
      ASSERT_TRUE(pipe.view.take(static_cast<std::uint16_t>(session), found));
      if (!pipe.view.at_least_once()) continue;
      pipe.view.acknowledge(static_cast<std::uint16_t>(session), found.position,
                            found.word.redelivered());
    }
    for (std::uint32_t i = 0; i < 3 * pipe.view.slot_count(); ++i) {
      ASSERT_EQ(pipe.push_text(session, "flow"), SlotPush::ok) << i;
      ASSERT_EQ(pipe.view.peek(found), SlotPop::ok) << i;
      ASSERT_TRUE(pipe.view.take(static_cast<std::uint16_t>(session), found));
      if (!pipe.view.at_least_once()) continue;
      pipe.view.acknowledge(static_cast<std::uint16_t>(session), found.position, false);
    }
    EXPECT_EQ(testing::text_of(check()), "");
  }
  std::uint64_t word(std::uint64_t lap, SlotPhase phase, std::uint32_t claimant,
                     bool redelivered = false) const {
    return SlotWord(lap, phase, static_cast<std::uint16_t>(claimant), redelivered).bits();
  }
};

TEST_F(CheckRepairTest, HeaderOfAPipeIsWrittenAnew) {
  std::byte* const pipe = once_->segment.base();
  expect_repaired<std::uint64_t>("header_magic", pipe, 0, 17);
  expect_repaired<std::uint32_t>("header_version", pipe, offsetof(SegmentHeader, layout_version),
                                 99);
  expect_repaired<std::uint32_t>("header_kind", pipe, offsetof(SegmentHeader, kind), 1);
  expect_repaired<std::uint64_t>("header_size", pipe, offsetof(SegmentHeader, size_bytes), 1);
  expect_repaired<std::uint32_t>("pipe_slot_count", pipe, offsetof(PipeHeader, slot_count), 7);
  expect_repaired<std::uint32_t>("pipe_delivery", pipe, offsetof(PipeHeader, delivery), 1);
  expect_repaired<std::uint32_t>("pipe_id", pipe, offsetof(PipeHeader, pipe_id), 77);
  expect_repaired<std::uint64_t>("pipe_tail_ahead", pipe, offsetof(PipeHeader, tail), 4);
  expect_repaired<std::uint64_t>("pipe_head_ahead", pipe, offsetof(PipeHeader, head), 2);
  expect_repaired<std::uint64_t>("pipe_high_water", pipe, offsetof(PipeHeader, high_water), 9);
  expect_flow(*once_, owner());
  expect_repaired<std::uint32_t>("pipe_closed_flag", pipe, offsetof(PipeHeader, closed), 7);
  EXPECT_TRUE(once_->view.is_closed());
}

TEST_F(CheckRepairTest, NonsenseInASlotGivesWay) {
  std::byte* const once = once_->segment.base();
  const std::pair<const char*, std::pair<std::uint32_t, std::uint64_t>> plants[] = {
      {"slot_unused_bits", {5, word(0, SlotPhase::free, 0) | (1 << 21)}},
      {"slot_phase_impossible", {1, word(0, static_cast<SlotPhase>(5), owner())}},
      {"slot_claimed_by_nobody", {3, word(0, SlotPhase::claimed, 0)}},
      {"slot_free_but_signed", {5, word(0, SlotPhase::free, owner())}},
      {"slot_mark_impossible", {2, word(0, SlotPhase::ready, owner(), true)}},
      {"slot_lap", {6, word(3, SlotPhase::free, 0)}},
      {"slot_lap", {0, word(7, SlotPhase::ready, owner())}},
      {"slot_claimant_unknown", {4, word(0, SlotPhase::claimed, 4000)}}};
  for (const auto& [kind, plant] : plants) {
    expect_repaired(kind, once, word_of(plant.first), plant.second);
  }
  expect_flow(*once_, owner());
  std::byte* const least = least_->segment.base();
  expect_repaired("slot_claimant_unknown", least, word_of(0), word(0, SlotPhase::taken, 4000));
  Peeked found;
  ASSERT_EQ(least_->view.peek(found), SlotPop::ok);
  EXPECT_TRUE(found.word.redelivered());
  expect_flow(*least_, viewer());
}

TEST_F(CheckRepairTest, MessagesThatNobodyCanReadAreThrownAway) {
  std::byte* const once = once_->segment.base();
  expect_repaired<std::uint64_t>("payload_kind_unknown", once,
                                 word_of(0) + offsetof(Slot, descriptor), 9);
  expect_repaired<std::uint64_t>("payload_size", once, word_of(1) + offsetof(Slot, descriptor),
                                 1 | (49 << 8));
  expect_repaired("reference_unknown_segment", once, word_of(2) + offsetof(Slot, payload),
                  SegmentId{60000, 1}.packed());
  once_->push_chunk(viewer(), slab_id_, 2);
  expect_outcome("reference_not_carried", "repaired");
  expect_flow(*once_, owner());
}

TEST_F(CheckRepairTest, TheNodesTableIsWrittenAnew) {
  ForeignMemory table(observer().status().worker_pid, "tarn-node");
  ASSERT_TRUE(table.is_open());
  table.exchange(layout::kNodeTableOffset + owner() * sizeof(layout::NodeEntry), std::uint32_t{99});
  expect_outcome("table_generation", "repaired");
  table.exchange(layout::kNodeTableOffset + 100 * sizeof(layout::NodeEntry), std::uint32_t{5});
  expect_outcome("table_entry_without_session", "repaired");
  table.exchange(offsetof(layout::NodeHeader, node_id), std::uint64_t{5});
  expect_outcome("table_node_id", "repaired");
  std::ofstream(place_.paths().pid_file) << "1\n";
  expect_outcome("pid_file_wrong", "repaired");
  ::chmod(place_.paths().socket.c_str(), 0666);
  expect_outcome("socket_mode", "repaired");
}

// What only its own process can write, the node leaves alone, and tells why.
TEST_F(CheckRepairTest, SessionWithNonsenseIsPutInQuarantine) {
  write(viewer_->record->segment().base(), layout::kRowTableOffset + offsetof(RowEntry, offset),
        std::uint32_t{8});
  expect_outcome("row_outside", "quarantined");
  const CheckReport report = check();
  EXPECT_EQ(report.quarantined, 1u);
  const NodeStatus status =
      connect({.application = "test", .user = "tester", .observer = true}).status();
  ASSERT_EQ(status.verdicts.size(), 1u);
  EXPECT_THAT(status.verdicts[0].verdict, HasSubstr("row_outside"));
}

TEST_F(CheckRepairTest, OwnerOfANonsensicalSlabIsPutInQuarantine) {
  write(slab_.owned.segment.base(), offsetof(SlabHeader, chunk_bytes), std::uint64_t{64});
  const CheckReport report = repair();
  ASSERT_EQ(kinds_of(report), std::set<std::string>{"slab_header_shape"});
  EXPECT_EQ(check().quarantined, 1u);
}

TEST_F(CheckRepairTest, PipeFullOfNonsenseIsPutInQuarantine) {
  MappedPipe pipe(owner_->open_pipe("wild", 256));
  viewer_->open_pipe("wild");
  for (std::uint32_t i = 0; i < 256; ++i) {
    write(pipe.segment.base(), word_of(i), word(0, static_cast<SlotPhase>(6), 9) | (3 << 20));
  }
  const CheckReport report = repair();
  ASSERT_FALSE(report.is_clean());
  EXPECT_EQ(report.defects[0].outcome, "quarantined");
  EXPECT_EQ(testing::text_of(check()), "");
  EXPECT_EQ(check().quarantined, 1u);
  expect_flow(*once_, owner());
}

// A worker that is killed in the middle of a repair is followed by one that does it.
TEST_F(CheckRepairTest, WorkerMayBeKilledWhileItRepairs) {
  std::byte* const once = once_->segment.base();
  for (int round = 0; round < 10; ++round) {
    write(once, offsetof(PipeHeader, pipe_id), std::uint32_t{77});
    write(once, word_of(5), word(0, SlotPhase::free, owner()));
    write(once, word_of(6), word(3, SlotPhase::free, 0));
    std::thread killer([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(300 * round));
      ::kill(observer().status().worker_pid, SIGKILL);
    });
    repair();
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
