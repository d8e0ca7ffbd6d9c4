#include "shm/session/session.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <thread>
#include <vector>

#include "testing/shared_pipe.h"

namespace tarn {
namespace {

using layout::HoldCount;

constexpr SegmentId kSlab{5, 1};
constexpr SegmentId kOtherSlab{6, 1};

struct SessionTest : ::testing::Test {
  SessionTest() {
    auto made = SessionRecord::create({4711, 815});
    TARN_ASSERT(made.has_value());
    record.emplace(*std::move(made));
    const auto attached = SessionView::attach(record->segment());
    TARN_ASSERT(attached.has_value());
    view = *attached;
  }
  std::vector<SegmentId> rows_seen() const {
    std::vector<SegmentId> seen;
    view.for_each_row([&](SegmentId id, std::span<const HoldCount>) { seen.push_back(id); });
    return seen;
  }
  std::vector<std::uint32_t> ends_seen() const {
    std::vector<std::uint32_t> seen;
    view.for_each_end([&](const EndFacts& facts) { seen.push_back(facts.pipe); });
    return seen;
  }

  std::optional<SessionRecord> record;
  SessionView view;
};

TEST_F(SessionTest, AFreshOneHasNothing) {
  EXPECT_TRUE(rows_seen().empty());
  EXPECT_TRUE(ends_seen().empty());
  EXPECT_EQ(view.total_holds(), 0u);
  EXPECT_EQ(view.forwards(), 0u);
  EXPECT_EQ(view.row(kSlab).error(), Error::not_found);
}

TEST_F(SessionTest, OthersSeeTheHoldsOfARow) {
  const auto row = record->add_row(kSlab, 100);
  ASSERT_TRUE(row);
  ASSERT_EQ(row->size(), 100u);
  EXPECT_TRUE(count_hold((*row)[17]));
  EXPECT_TRUE(count_hold((*row)[17]));
  EXPECT_TRUE(count_hold((*row)[99]));
  const auto seen = view.row(kSlab);
  ASSERT_TRUE(seen);
  ASSERT_EQ(seen->size(), 100u);
  EXPECT_EQ((*seen)[17].load(), 2u);
  EXPECT_EQ((*seen)[99].load(), 1u);
  EXPECT_EQ(view.total_holds(), 3u);
  EXPECT_EQ(view.row(kOtherSlab).error(), Error::not_found);
}

TEST_F(SessionTest, RowsAreTheirOwnGenerations) {
  ASSERT_TRUE(record->add_row({5, 1}, 4));
  EXPECT_FALSE(view.row({5, 2}));
  EXPECT_TRUE(view.row({5, 1}));
}

TEST_F(SessionTest, EveryRowHasCacheLinesOfItsOwn) {
  std::vector<std::span<HoldCount>> rows;
  for (std::uint32_t i = 1; i < 50; ++i) {
    const auto row = record->add_row({i, 1}, i * 3);
    ASSERT_TRUE(row);
    for (const HoldCount& count : *row) ASSERT_EQ(count.load(), 0u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(row->data()) % kCacheLine, 0u);
    rows.push_back(*row);
  }
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EXPECT_GE(rows[i].data(), rows[i - 1].data() + rows[i - 1].size());
  }
}

TEST_F(SessionTest, ARemovedRowIsUsedAgain) {
  const auto first = record->add_row(kSlab, 64);
  ASSERT_TRUE(first);
  record->remove_row(kSlab);
  EXPECT_TRUE(rows_seen().empty());
  EXPECT_FALSE(view.row(kSlab));
  const auto second = record->add_row(kOtherSlab, 30);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->data(), first->data());
  EXPECT_EQ(view.row(kOtherSlab)->size(), 30u);
  // Room for 64 is still there when the smaller one goes.
  record->remove_row(kOtherSlab);
  EXPECT_EQ(record->add_row(kSlab, 64)->data(), first->data());
}

TEST_F(SessionTest, ARowThatIsTooSmallIsNotUsedAgain) {
  const auto small = record->add_row(kSlab, 10);
  record->remove_row(kSlab);
  const auto large = record->add_row(kOtherSlab, 11);
  ASSERT_TRUE(small && large);
  EXPECT_NE(small->data(), large->data());
}

