#include "shm/flow/lane.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "testing/shared_pipe.h"

namespace tarn {
namespace {

using layout::LaneState;
using layout::PayloadKind;

constexpr std::uint32_t kSlots = 8;

class LaneTest : public ::testing::Test {
 protected:
  explicit LaneTest(std::uint64_t first = 0)
      : segment_(testing::shared_memory(layout::lane_bytes(kSlots))) {
    EXPECT_TRUE(format_lane(segment_, kSlots, 3, 2, first));
    writer_ = *LaneWriter::attach(segment_);
    view_ = *LaneView::attach(segment_);
  }
  std::uint64_t publish(std::uint64_t number) {
    const auto bytes = std::as_bytes(std::span(&number, 1));
    return writer_.publish(LanePayload::copy_of(bytes),
                           {number_to_time(number), number_to_time(number)});
  }
  static std::int64_t number_to_time(std::uint64_t number) {
    return static_cast<std::int64_t>(number) + 1'000'000;
  }
  // The number in the message of that sequence, or what else there is.
  LaneLook read(std::uint64_t sequence, std::uint64_t& number) const {
    LaneMessage found;
    const LaneLook look = view_.read(sequence, found);
    if (look == LaneLook::found) {
      EXPECT_EQ(found.size_bytes(), sizeof number);
      std::memcpy(&number, found.bytes(), sizeof number);
      EXPECT_EQ(found.times.published_ns, number_to_time(number));
      EXPECT_EQ(found.times.captured_ns, found.times.published_ns);
      EXPECT_EQ(found.sequence, sequence);
    }
    return look;
  }
  layout::LaneSlot& slot(std::uint64_t index) {
    return (*segment_.at<layout::LaneSlot>(layout::kLaneSlotsOffset +
                                           index * sizeof(layout::LaneSlot)))[0];
  }

