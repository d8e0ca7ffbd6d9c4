// The worker dies at every crash point of a repair. Whatever the point, the next worker is asked
// again, and in the end the node is clean and what was sound in it is as before.
#include "testing/shared_pipe.h"
#include "testing/swept_points.h"
#include "tests/e2e/check/check_fixture.h"

namespace tarn::raw {
namespace {

using layout::PipeHeader;
using layout::Slot;
using layout::SlotPhase;

class RepairCrashTest : public CheckTest {
 protected:
  // Each life has a node of its own.
  void SetUp() override {
    NodeTest::SetUp();
    ::setenv("XDG_RUNTIME_DIR", place_.path().c_str(), 1);
  }

  static void write_word(std::byte* base, std::uint32_t slot, std::uint64_t lap, SlotPhase phase,
                         std::uint32_t claimant) {
    write(base, word_of(slot),
          SlotWord(lap, phase, static_cast<std::uint16_t>(claimant), false).bits());
  }
  // Something of each way to repair: a header, words, links, a session, a pipe beyond repair.
  void plant() {
    std::byte* const once = once_->segment.base();
    write(once, offsetof(PipeHeader, pipe_id), std::uint32_t{77});
    write(once, offsetof(PipeHeader, high_water), std::uint64_t{99});
    write_word(once, 5, 0, SlotPhase::free, owner());
    write_word(once, 6, 3, SlotPhase::free, 0);
    write_word(once, 4, 0, SlotPhase::claimed, 4000);
    once_->push_chunk(viewer(), slab_id_, 2);
    for (std::uint32_t i = 0; i < 256; ++i) {
      write_word(wild_->segment.base(), i, 0, static_cast<SlotPhase>(6), 9);
    }
    write(viewer_->record->segment().base(),
          layout::kRowTableOffset + offsetof(layout::RowEntry, offset), std::uint32_t{8});
  }
  // What nobody had spoilt came through: two texts and a chunk, in order.
  void expect_what_was_sound() {
    std::vector<std::string> found;
    Peeked peeked;
    while (once_->view.peek(peeked) == SlotPop::ok) {
      found.push_back(testing::text_of(load_payload(*peeked.slot)));
      ASSERT_TRUE(once_->view.take(static_cast<std::uint16_t>(owner()), peeked));
    }
    ASSERT_GE(found.size(), 3u);
    EXPECT_EQ(found[0], "one");
    EXPECT_EQ(found[1], "two");
  }

  // Returns how often a worker was started.
  std::uint32_t one_life(const std::string& crash_at) {
    start({}, [&] { ::setenv("TARN_CRASH_AT", crash_at.c_str(), 1); });
    staff();
    wild_.emplace(owner_->open_pipe("wild", 256));
    viewer_->open_pipe("wild");
    plant();
    repair();
    const std::uint32_t starts = observer().status().worker_starts;
    if (starts > 1) {
      EXPECT_TRUE(owner_->come_back());
      EXPECT_TRUE(viewer_->come_back());
    }
    // What was under repair when the worker died is found once more, or was done.
    repair();
    const CheckReport report = check();
    EXPECT_EQ(testing::text_of(report), "");
    EXPECT_EQ(report.quarantined, 2u);
    EXPECT_TRUE(wild_->view.is_closed()) << "who waits there would not be told";
    expect_what_was_sound();
    end_life();
    return starts;
  }
  void end_life() {
    for (auto* client : {&owner_, &viewer_}) {
      (*client)->ask<wire::Goodbye>();
      client->reset();
    }
    wild_.reset();
    once_.reset();
    least_.reset();
    slab_ = Slab(4);
    daemon_.reset();
    EXPECT_TRUE(place_.is_empty());
  }
  void sweep(const std::string& prefix) {
    for (std::uint64_t crash_at = 1;; ++crash_at) {
      const std::string point = prefix + ':' + std::to_string(crash_at);
      SCOPED_TRACE(point);
      ::alarm(kWatchdogSeconds);
      const std::uint32_t starts = one_life(point);
      if (HasFailure() || starts == 1) return;
      EXPECT_EQ(starts, 2u);
    }
  }

  std::optional<MappedPipe> wild_;
};

TEST_F(RepairCrashTest, EveryPointEndsWithACleanNode) {
  const testing::SweptPoints swept;
  sweep("repair.");
  sweep("pipe.re");
  sweep("node.quarantine.");
  swept.expect_all({"repair.pipe.restored", "pipe.restore.begun", "pipe.repair.slot",
                    "pipe.repair.replaced", "node.quarantine.stored"});
}

}  // namespace
}  // namespace tarn::raw