TEST_F(SessionTest, ARowThatStillCountsAHoldIsNotUsedAgain) {
  const auto held = record->add_row(kSlab, 10);
  ASSERT_TRUE(held);
  ASSERT_TRUE(count_hold((*held)[3]));  // a thread that lost a race, about to count down
  record->remove_row(kSlab);
  const auto next = record->add_row(kOtherSlab, 10);
  ASSERT_TRUE(next);
  EXPECT_NE(next->data(), held->data());
  for (const HoldCount& count : *next) EXPECT_EQ(count.load(), 0u);
}

TEST_F(SessionTest, RemovingAnUnknownRowDoesNothing) {
  ASSERT_TRUE(record->add_row(kSlab, 10));
  const std::uint64_t changes = view.row_changes();
  record->remove_row(kOtherSlab);
  EXPECT_EQ(rows_seen(), std::vector<SegmentId>{kSlab});
  EXPECT_EQ(view.row_changes(), changes);
}

TEST_F(SessionTest, RowChangesCountAddingAndRemoving) {
  const std::uint64_t before = view.row_changes();
  ASSERT_TRUE(record->add_row(kSlab, 10));
  EXPECT_EQ(view.row_changes(), before + 1);
  record->remove_row(kSlab);
  EXPECT_EQ(view.row_changes(), before + 2);
}

TEST_F(SessionTest, RowsOfImpossibleSizeAreRefused) {
  EXPECT_EQ(record->add_row(kSlab, 0).error(), Error::corrupt);
  EXPECT_EQ(record->add_row(kSlab, layout::kMaxChunks + 1).error(), Error::corrupt);
  EXPECT_TRUE(record->add_row(kSlab, layout::kMaxChunks));
}

TEST_F(SessionTest, AFullTableOfRowsIsAnErrorAndGoesOnAfterARemoval) {
  for (std::uint32_t i = 1; i <= layout::kMaxRows; ++i) ASSERT_TRUE(record->add_row({i, 1}, 1));
  EXPECT_EQ(record->add_row({9999, 1}, 1).error(), Error::table_full);
  EXPECT_EQ(rows_seen().size(), layout::kMaxRows);
  record->remove_row({1000, 1});
  EXPECT_TRUE(record->add_row({9999, 1}, 1));
  EXPECT_EQ(rows_seen().size(), layout::kMaxRows);
}

TEST_F(SessionTest, AFullArenaIsAnErrorBeforeAnythingLiesOutside) {
  std::uint32_t added = 0;
  while (record->add_row({added + 1, 1}, layout::kMaxChunks)) ++added;
  EXPECT_EQ(added, (layout::kSessionBytes - layout::kRowArenaOffset) /
                       (layout::kMaxChunks * sizeof(HoldCount)));
  EXPECT_EQ(record->add_row({9999, 1}, layout::kMaxChunks).error(), Error::table_full);
  EXPECT_EQ(rows_seen().size(), added);
}

TEST_F(SessionTest, CountingStopsFarBelowTheWrap) {
  const auto row = record->add_row(kSlab, 1);
  ASSERT_TRUE(row);
  HoldCount& hold = row->front();
  for (std::uint32_t i = 0; i < kMostHolds; ++i) ASSERT_TRUE(count_hold(hold));
  EXPECT_FALSE(count_hold(hold));
  EXPECT_EQ(hold.load(), kMostHolds);
  // Many threads at the limit at once: an owner that looks never sees a chunk that nobody holds.
  std::atomic<bool> ended{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!ended) EXPECT_FALSE(count_hold(hold));
    });
  }
  for (int look = 0; look < 20'000; ++look) ASSERT_GE(view.row(kSlab)->front().load(), kMostHolds);
  ended = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(hold.load(), kMostHolds);
}

TEST_F(SessionTest, OthersSeeItsEndsAndTheirCounters) {
  const auto end = record->add_end(12);
  ASSERT_TRUE(end);
  (*end)->pushed = 1;
  (*end)->pushed_bytes = 2;
  (*end)->push_waits = 3;
  (*end)->copied_in = 4;
  (*end)->popped = 5;
  (*end)->popped_bytes = 6;
  (*end)->pop_waits = 7;
  view.for_each_end([](const EndFacts& facts) {
    EXPECT_EQ(facts.pipe, 12u);
    EXPECT_EQ(facts.pushed, 1u);
    EXPECT_EQ(facts.pushed_bytes, 2u);
    EXPECT_EQ(facts.push_waits, 3u);
    EXPECT_EQ(facts.copied_in, 4u);
    EXPECT_EQ(facts.popped, 5u);
    EXPECT_EQ(facts.popped_bytes, 6u);
    EXPECT_EQ(facts.pop_waits, 7u);
  });
  EXPECT_EQ(ends_seen(), std::vector<std::uint32_t>{12});
}

