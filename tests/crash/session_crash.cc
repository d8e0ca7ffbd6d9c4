// Ends a session at every crash point at which it changes its own segment, and audits what others
// read in it: whole rows, whole ends, and holds of rows that were there.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "shm/session/session.h"
#include "testing/crash_sweep.h"
#include "testing/fake_heap_host.h"
#include "testing/swept_points.h"

namespace tarn {
namespace {

using testing::crash_sweep;
using testing::Death;
using testing::FakeViewer;

struct SessionCrashTest : ::testing::Test {
  void reset() {
    viewer.reset();
    viewer = std::make_unique<FakeViewer>(1);
  }
  SessionRecord& record() { return viewer->record(); }
  SessionView view() { return viewer->as_viewer().view; }
  std::map<std::uint32_t, std::size_t> rows() {
    std::map<std::uint32_t, std::size_t> found;
    view().for_each_row([&](SegmentId id, std::span<const layout::HoldCount> counts) {
      EXPECT_TRUE(found.emplace(id.index, counts.size()).second) << "two rows for " << id.index;
      for (const layout::HoldCount& count : counts) EXPECT_LE(count.load(), 1u);
      EXPECT_TRUE(view().row(id));
    });
    return found;
  }
  const testing::SweptPoints points;
  std::unique_ptr<FakeViewer> viewer;
};

TEST_F(SessionCrashTest, ARowIsThereWholeOrNotAtAll) {
  const std::uint64_t swept = crash_sweep([&] { reset(); },
                                          [&] {
                                            for (std::uint32_t i = 1; i <= 4; ++i) {
                                              const auto row = record().add_row({i, 1}, i * 100);
                                              TARN_ASSERT(row.has_value());
                                              TARN_ASSERT(count_hold(row->back()));
                                            }
                                          },
                                          [&](const Death& death) {
                                            const auto found = rows();
                                            for (const auto& [index, size] : found)
                                              EXPECT_EQ(size, index * 100);
                                            // Rows are added in order: what is missing is at the
                                            // end.
                                            for (std::uint32_t i = 1; i <= found.size(); ++i)
                                              EXPECT_EQ(found.count(i), 1u);
                                            EXPECT_GE(view().total_holds() + 1, found.size());
                                            EXPECT_LE(view().total_holds(), found.size());
                                            if (death.finished()) {
                                              EXPECT_EQ(found.size(), 4u);
                                            }
                                          });
  EXPECT_EQ(swept, 4 * 3u);
  points.expect_all({"session.row.filled", "session.row.named", "session.row.counted"});
}

TEST_F(SessionCrashTest, ARowThatIsUsedAgainIsNeverTwoAtOnce) {
  const std::uint64_t swept = crash_sweep([&] { reset(); },
                                          [&] {
                                            for (std::uint32_t i = 1; i <= 3; ++i) {
                                              const auto row = record().add_row({i, 1}, 100);
                                              TARN_ASSERT(row.has_value());
                                              TARN_ASSERT(count_hold((*row)[i]));
                                              (*row)[i].fetch_sub(1);
                                              record().remove_row({i, 1});
                                            }
                                          },
                                          [&](const Death& death) {
                                            EXPECT_LE(rows().size(), 1u);
                                            if (death.finished()) {
                                              EXPECT_TRUE(rows().empty());
                                            }
                                          });
  EXPECT_EQ(swept, 3 * 4u);
  points.expect_all({"session.row.removed"});
}

TEST_F(SessionCrashTest, AnEndIsThereWithItsCountersAtZeroOrNotAtAll) {
  const std::uint64_t swept = crash_sweep([&] { reset(); },
                                          [&] {
                                            layout::EndEntry* first = *record().add_end(1);
                                            first->popped = 77;
                                            record().remove_end(first);
                                            TARN_ASSERT(record().add_end(2).has_value());
                                            TARN_ASSERT(record().add_end(3).has_value());
                                          },
                                          [&](const Death& death) {
                                            std::vector<std::uint32_t> pipes;
                                            view().for_each_end([&](const EndFacts& facts) {
                                              pipes.push_back(facts.pipe);
                                              if (facts.pipe != 1) {
                                                EXPECT_EQ(facts.popped, 0u);
                                              }
                                            });
                                            EXPECT_LE(pipes.size(), 2u);
                                            if (death.finished()) {
                                              EXPECT_EQ(pipes, (std::vector<std::uint32_t>{2, 3}));
                                            }
                                          });
  EXPECT_EQ(swept, 3 * 2u);
  points.expect_all({"session.end.filled", "session.end.named"});
}

}  // namespace
}  // namespace tarn
