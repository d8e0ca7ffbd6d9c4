// Ends a session after every instruction at which it changes its own segment, and audits what
// others read in it: whole rows, whole ends, and holds of rows that were there.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "shm/session/session.h"
#include "testing/clean_node.h"
#include "testing/fake_heap_host.h"
#include "testing/step/stepper.h"

namespace tarn {
namespace {

using testing::FakeViewer;
using testing::StepCount;
using testing::Sweep;

class SessionStepperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = testing::why_no_tracing();
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
  SessionRecord& record() { return viewer.record(); }
  SessionView view() { return viewer.as_viewer().view; }
  StepCount sweep(const char* operation, std::function<void()> operate,
                  std::function<void()> check) {
    Sweep plan;
    plan.operation = operation;
    for (const std::uint64_t offset : {std::uint64_t{0}, layout::kRowTableOffset,
                                       layout::kEndTableOffset, layout::kRowArenaOffset}) {
      plan.memory.push_back({record().segment().base() + offset, kPage});
    }
    const testing::Image start(plan.memory);
    plan.prepare = [&start] { start.put_back(); };
    plan.operate = std::move(operate);
    plan.check = [this, check] {
      check();
      EXPECT_EQ(testing::defects_of_session(record().segment()), "");
    };
    return step_through(plan, testing::step_form(testing::kShortForm));
  }
  std::map<std::uint32_t, std::size_t> rows() {
    std::map<std::uint32_t, std::size_t> found;
    view().for_each_row([&](SegmentId id, std::span<const layout::HoldCount> counts) {
      EXPECT_TRUE(found.emplace(id.index, counts.size()).second) << "two rows for " << id.index;
      for (const layout::HoldCount& count : counts) EXPECT_LE(count.load(), 1u);
      EXPECT_TRUE(view().row(id));
    });
    return found;
  }

  FakeViewer viewer{1};
};

TEST_F(SessionStepperTest, RowsAreAddedAndHeld) {
  const auto count = sweep(
      "row added, hold counted, twice",
      [&] {
        for (std::uint32_t i = 1; i <= 2; ++i) {
          const auto row = record().add_row({i, 1}, i * 100);
          TARN_ASSERT(row.has_value());
          TARN_ASSERT(count_hold(row->back()));
        }
      },
      [&] {
        const auto found = rows();
        for (const auto& [index, size] : found) EXPECT_EQ(size, index * 100);
        for (std::uint32_t i = 1; i <= found.size(); ++i) EXPECT_EQ(found.count(i), 1u);
        EXPECT_GE(view().total_holds() + 1, found.size());
        EXPECT_LE(view().total_holds(), found.size());
      });
  EXPECT_GT(count.instructions, 100u);
}

TEST_F(SessionStepperTest, RowsAreRemovedAndUsedAgain) {
  sweep(
      "row removed, used again",
      [&] {
        for (std::uint32_t i = 1; i <= 2; ++i) {
          const auto row = record().add_row({i, 1}, 100);
          TARN_ASSERT(row.has_value());
          TARN_ASSERT(count_hold((*row)[i]));
          (*row)[i].fetch_sub(1);
          record().remove_row({i, 1});
        }
      },
      [&] { EXPECT_LE(rows().size(), 1u); });
}

TEST_F(SessionStepperTest, EndsAreAddedAndRemoved) {
  sweep(
      "end of a pipe added, removed, used again",
      [&] {
        layout::EndEntry* first = *record().add_end(1);
        first->popped = 77;
        record().remove_end(first);
        TARN_ASSERT(record().add_end(2).has_value());
        TARN_ASSERT(record().add_end(3).has_value());
      },
      [&] {
        std::size_t found = 0;
        view().for_each_end([&](const EndFacts& facts) {
          ++found;
          if (facts.pipe != 1) {
            EXPECT_EQ(facts.popped, 0u);
          }
        });
        EXPECT_LE(found, 2u);
      });
}

}  // namespace
}  // namespace tarn