  Segment segment_;
  LaneWriter writer_;
  LaneView view_;
};

class FarLaneTest : public LaneTest {
 protected:
  // Its stamps lose their high bits within a few messages.
  FarLaneTest() : LaneTest((std::uint64_t{1} << 52) - 3) {}
};

TEST_F(LaneTest, EveryReaderReadsEveryMessage) {
  std::uint64_t number = 0;
  EXPECT_EQ(read(0, number), LaneLook::empty);
  for (std::uint64_t i = 0; i < kSlots; ++i) EXPECT_EQ(publish(i * 7), i);
  for (int reader = 0; reader < 3; ++reader) {
    for (std::uint64_t i = 0; i < kSlots; ++i) {
      ASSERT_EQ(read(i, number), LaneLook::found);
      EXPECT_EQ(number, i * 7);
    }
    EXPECT_EQ(read(kSlots, number), LaneLook::empty);
  }
  EXPECT_EQ(view_.next(), kSlots);
  EXPECT_EQ(view_.oldest(), 0u);
}

TEST_F(LaneTest, WhoIsTooLateIsTold) {
  for (std::uint64_t i = 0; i < 3 * kSlots + 2; ++i) publish(i);
  std::uint64_t number = 0;
  EXPECT_EQ(read(0, number), LaneLook::gone);
  EXPECT_EQ(read(2 * kSlots + 1, number), LaneLook::gone);
  EXPECT_EQ(read(2 * kSlots + 2, number), LaneLook::found);
  EXPECT_EQ(view_.oldest(), 2 * kSlots + 2);
  // A quarter of the lane away from where the provider is about to write.
  EXPECT_EQ(view_.resume_after_gap(0), 2 * kSlots + 2 + kSlots / 4);
  EXPECT_EQ(view_.resume_after_gap(3 * kSlots), 3 * kSlots + 1);
}

TEST_F(LaneTest, WhatIsRetiredIsGoneAndTheRestStays) {
  for (std::uint64_t i = 0; i < 6; ++i) publish(i);
  writer_.retire_below(4);
  std::uint64_t number = 0;
  EXPECT_EQ(read(3, number), LaneLook::gone);
  EXPECT_EQ(read(4, number), LaneLook::found);
  EXPECT_EQ(view_.oldest(), 4u);
  EXPECT_EQ(view_.resume_after_gap(0), 4u);
  EXPECT_TRUE(view_.is_gone(3));
  EXPECT_FALSE(view_.is_gone(5));
  // The slots are used again in their turn.
  for (std::uint64_t i = 6; i < 2 * kSlots; ++i) publish(i);
  EXPECT_EQ(read(kSlots + 3, number), LaneLook::found);
}

TEST_F(LaneTest, CaptureTimeTravelsBesideTheBytes) {
  const std::vector<std::byte> bytes(40, std::byte{7});
  writer_.publish(LanePayload::copy_of(bytes), {500, -20});
  LaneMessage found;
  ASSERT_EQ(view_.read(0, found), LaneLook::found);
  EXPECT_EQ(found.times.published_ns, 500);
  EXPECT_EQ(found.times.captured_ns, -20);
  ASSERT_EQ(found.size_bytes(), bytes.size());
  EXPECT_EQ(std::memcmp(found.bytes(), bytes.data(), bytes.size()), 0);
}

TEST_F(LaneTest, AReferenceIsFoundAsItWasPublished) {
  const ChunkReference reference{{12, 5}, 77, std::uint64_t{1} << 30};
  writer_.publish(LanePayload::reference_to(reference), {500, 500});
  writer_.publish(LanePayload::reference_to({{12, 5}, 78, 9}), {500, 400});
  for (std::uint64_t i = 0; i < 2; ++i) {
    LaneMessage found;
    ASSERT_EQ(view_.read(i, found), LaneLook::found);
    EXPECT_EQ(found.kind(), PayloadKind::by_reference);
    EXPECT_EQ(found.reference().segment, reference.segment);
    EXPECT_EQ(found.reference().chunk, 77 + i);
    EXPECT_TRUE(view_.still_stands(found));
  }
  std::vector<bool> named;
  view_.mark_named({12, 5}, named);
  EXPECT_TRUE(named.size() == 79 && named[77] && named[78] && !named[76]);
  writer_.retire_below(1);
  named.clear();
  view_.mark_named({12, 5}, named);
  EXPECT_TRUE(!named[77] && named[78]);
}

TEST_F(LaneTest, AMessageThatIsOverwrittenStandsNoMore) {
  publish(1);
  LaneMessage found;
  ASSERT_EQ(view_.read(0, found), LaneLook::found);
  for (std::uint64_t i = 1; i < kSlots; ++i) publish(i);
  EXPECT_TRUE(view_.still_stands(found));
  publish(kSlots);
  EXPECT_FALSE(view_.still_stands(found));
}

TEST_F(LaneTest, EndSaysThatNothingComes) {
  publish(1);
  EXPECT_FALSE(view_.has_ended());
  writer_.end();
  EXPECT_TRUE(view_.has_ended());
  EXPECT_EQ(view_.next(), 1u);
}

TEST_F(FarLaneTest, StampsMayLoseTheirHighBits) {
  const std::uint64_t first = view_.first_sequence();
  std::uint64_t number = 0;
  for (std::uint64_t i = 0; i < 2 * kSlots; ++i) {
    EXPECT_EQ(read(first + i, number), LaneLook::empty) << i;
    publish(i);
    ASSERT_EQ(read(first + i, number), LaneLook::found) << i;
    EXPECT_EQ(number, i);
  }
  EXPECT_EQ(read(first, number), LaneLook::gone);
}

// What a hostile provider may write: any answer is right but a look outside the lane.
TEST_F(LaneTest, NonsenseIsNoAddress) {
  for (const std::uint64_t word :
       {~std::uint64_t{0}, std::uint64_t{1} << 12, std::uint64_t{0x3ff}}) {
    for (std::uint64_t i = 0; i < kSlots; ++i) slot(i).word.store(word);
    for (std::uint64_t sequence : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{5}}) {
      LaneMessage found;
      if (view_.read(sequence, found) == LaneLook::found) {
        EXPECT_LE(found.size_bytes(), layout::kLanePayloadBytes);
      }
    }
    std::vector<bool> named;
    view_.mark_named({1, 1}, named);
    EXPECT_LE(named.size(), layout::kMaxChunks);
    EXPECT_LE(view_.true_end() - view_.next(), kSlots);
  }
  auto& header = **segment_.at<layout::LaneHeader>(0);
  header.next.store(~std::uint64_t{0} - 2);
  header.oldest.store(~std::uint64_t{0});
  EXPECT_LE(view_.oldest(), view_.next());
  view_.resume_after_gap(0);
  header.next.store(0);
  EXPECT_EQ(view_.next(), 0u);
}

TEST(LaneFormatTest, RefusesWhatIsNoLane) {
  Segment segment = testing::shared_memory(layout::lane_bytes(8));
  EXPECT_FALSE(format_lane(segment, 0, 1, 1, 0));
  EXPECT_FALSE(format_lane(segment, 6, 1, 1, 0));
  EXPECT_FALSE(format_lane(segment, 4096, 1, 1, 0));
  EXPECT_FALSE(LaneView::attach(segment));
  ASSERT_TRUE(format_lane(segment, 8, 1, 1, 0));
  ASSERT_TRUE(LaneView::attach(segment));
  (*segment.at<layout::LaneHeader>(0))->slot_count = 1U << 20;
  EXPECT_FALSE(LaneView::attach(segment));
}

// A provider at full speed, and readers that check that no message is a mixture of two.
TEST_F(LaneTest, NoReaderSeesAMixture) {
  constexpr std::uint64_t kMessages = 300'000;
  std::atomic<std::uint64_t> read_in_all{0};
  const auto follow = [&] {
    std::uint64_t sequence = 0;
    std::uint64_t seen = 0;
    while (sequence < kMessages) {
      LaneMessage found;
      switch (view_.read(sequence, found)) {
        case LaneLook::empty:
          continue;
        case LaneLook::gone:
          sequence = view_.resume_after_gap(sequence);
          continue;
        case LaneLook::found:
          break;
      }
      std::array<std::uint64_t, 6> words{};
      std::memcpy(words.data(), found.bytes(), found.size_bytes());
      const std::size_t count = found.size_bytes() / 8;
      ASSERT_EQ(count, sequence % 2 == 0 ? 6u : 5u);
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(words[i], sequence * 10 + i);
      ASSERT_EQ(found.times.published_ns, static_cast<std::int64_t>(sequence));
      ASSERT_EQ(found.times.captured_ns, static_cast<std::int64_t>(sequence - sequence % 2));
      ++sequence;
      ++seen;
    }
    read_in_all += seen;
  };
  std::thread first(follow);
  std::thread second(follow);
  for (std::uint64_t sequence = 0; sequence < kMessages; ++sequence) {
    std::array<std::uint64_t, 6> words;
    for (std::size_t i = 0; i < 6; ++i) words[i] = sequence * 10 + i;
    const auto bytes = std::as_bytes(std::span(words)).first(sequence % 2 == 0 ? 48 : 40);
    writer_.publish(
        LanePayload::copy_of(bytes),
        {static_cast<std::int64_t>(sequence), static_cast<std::int64_t>(sequence - sequence % 2)});
  }
  first.join();
  second.join();
  EXPECT_GT(read_in_all, 0u);
}

}  // namespace
}  // namespace tarn
