// Each defect that can be planted in a node's memory is found, and nothing else is; a repair puts
// it right, or says why it cannot; and the pipes go on.
#include <array>
#include <string_view>

#include "tests/e2e/check/plants.h"

namespace tarn::raw {
namespace {

using layout::EndEntry;
using layout::RowEntry;
using layout::SegmentHeader;
using layout::SlotPhase;

TEST_F(CheckTest, NothingIsAmissInAHealthyNode) {
  // What the worker has just told the keeper may be on its way, which the first check waits for.
  EXPECT_EQ(testing::text_of(check(5000ms)), "");
  const CheckReport report = check(5000ms);
  EXPECT_EQ(testing::text_of(report), "");
  EXPECT_EQ(report.looks, 1u);
  EXPECT_EQ(report.sessions, 2u);
  EXPECT_EQ(report.pipes, 2u);
  EXPECT_EQ(report.slots, 16u);
  EXPECT_EQ(report.segments, 6u);
  EXPECT_EQ(report.holds, 1u);
}

// Of everything that a client wrote, or that the node shares.
TEST_F(CheckTest, NothingIsChangedByLooking) {
  const std::array<const Segment*, 5> segments = {&once_->segment, &least_->segment,
                                                  &slab_.owned.segment, &owner_->record->segment(),
                                                  &viewer_->record->segment()};
  const auto sums = [&] {
    std::vector<std::size_t> found;
    for (const Segment* segment : segments) {
      const auto* bytes = reinterpret_cast<const char*>(segment->base());
      found.push_back(std::hash<std::string_view>{}({bytes, segment->size()}));
    }
    return found;
  };
  const auto pages = [&] { return os::examine_memory(viewer_->record->fd())->allocated_bytes; };
  const std::uint64_t pages_before = pages();
  // Rows that lie where no page is: reading there makes none.
  write(viewer_->record->segment().base(), layout::kRowTableOffset + offsetof(RowEntry, offset),
        std::uint32_t{8 << 20});
  for (int i = 0; i < 10; ++i) check();
  EXPECT_EQ(pages(), pages_before);
  const auto before = sums();
  for (int i = 0; i < 10; ++i) check();
  EXPECT_EQ(sums(), before);
}

class PlantTest : public CheckTest, public ::testing::WithParamInterface<Plant> {
 protected:
  std::byte* ground() {
    switch (GetParam().ground) {
      case Ground::once:
        return once_->segment.base();
      case Ground::least:
        return least_->segment.base();
      case Ground::slab:
        return slab_.owned.segment.base();
      case Ground::session:
        return viewer_->record->segment().base();
    }
    return nullptr;
  }
};

std::string name_of(const ::testing::TestParamInfo<Plant>& info) {
  std::string name;
  bool begins = true;
  for (const char* at = info.param.kind; *at != '\0'; ++at) {
    if (*at != '_') name += begins ? static_cast<char>(std::toupper(*at)) : *at;
    begins = *at == '_';
  }
  return name + std::to_string(info.index);
}
INSTANTIATE_TEST_SUITE_P(All, PlantTest, ::testing::ValuesIn(all_plants()), name_of);

TEST_P(PlantTest, IsFoundAloneAndDealtWith) {
  const Plant& plant = GetParam();
  ASSERT_EQ(owner(), kOwner);
  ASSERT_EQ(viewer(), kViewer);
  ASSERT_EQ(testing::text_of(check()), "");
  // Some need a second row, or that there is one to be taken for the first.
  Slab other(4);
  ASSERT_EQ(other.add_to(*owner_).type(), wire::MessageType::segment_added);
  see(kOther);
  ASSERT_TRUE(viewer_->record->add_row(kOther, 4));
  std::memcpy(ground() + plant.offset, plant.bytes.data(), plant.bytes.size());
  expect_dealt_with(plant.kind, plant.outcome, plant.patience);
  if (plant.outcome == kLeft) return;
  // A taken message keeps its slot of the other pipe, unless that was what was overwritten.
  MappedPipe& pipe = plant.ground == Ground::least ? *least_ : *once_;
  if (!pipe.view.is_closed()) expect_flow(pipe, owner());
}

TEST_F(CheckTest, MessageOfAnUnknownConsumerIsDeliveredAgain) {
  write(least_->segment.base(), word_of(0), SlotWord(0, SlotPhase::taken, 4000).bits());
  expect_dealt_with("slot_claimant_unknown", kRepaired);
  Peeked found;
  ASSERT_EQ(least_->view.peek(found), SlotPop::ok);
  EXPECT_TRUE(found.word.redelivered());
}

// Its producer lives, and may go on.
TEST_F(CheckTest, MarkAtAClaimIsTakenAway) {
  const SlotWord claimed(0, SlotPhase::claimed, kOwner, false);
  write(once_->segment.base(), word_of(3), claimed.with(SlotPhase::claimed, kOwner, true).bits());
  expect_dealt_with("slot_mark_impossible", kRepaired);
  EXPECT_EQ(once_->view.words()[3], claimed.bits());
}

TEST_F(CheckTest, ClosedFlagThatMakesNoSenseClosesThePipe) {
  write(once_->segment.base(), offsetof(layout::PipeHeader, closed), std::uint32_t{7});
  expect_dealt_with("pipe_closed_flag", kRepaired);
  EXPECT_TRUE(once_->view.is_closed());
}

TEST_F(CheckTest, ClaimOfSomebodyWhoDoesNotHaveThePipeOpenIsResolved) {
  Client third = session();
  const auto claimant = static_cast<std::uint16_t>(third.welcome.session_index);
  write(once_->segment.base(), word_of(3), SlotWord(0, SlotPhase::claimed, claimant).bits());
  expect_dealt_with("slot_claimant_without_opening", kRepaired);
  expect_flow(*once_, owner());
}

TEST_F(CheckTest, MessageThatWasPassedOnInSilenceIsToldOf) {
  once_->push_chunk(viewer(), slab_id_, 2);
  expect_dealt_with("reference_not_carried", kRepaired);
}

TEST_F(CheckTest, RowThatNobodyWasToldOfIsToldOf) {
  Slab other(4);
  ASSERT_EQ(other.add_to(*owner_).type(), wire::MessageType::segment_added);
  ASSERT_TRUE(viewer_->record->add_row(kOther, 4));
  expect_dealt_with("row_without_viewing", kRepaired);
}

TEST_F(CheckTest, RowsThatShareTheirCountsAreFound) {
  Slab other(4);
  ASSERT_EQ(other.add_to(*owner_).type(), wire::MessageType::segment_added);
  see(kOther);
  ASSERT_TRUE(viewer_->record->add_row(kOther, 4));
  const std::uint64_t second = layout::kRowTableOffset + sizeof(RowEntry);
  write(viewer_->record->segment().base(), second + offsetof(RowEntry, offset),
        static_cast<std::uint32_t>(layout::kRowArenaOffset + 2));
  expect_dealt_with("row_overlap", kQuarantined);
}

// It may have left the pipe a moment ago, and not have heard yet.
TEST_F(CheckTest, EndOfAPipeThatItDoesNotHaveOpenIsFoundAfterAWhile) {
  owner_->open_pipe("third", 1);
  write(viewer_->record->segment().base(), layout::kEndTableOffset, std::uint32_t{3});
  expect_dealt_with("end_without_opening", kLeft, 300ms);
}

TEST_F(CheckTest, PipeFromWhichPagesWereTakenIsPutInQuarantine) {
  const auto opened = viewer_->open_pipe("hole", 1024);
  const MappedPipe pipe(opened);
  ASSERT_EQ(::fallocate(opened.descriptors[0].get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        8192, 4096),
            0);
  expect_dealt_with("memory_pages_missing", kQuarantined);
}

}  // namespace
}  // namespace tarn::raw