TEST_F(SessionTest, ARemovedEndIsUsedAgainWithItsCountersAtZero) {
  layout::EndEntry* first = *record->add_end(12);
  ASSERT_TRUE(record->add_end(13));
  first->popped = 99;
  record->remove_end(first);
  EXPECT_EQ(ends_seen(), std::vector<std::uint32_t>{13});
  layout::EndEntry* again = *record->add_end(14);
  EXPECT_EQ(again, first);
  EXPECT_EQ(again->popped.load(), 0u);
  EXPECT_EQ(ends_seen(), (std::vector<std::uint32_t>{14, 13}));
}

TEST_F(SessionTest, AFullTableOfEndsIsAnErrorAndGoesOnAfterARemoval) {
  std::vector<layout::EndEntry*> ends;
  for (std::uint32_t i = 1; i <= layout::kMaxEnds; ++i) ends.push_back(*record->add_end(i));
  EXPECT_EQ(record->add_end(9999).error(), Error::table_full);
  record->remove_end(ends[500]);
  EXPECT_EQ(*record->add_end(9999), ends[500]);
}

TEST_F(SessionTest, ForwardsCount) {
  record->bump_forwards();
  record->bump_forwards();
  EXPECT_EQ(view.forwards(), 2u);
}

// --- What another process may have written ------------------------------------------------------

// A session's segment as a hostile process could make it.
struct HostileSession {
  HostileSession() : segment(testing::shared_memory(layout::kSessionBytes)) {
    begin_format(header().segment, layout::SegmentKind::session, layout::kSessionBytes);
    finish_format(header().segment);
  }
  layout::SessionHeader& header() { return **segment.at<layout::SessionHeader>(0); }
  layout::RowEntry& row(std::uint32_t index) {
    return **segment.at<layout::RowEntry>(layout::kRowTableOffset +
                                          index * sizeof(layout::RowEntry));
  }
  SessionView view() { return *SessionView::attach(segment); }
  Segment segment;
};

TEST(HostileSessionTest, ATruncatedOrMislabelledSegmentIsRefused) {
  HostileSession hostile;
  hostile.header().segment.kind = layout::SegmentKind::slab;
  EXPECT_EQ(SessionView::attach(hostile.segment).error(), Error::corrupt);
  hostile.header().segment.kind = layout::SegmentKind::session;
  hostile.header().segment.layout_version = 99;
  EXPECT_EQ(SessionView::attach(hostile.segment).error(), Error::version_mismatch);
  hostile.header().segment.layout_version = layout::kLayoutVersion;
  hostile.header().segment.magic = 0;
  EXPECT_EQ(SessionView::attach(hostile.segment).error(), Error::corrupt);

  Segment small = testing::shared_memory(kPage);
  begin_format(**small.at<layout::SegmentHeader>(0), layout::SegmentKind::session, kPage);
  finish_format(**small.at<layout::SegmentHeader>(0));
  EXPECT_EQ(SessionView::attach(small).error(), Error::corrupt);
  EXPECT_EQ(SessionView::attach(Segment()).error(), Error::corrupt);
}

