#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "shm/pipe/pipe.h"
#include "testing/shared_pipe.h"

namespace tarn {
namespace {

using testing::pop_number;
using testing::pop_one;
using testing::push_number;
using testing::SharedPipe;
using testing::text_payload;

constexpr std::uint16_t kProducer = 3;
constexpr std::uint16_t kConsumer = 5;

// --- References ---------------------------------------------------------------------------------

std::set<std::uint32_t> named_chunks(const PipeView& pipe, SegmentId segment) {
  std::vector<bool> named;
  pipe.mark_named(segment, named);
  std::set<std::uint32_t> chunks;
  for (std::uint32_t i = 0; i < named.size(); ++i) {
    if (named[i]) chunks.insert(i);
  }
  return chunks;
}

TEST(PipeTest, NamesTheChunksOfReadyAndTakenSlots) {
  SharedPipe pipe(8, true);
  const SegmentId slab{3, 2};
  std::uint64_t position = 0;
  for (std::uint32_t chunk = 0; chunk < 5; ++chunk) {
    pipe.view().push(kProducer, SlotPayload::reference_to({slab, chunk * 10, 100}), position);
  }
  pipe.view().push(kProducer, SlotPayload::reference_to({{3, 3}, 7, 100}), position);
  pipe.view().push(kProducer, text_payload("no reference"), position);
  EXPECT_EQ(named_chunks(pipe.view(), slab), (std::set<std::uint32_t>{0, 10, 20, 30, 40}));
  EXPECT_EQ(named_chunks(pipe.view(), {3, 3}), (std::set<std::uint32_t>{7}));
  EXPECT_TRUE(named_chunks(pipe.view(), {4, 2}).empty());
  testing::Copied found;
  ASSERT_EQ(pop_one(pipe.view(), kConsumer, found), SlotPop::ok);
  EXPECT_EQ(named_chunks(pipe.view(), slab).count(0), 1u);  // taken, not acknowledged
  pipe.view().acknowledge(kConsumer, found.position, false);
  EXPECT_EQ(named_chunks(pipe.view(), slab).count(0), 0u);
  int visited = 0;
  pipe.view().for_each_reference([&](SegmentId, std::uint32_t) { ++visited; });
  EXPECT_EQ(visited, 5);
}

TEST(PipeTest, ImpossibleChunksAreNotMarked) {
  SharedPipe pipe(2);
  std::uint64_t position = 0;
  pipe.view().push(kProducer, SlotPayload::reference_to({{3, 2}, 0xffff'ffff, 1}), position);
  pipe.view().push(kProducer, SlotPayload::reference_to({{3, 2}, layout::kMaxChunks - 1, 1}),
                   position);
  EXPECT_EQ(named_chunks(pipe.view(), {3, 2}), std::set<std::uint32_t>{layout::kMaxChunks - 1});
}

TEST(PipeTest, AMessageIsGoneOnceItsSlotHasMovedOn) {
  SharedPipe pipe(3);
  for (std::uint64_t i = 0; i < 10; ++i) {
    push_number(pipe.view(), kProducer, i);
    EXPECT_FALSE(pipe.view().is_gone(i));
    pop_number(pipe.view(), kConsumer);
    EXPECT_TRUE(pipe.view().is_gone(i));
  }
  EXPECT_TRUE(pipe.view().is_gone(0));
  EXPECT_FALSE(pipe.view().is_gone(12));
}

// --- Figures for people -------------------------------------------------------------------------

TEST(PipeTest, TheHighWaterMarkRemembersTheDeepestMoment) {
  SharedPipe pipe(8);
  std::uint64_t number = 0;
  for (const std::uint64_t depth : {3UL, 1UL, 5UL, 2UL}) {
    for (std::uint64_t i = 0; i < depth; ++i) push_number(pipe.view(), kProducer, number++);
    EXPECT_EQ(pipe.view().snapshot().depth, depth);
    for (std::uint64_t i = 0; i < depth; ++i) pop_number(pipe.view(), kConsumer);
  }
  EXPECT_EQ(pipe.view().snapshot().high_water, 5u);
}

TEST(PipeTest, FiguresOutOfNonsenseStayInBounds) {
  SharedPipe pipe(8);
  pipe.header().tail = UINT64_MAX;
  pipe.header().high_water = UINT64_MAX;
  const PipeSnapshot now = pipe.view().snapshot();
  EXPECT_LE(now.depth, 8u);
  EXPECT_LE(now.high_water, 8u);
  pipe.header().head = UINT64_MAX;
  pipe.header().tail = 0;
  EXPECT_EQ(pipe.view().snapshot().depth, 0u);
}

}  // namespace
}  // namespace tarn
