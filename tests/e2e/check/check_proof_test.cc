// What is proved before it is told, and judged before it is repaired: a repair trusts neither the
// auditor nor the session whose memory it looks at.
#include <fcntl.h>

#include "tests/e2e/check/registry_fixture.h"

namespace tarn::daemon {
namespace {

// What a repair does for a session must be no more than what the session could ask for.
TEST_F(CheckRegistryTest, RowOfAStrangerInAPrivateSlabOpensNothing) {
  viewer_->facts.uid = os::own_uid() + 1;
  node_->end_viewing(*slab_item_, *viewer_);
  ASSERT_TRUE(viewer_record_.add_row(slab_item_->id(), 4));
  const auto findings = audit();
  ASSERT_EQ(kinds_of(findings), Kinds{"row_without_viewing"});
  EXPECT_EQ(repair(findings[0]).outcome, wire::RepairOutcome::quarantined);
  EXPECT_FALSE(slab_item_->viewers.contains(viewer_->facts.index));
  EXPECT_EQ(kinds_of(audit()), Kinds{});
}

TEST_F(CheckRegistryTest, RowOfAStrangerInASlabForItsPipeIsToldOf) {
  viewer_->facts.uid = os::own_uid() + 1;
  slab_item_->facts.audience = pipe_->facts.id;
  node_->end_viewing(*slab_item_, *viewer_);
  ASSERT_TRUE(viewer_record_.add_row(slab_item_->id(), 4));
  expect_repaired("row_without_viewing");
  EXPECT_TRUE(slab_item_->viewers.contains(viewer_->facts.index));
}

TEST_F(CheckRegistryTest, ReferenceThatAStrangerPassedOnIsThrownAway) {
  node_->end_carrying(*slab_item_, *pipe_);
  pipe_->facts.shared = 1;
  std::uint64_t position = 0;
  const auto viewer = static_cast<std::uint16_t>(viewer_->facts.index);
  const SlotPayload reference = SlotPayload::reference_to({slab_item_->id(), 1, 10});
  ASSERT_EQ(pipe_->view.push(viewer, reference, position), SlotPush::ok);
  expect_repaired("reference_not_carried");
  EXPECT_FALSE(slab_item_->carriers.contains(pipe_->facts.id));
  EXPECT_TRUE(pipe_->view.is_gone(position));
}

class CheckSlotTest : public CheckRegistryTest {
 protected:
  void write(std::uint32_t slot, SlotWord word) { slot_at(slot).word.store(word.bits()); }
  layout::Slot& slot_at(std::uint32_t slot) {
    return **pipe_->segment.at<layout::Slot>(layout::kSlotsOffset + slot * sizeof(layout::Slot));
  }
};

// What was found is gone, and what stands there now nobody has proved yet.
TEST_F(CheckSlotTest, FindingOfAnotherStateIsLeftAlone) {
  write(0, SlotWord(0, layout::SlotPhase::claimed, 4000));
  const auto unknown = audit();
  ASSERT_EQ(kinds_of(unknown), Kinds{"slot_claimant_unknown"});
  const SlotWord later(0, layout::SlotPhase::claimed, 4001);
  write(0, later);
  EXPECT_EQ(std::string(repair(unknown[0]).verdict.data()), "it is not so any more");
  EXPECT_EQ(slot_at(0).word.load(), later.bits());
  write(0, SlotWord(0, layout::SlotPhase::free, 0));

  const auto self = static_cast<std::uint16_t>(owner_->facts.index);
  std::uint64_t position = 0;
  ASSERT_EQ(pipe_->view.push(self, SlotPayload::reference_to({{60000, 1}, 0, 10}), position),
            SlotPush::ok);
  const auto reference = audit();
  ASSERT_EQ(kinds_of(reference), Kinds{"reference_unknown_segment"});
  slot_at(0).payload[0].store(SegmentId{60001, 1}.packed());
  EXPECT_EQ(std::string(repair(reference[0]).verdict.data()), "it is not so any more");
  EXPECT_FALSE(pipe_->view.is_gone(position));
}

TEST_F(CheckSlotTest, FindingOfAnotherNodeIsRefused) {
  write(5, SlotWord(0, layout::SlotPhase::free, 9));
  auto wish = wire::make<wire::AuditRepair>(1);
  wish.node_id = node_->facts().node_id + 1;
  wish.kind = static_cast<std::uint32_t>(audit::Kind::slot_free_but_signed);
  wish.object = static_cast<std::uint32_t>(audit::ObjectKind::pipe);
  wish.index = pipe_->facts.id;
  wish.part = 5;
  wish.evidence = slot_at(5).word.load();
  const auto refused = wire::decode<wire::ErrorReply>(ask(wire::bytes_of(wish))->bytes);
  ASSERT_TRUE(refused);
  EXPECT_EQ(wire::to_error(*refused).code(), Error::node_lost);
  wish.node_id = node_->facts().node_id;
  EXPECT_TRUE(wire::decode<wire::AuditRepaired>(ask(wire::bytes_of(wish))->bytes));
}

// Whoever repairs first leaves a sound flag.
TEST_F(CheckSlotTest, SoundClosedFlagIsLeftAlone) {
  audit::Finding finding;
  finding.kind = audit::Kind::pipe_closed_flag;
  finding.place = {audit::ObjectKind::pipe, pipe_->facts.id, 0, 0};
  finding.evidence = 7;
  EXPECT_EQ(std::string(repair(finding).verdict.data()), "it is not so any more");
  EXPECT_FALSE(pipe_->view.is_closed());
}

// Its neighbours say where a slot of a large pipe has to stand.
TEST_F(CheckSlotTest, SlotOfALargePipeIsPutBesideItsNeighbours) {
  auto wish = wire::make<wire::PipeOpen>(1);
  wire::put_text(wish.name, "large");
  wish.has_capacity = 1;
  wish.capacity = 1 << 16;
  ASSERT_TRUE(tarn::daemon::pipe_open(*node_, *owner_, wish));
  pipe_ = node_->pipes().find("large");
  for (const std::uint32_t slot : {1U, 40'000U, 65'535U}) {
    const SlotWord sound(slot_at(slot).word.load());
    write(slot, SlotWord(3, layout::SlotPhase::free, 0));
    expect_repaired("slot_lap");
    EXPECT_EQ(slot_at(slot).word.load(), sound.bits());
  }
}

// Most of what is seen once is work in flight: behind it a defect must not hide.
TEST_F(CheckSlotTest, DefectBehindManySuspectsIsFound) {
  auto wish = wire::make<wire::PipeOpen>(1);
  wire::put_text(wish.name, "many");
  wish.has_capacity = 1;
  wish.capacity = 64;
  ASSERT_TRUE(tarn::daemon::pipe_open(*node_, *owner_, wish));
  pipe_ = node_->pipes().find("many");
  for (std::uint32_t slot = 0; slot < 32; ++slot) {
    write(slot, SlotWord(0, layout::SlotPhase::claimed, 4000));
  }
  check::Auditor auditor(
      [this, looks = 0](auto request) mutable {
        // Between the first look and the second the first ones get on.
        const bool is_look = wire::decode<wire::AuditNode>(request).has_value();
        if (is_look && ++looks == 3) {
          for (std::uint32_t slot = 0; slot < 31; ++slot) {
            write(slot, SlotWord(1, layout::SlotPhase::free, 0));
          }
        }
        return ask(request);
      },
      nullptr, CheckOptions{.patience = 0ms});
  const auto found = auditor.run();
  ASSERT_TRUE(found);
  ASSERT_EQ(kinds_of(found->findings), Kinds{"slot_claimant_unknown"});
  EXPECT_EQ(found->findings[0].place.part, 31u);
}

// What the kernel says of memory is asked at each look: it may have been but a moment's state.
TEST_F(CheckSlotTest, PagesThatComeBackAreNoDefect) {
  const int memory = pipe_->memory.get();
  const auto size = static_cast<off_t>(pipe_->size_bytes());
  ASSERT_EQ(::fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096), 0);
  check::Auditor auditor(
      [this, memory, size, looks = 0](auto request) mutable {
        const bool is_look = wire::decode<wire::AuditNode>(request).has_value();
        if (is_look && ++looks == 3) {
          EXPECT_EQ(::fallocate(memory, 0, 0, size), 0);
        }
        return ask(request);
      },
      nullptr, CheckOptions{.patience = 0ms});
  const auto found = auditor.run();
  ASSERT_TRUE(found);
  EXPECT_EQ(kinds_of(found->findings), Kinds{});
  EXPECT_EQ(found->looks, 2u);
}

// A page of links is over after so many objects, though they list nothing.
TEST_F(CheckRegistryTest, ObjectsWithoutLinksFillAPage) {
  for (int i = 0; i < 1100; ++i) {
    auto item = std::make_unique<SessionItem>();
    item->facts.index = *node_->sessions().take_index();
    item->facts.generation = ++node_->counters().last_session_generation;
    node_->add_session(std::move(item));
  }
  auto list = wire::make<wire::AuditList>(1);
  list.subject = wire::AuditSubject::openings;
  std::uint32_t pages = 0;
  std::uint32_t links = 0;
  for (bool more = true; more && pages < 10; ++pages) {
    const auto page = wire::decode<wire::AuditLinks>(ask(wire::bytes_of(list))->bytes);
    ASSERT_TRUE(page);
    links += page->count;
    more = page->more != 0;
    list.after_first = page->last_first;
    list.after_second = page->last_second;
  }
  EXPECT_EQ(links, 2u);
  EXPECT_EQ(pages, 2u);
}

}  // namespace
}  // namespace tarn::daemon