TEST(HostileSessionTest, RowsOutsideTheArenaAreCorruptAndSteppedOver) {
  struct Case {
    std::uint32_t offset;
    std::uint32_t count;
  };
  constexpr auto kEnd = static_cast<std::uint32_t>(layout::kSessionBytes);
  const std::vector<Case> outside = {
      {0, 1},
      {static_cast<std::uint32_t>(layout::kRowArenaOffset) - 2, 1},
      {static_cast<std::uint32_t>(layout::kRowArenaOffset) + 1, 1},
      {static_cast<std::uint32_t>(layout::kRowArenaOffset), layout::kMaxChunks + 1},
      {static_cast<std::uint32_t>(layout::kRowArenaOffset), 0xffff'ffff},
      {kEnd, 1},
      {kEnd - 2, 2},
      {0xffff'fffe, layout::kMaxChunks},
  };
  for (const Case& bad : outside) {
    HostileSession hostile;
    hostile.row(0).segment = kSlab.packed();
    hostile.row(0).offset = bad.offset;
    hostile.row(0).chunk_count = bad.count;
    hostile.header().row_count = 1;
    EXPECT_EQ(hostile.view().row(kSlab).error(), Error::corrupt) << bad.offset << " " << bad.count;
    EXPECT_EQ(hostile.view().total_holds(), 0u);
  }
  HostileSession last;
  last.row(0).segment = kSlab.packed();
  last.row(0).offset = kEnd - 2;
  last.row(0).chunk_count = 1;
  last.header().row_count = 1;
  EXPECT_TRUE(last.view().row(kSlab));
}

TEST(HostileSessionTest, CountsBeyondTheTablesAreCutOff) {
  HostileSession hostile;
  std::memset(hostile.segment.base() + layout::kRowTableOffset, 0xff,
              layout::kSessionBytes - layout::kRowTableOffset);
  hostile.header().row_count = 0xffff'ffff;
  hostile.header().end_count = 0xffff'ffff;
  EXPECT_EQ(hostile.view().row(kSlab).error(), Error::not_found);
  EXPECT_EQ(hostile.view().total_holds(), 0u);
  std::uint32_t ends = 0;
  hostile.view().for_each_end([&](const EndFacts&) { ++ends; });
  EXPECT_EQ(ends, layout::kMaxEnds);
}

// --- The node's table ---------------------------------------------------------------------------

TEST(NodeTableTest, IsWrittenByTheNodeAndFoundByIndex) {
  const Segment segment = testing::shared_memory(layout::kNodeBytes);
  EXPECT_EQ(NodeTable::attach(segment).error(), Error::corrupt);
  ASSERT_TRUE(format_node(segment, 42));
  const auto table = NodeTable::attach(segment);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->node_id(), 42u);
  table->entry(layout::kMaxSessions - 1).viewers_epoch = 7;
  EXPECT_EQ(NodeTable::attach(segment)->entry(layout::kMaxSessions - 1).viewers_epoch.load(), 7u);
  EXPECT_FALSE(format_node(testing::shared_memory(kPage), 42));
}

TEST(NodeTableTest, TheTableOfADeadKeeperHasNoEpochAndTheNextOnesAreOthers) {
  const Segment segment = testing::shared_memory(layout::kNodeBytes);
  ASSERT_TRUE(format_node(segment, 42, 3));
  const NodeTable table = *NodeTable::attach(segment);
  table.entry(5).viewers_epoch.fetch_add(1);
  const std::uint64_t epoch = table.viewers_epoch(5);
  EXPECT_EQ(epoch, 3 * layout::kEpochsOfAKeeper + 1);
  const pid_t keeper = ::fork();
  if (keeper == 0) {
    os::RobustHold life;
    const bool taken = life.take(table.keeper());
    if (!taken || table.is_abandoned() || table.viewers_epoch(5) != epoch) ::_exit(1);
    ::raise(SIGKILL);
  }
  int raw = 0;
  ::waitpid(keeper, &raw, 0);
  ASSERT_TRUE(WIFSIGNALED(raw) && WTERMSIG(raw) == SIGKILL);
  EXPECT_TRUE(table.is_abandoned());
  EXPECT_EQ(table.viewers_epoch(5), layout::kNoEpoch);
  const Segment next = testing::shared_memory(layout::kNodeBytes);
  ASSERT_TRUE(format_node(next, 42, 4));
  EXPECT_GT(NodeTable::attach(next)->viewers_epoch(5), epoch);
}

// Without a service manager nobody follows: what is known of viewers stays true.
TEST(NodeTableTest, ATableThatNobodyMarkedKeepsItsEpoch) {
  const Segment segment = testing::shared_memory(layout::kNodeBytes);
  ASSERT_TRUE(format_node(segment, 42));
  EXPECT_FALSE(NodeTable::attach(segment)->is_abandoned());
  EXPECT_EQ(NodeTable::attach(segment)->viewers_epoch(5), 0u);
}

}  // namespace
}  // namespace tarn
