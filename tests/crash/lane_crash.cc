// Ends a provider at every crash point of publishing and retiring, and audits what consumers find:
// each message whole, or gone, or not yet there; and the lane's true end.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "shm/flow/lane.h"
#include "testing/crash_sweep.h"
#include "testing/shared_pipe.h"
#include "testing/swept_points.h"

namespace tarn {
namespace {

using testing::crash_sweep;
using testing::Death;

constexpr std::uint32_t kSlots = 4;
constexpr std::uint64_t kMessages = 7;  // the lane goes around

class LaneCrashTest : public ::testing::Test {
 protected:
  void reset() {
    const auto all = *segment_.bytes(0, segment_.size());
    std::memset(all.data(), 0, all.size());
    ASSERT_TRUE(format_lane(segment_, kSlots, 1, 1, 0));
    completed().store(0);
  }
  // How many publications returned: what the child tells behind the lane's slots.
  std::atomic<std::uint64_t>& completed() {
    return **segment_.at<std::atomic<std::uint64_t>>(segment_.size() - 8);
  }
  void publish_all(LaneWriter& writer) {
    for (std::uint64_t i = 0; i < kMessages; ++i) {
      const std::uint64_t words[] = {i, i * 3, ~i};
      const auto now = static_cast<std::int64_t>(i);
      writer.publish(LanePayload::copy_of(std::as_bytes(std::span(words))), {now, now});
      ++completed();
    }
  }
  // Each message that is there is one that was published; all that must be there are.
  void audit(std::uint64_t end, std::uint64_t oldest) {
    const LaneView view = *LaneView::attach(segment_);
    EXPECT_EQ(view.true_end(), end);
    for (std::uint64_t i = 0; i <= kMessages; ++i) {
      LaneMessage found;
      const LaneLook look = view.read(i, found);
      const LaneLook expected = i >= end     ? LaneLook::empty
                                : i < oldest ? LaneLook::gone
                                             : LaneLook::found;
      ASSERT_EQ(look, expected) << "message " << i;
      if (look != LaneLook::found) continue;
      const std::uint64_t words[] = {i, i * 3, ~i};
      ASSERT_EQ(found.size_bytes(), sizeof words);
      EXPECT_EQ(std::memcmp(found.bytes(), words, sizeof words), 0);
      EXPECT_EQ(found.times.published_ns, static_cast<std::int64_t>(i));
    }
  }

  const Segment segment_ = testing::shared_memory(layout::lane_bytes(kSlots));
  const testing::SweptPoints points_;
};

TEST_F(LaneCrashTest, APublicationIsAllOrNothing) {
  const std::uint64_t swept = crash_sweep(
      [&] { reset(); },
      [&] {
        LaneWriter writer = *LaneWriter::attach(segment_);
        publish_all(writer);
      },
      [&](const Death& death) {
        const std::uint64_t done = completed();
        // The message that was to be overwritten is gone already, whether the new one is there
        // or not.
        const std::uint64_t begun = done + (death.finished() ? 0 : 1);
        const std::uint64_t end = done + (death.was_at("lane.publish.published") ? 1 : 0);
        audit(end, begun > kSlots ? begun - kSlots : 0);
      });
  EXPECT_EQ(swept, 3 * kMessages);
  points_.expect_all({"lane.publish.begun", "lane.publish.filled", "lane.publish.published"});
}

TEST_F(LaneCrashTest, WhatIsRetiredGoesOneByOne) {
  const std::uint64_t swept = crash_sweep([&] { reset(); },
                                          [&] {
                                            LaneWriter writer = *LaneWriter::attach(segment_);
                                            publish_all(writer);
                                            writer.retire_below(kMessages);
                                          },
                                          [&](const Death& death) {
                                            if (!death.was_at("lane.retire.slot")) return;
                                            const std::uint64_t retired = death.at - 3 * kMessages;
                                            audit(kMessages, kMessages - kSlots + retired);
                                          });
  EXPECT_EQ(swept, 3 * kMessages + kSlots);
  points_.expect_all({"lane.retire.slot"});
}

}  // namespace
}  // namespace tarn
