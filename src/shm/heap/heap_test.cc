#include "shm/heap/heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "testing/fake_heap_host.h"

namespace tarn {
namespace {

using testing::FakeHeapHost;
using testing::FakeSlots;
using testing::FakeViewer;

constexpr std::uint64_t kSize = 20'000;  // a slab has only a few chunks of it

struct HeapTest : ::testing::Test {
  ChunkPlace loan(std::uint64_t size = kSize) {
    auto place = heap.loan(size);
    TARN_ASSERT(place.has_value());
    return *place;
  }
  // Loans until the class has none left that is known to be free.
  std::vector<ChunkPlace> loan_a_slab() {
    std::vector<ChunkPlace> all{loan()};
    while (all.size() < all.front().slab->chunk_count) all.push_back(loan());
    TARN_ASSERT(host.added == 1, host.added);
    return all;
  }
  // Loans all of a slab and pushes it. It is free once pipe.let_all_go() and nobody holds it.
  std::vector<ChunkPlace> pushed_slab() {
    const std::vector<ChunkPlace> all = loan_a_slab();
    push(all);
    return all;
  }
  void push(const std::vector<ChunkPlace>& all) {
    for (std::uint64_t i = 0; i < all.size(); ++i) {
      pipe.hold(i);
      heap.pushed(all[i], &pipe, i);
    }
  }
  // Whether the next loan gets that chunk; it is given back.
  bool is_loaned_next(const ChunkPlace& wanted) {
    const ChunkPlace got = loan();
    heap.give_back(got);
    return got.slab == wanted.slab && got.chunk == wanted.chunk;
  }

  FakeHeapHost host;
  FakeSlots pipe;
  Heap heap{host};
};

TEST_F(HeapTest, LoansDoNotOverlapAndAreWritable) {
  std::vector<std::pair<std::byte*, std::uint64_t>> ranges;
  for (const std::uint64_t size : {0UL, 1UL, 64UL, 65UL, 1000UL, 4096UL, 100'000UL, 5'000'000UL}) {
    for (int i = 0; i < 5; ++i) {
      const ChunkPlace place = loan(size);
      ASSERT_GE(place.slab->chunk_bytes, size);
      ASSERT_LT(place.chunk, place.slab->chunk_count);
      std::byte* address = place.slab->chunk(place.chunk);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(address) % kCacheLine, 0u);
      ASSERT_TRUE(place.slab->segment.bytes(
          static_cast<std::uint64_t>(address - place.slab->segment.base()), size));
      std::memset(address, 0xab, size);
      ranges.emplace_back(address, size);
    }
  }
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    EXPECT_GE(ranges[i].first, ranges[i - 1].first + ranges[i - 1].second);
  }
}

TEST_F(HeapTest, TheNewestChunkThatCameBackIsLoanedFirst) {
  const ChunkPlace first = loan();
  const ChunkPlace second = loan();
  heap.give_back(second);
  heap.give_back(first);
  EXPECT_TRUE(is_loaned_next(first));
  EXPECT_EQ(host.added, 1u);
}

TEST_F(HeapTest, AChunkIsFreeOnceItsSlotHasMovedOnAndNobodyHoldsIt) {
  const auto all = loan_a_slab();
  pipe.hold(17);
  heap.pushed(all[0], &pipe, 17);
  const ChunkPlace other = loan();  // the slot has it
  EXPECT_EQ(host.added, 2u);
  EXPECT_NE(other.slab, all[0].slab);
  pipe.let_go(17);
  while (loan().slab != all[0].slab) {
    ASSERT_EQ(host.added, 2u);
  }
}

TEST_F(HeapTest, AHeldChunkIsNotLoanedBeforeTheLastHoldEnds) {
  FakeViewer& viewer = host.add_viewer();
  FakeViewer& other = host.add_viewer();
  const auto all = pushed_slab();
  for (const ChunkPlace& place : all) ++viewer.hold(place);
  ++viewer.hold(all[1]);
  ++other.hold(all[1]);
  pipe.let_all_go();
  EXPECT_NE(loan().slab, all[0].slab);
  EXPECT_EQ(host.added, 2u);
  --viewer.hold(all[1]);
  --viewer.hold(all[1]);
  host.most_slab_bytes = 0;
  while (heap.loan(kSize)) {
  }
  --other.hold(all[1]);
  EXPECT_TRUE(is_loaned_next(all[1]));
}

TEST_F(HeapTest, AFullPipeDoesNotHideWhatStandsBehindIt) {
  const auto all = loan_a_slab();
  FakeSlots full;
  for (std::uint64_t i = 0; i + 1 < all.size(); ++i) {
    full.hold(i);
    heap.pushed(all[i], &full, i);
  }
  heap.pushed(all.back(), &pipe, 0);
  EXPECT_TRUE(is_loaned_next(all.back()));
  EXPECT_EQ(host.added, 1u);
}

TEST_F(HeapTest, AChunkThatACarriersSlotNamesIsNotLoaned) {
  FakeSlots& carrier = host.add_carrier();
  const auto all = pushed_slab();
  for (const ChunkPlace& place : all) carrier.name(place.slab->id, place.chunk);
  pipe.let_all_go();
  EXPECT_NE(loan().slab, all[0].slab);
  carrier.name_nothing();
  host.most_slab_bytes = 0;
  std::set<std::uint32_t> back;
  for (auto got = heap.loan(kSize); got; got = heap.loan(kSize)) {
    if (got->slab == all[0].slab) back.insert(got->chunk);
  }
  EXPECT_EQ(back.size(), all.size());
}

// --- What moves while the owner looks -----------------------------------------------------------

TEST_F(HeapTest, NothingIsFreedWhenAViewerJoinsWhileTheOwnerLooks) {
  const auto all = pushed_slab();
  host.after_viewers = [&] { host.move_epoch(); };
  pipe.let_all_go();
  EXPECT_NE(loan().slab, all[0].slab);
  EXPECT_EQ(host.added, 2u);
  host.after_viewers = nullptr;
  host.most_slab_bytes = 0;
  std::set<std::uint32_t> back;
  for (auto got = heap.loan(kSize); got; got = heap.loan(kSize)) {
    if (got->slab == all[0].slab) back.insert(got->chunk);
  }
  EXPECT_EQ(back.size(), all.size());
}

// A consumer passes its message on behind the owner's back: out of its row, into a slot that the
// owner has looked at already.
TEST_F(HeapTest, NothingIsFreedWhenAMessageIsPassedOnWhileTheOwnerLooks) {
  FakeViewer& viewer = host.add_viewer();
  FakeSlots& carrier = host.add_carrier();
  const auto all = pushed_slab();
  ++viewer.hold(all[0]);
  carrier.after_look = [&] {
    if (viewer.hold(all[0]) == 0) return;
    carrier.name(all[0].slab->id, all[0].chunk);
    viewer.record().bump_forwards();
    --viewer.hold(all[0]);
  };
  pipe.let_all_go();
  for (int i = 0; i < 100; ++i) {
    const ChunkPlace got = loan();
    ASSERT_FALSE(got.slab == all[0].slab && got.chunk == all[0].chunk) << i;
  }
}

TEST_F(HeapTest, NothingIsFreedWhileTheNodeDoesNotSayWhoLooks) {
  const auto all = pushed_slab();
  host.node_answers = false;
  host.move_epoch();
  pipe.let_all_go();
  EXPECT_NE(loan().slab, all[0].slab);
  host.node_answers = true;
  host.most_slab_bytes = 0;
  bool came_back = false;
  for (auto got = heap.loan(kSize); got; got = heap.loan(kSize)) {
    came_back = came_back || got->slab == all[0].slab;
  }
  EXPECT_TRUE(came_back);
}

TEST_F(HeapTest, AViewerThatTheOwnerHasNotMetYetProtectsWhatItHolds) {
  const auto all = pushed_slab();
  FakeViewer& late = host.add_viewer();
  ++late.hold(all[2]);
  pipe.let_all_go();
  host.most_slab_bytes = 0;
  std::set<std::uint32_t> back;
  for (auto got = heap.loan(kSize); got; got = heap.loan(kSize)) back.insert(got->chunk);
  EXPECT_EQ(back.size(), all.size() - 1);
  EXPECT_EQ(back.count(all[2].chunk), 0u);
}

// The owner knows the rows from its last look. Now a viewer that did not hold anything yet adds its
// row, and a hostile one turns its own counter back by as much.
TEST_F(HeapTest, AHostileViewerDoesNotHideAnothersNewRow) {
  FakeViewer& honest = host.add_viewer();
  FakeViewer& hostile = host.add_viewer();
  ASSERT_TRUE(hostile.record().add_row({99, 1}, 1));
  const auto all = pushed_slab();
  pipe.let_all_go();
  heap.give_back(loan());  // looks
  std::vector<ChunkPlace> again;
  while (again.size() < all.size()) again.push_back(loan());
  ++honest.hold(all[0]);
  auto& header = **hostile.record().segment().at<layout::SessionHeader>(0);
  header.row_changes = 0;
  push(again);
  pipe.let_all_go();
  host.most_slab_bytes = 0;
  for (auto got = heap.loan(kSize); got; got = heap.loan(kSize)) {
    ASSERT_FALSE(got->slab == all[0].slab && got->chunk == all[0].chunk);
  }
}

// --- Limits and idleness ------------------------------------------------------------------------

TEST_F(HeapTest, WhenManyChunksAreRefusedOneIsTried) {
  host.most_slab_bytes = *slab_bytes(size_class_of(kSize).chunk_bytes, 1);
  EXPECT_EQ(loan().slab->chunk_count, 1u);
  EXPECT_EQ(loan().slab->chunk_count, 1u);
  EXPECT_EQ(host.added, 2u);
}

TEST_F(HeapTest, ARefusalSaysWhyAndTheNextLoanTriesAgain) {
  host.most_slab_bytes = 0;
  const auto refused = heap.loan(kSize);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Error::no_memory);
  EXPECT_EQ(heap.slab_bytes(), 0u);
  host.most_slab_bytes = UINT64_MAX;
  EXPECT_TRUE(heap.loan(kSize));
}

TEST_F(HeapTest, AMessageBeyondTheLargestChunkIsTooLarge) {
  EXPECT_EQ(heap.loan(kMaxChunkBytes + 1).error().code(), Error::too_large);
  EXPECT_EQ(heap.loan(UINT64_MAX).error().code(), Error::too_large);
  EXPECT_EQ(host.added, 0u);
}

TEST_F(HeapTest, SlabsThatNobodyUsedForAWhileGoBack) {
  const auto all = pushed_slab();
  pipe.let_all_go();
  const std::uint64_t with_slab = heap.slab_bytes();
  EXPECT_GT(with_slab, 0u);
  heap.return_idle(3);
  heap.return_idle(3);
  EXPECT_TRUE(host.removed.empty());
  heap.return_idle(3);
  EXPECT_EQ(host.removed, std::vector<SegmentId>{SegmentId({1, 1})});
  EXPECT_EQ(heap.slab_bytes(), 0u);
  EXPECT_EQ(loan().slab->id, (SegmentId{2, 1}));
}

TEST_F(HeapTest, ASlabOfWhichOneChunkIsInUseStays) {
  FakeViewer& viewer = host.add_viewer();
  const auto all = pushed_slab();
  ++viewer.hold(all[3]);
  pipe.let_all_go();
  for (int i = 0; i < 10; ++i) heap.return_idle(3);
  EXPECT_TRUE(host.removed.empty());
  --viewer.hold(all[3]);
  heap.return_idle(3);
  EXPECT_EQ(host.removed.size(), 1u);
}

// One chunk, gone and back again at every message: each loan waits for a look.
TEST_F(HeapTest, AClassThatLooksAtEveryMessageGetsMoreChunks) {
  constexpr std::uint64_t kHuge = 48 << 20;
  const auto send = [&](std::uint64_t number) {
    const ChunkPlace place = loan(kHuge);
    pipe.hold(number);
    heap.pushed(place, &pipe, number);
    pipe.let_go(number);
  };
  for (std::uint64_t i = 0; i < 200; ++i) send(i);
  EXPECT_EQ(host.added, 1u);
  EXPECT_EQ(host.wishes, 1u);
  heap.relieve();
  EXPECT_EQ(host.added, 2u);
  for (std::uint64_t i = 200; i < 400; ++i) send(i);
  heap.relieve();
  EXPECT_EQ(host.added, 2u) << "two are enough for huge ones";
  EXPECT_EQ(host.wishes, 1u);
}

TEST_F(HeapTest, AClassThatMayNotGrowGoesOn) {
  constexpr std::uint64_t kHuge = 48 << 20;
  heap.give_back(loan(kHuge));
  host.most_slab_bytes = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const ChunkPlace place = loan(kHuge);
    heap.pushed(place, &pipe, i);
    if (host.wishes > 0) heap.relieve();
  }
  EXPECT_EQ(host.added, 1u);
}

TEST_F(HeapTest, LoansAreKnownToBeOut) {
  EXPECT_FALSE(heap.has_loans());
  const ChunkPlace first = loan();
  const ChunkPlace second = loan();
  EXPECT_TRUE(heap.has_loans());
  heap.give_back(first);
  EXPECT_TRUE(heap.has_loans());
  pipe.hold(0);
  heap.pushed(second, &pipe, 0);
  EXPECT_FALSE(heap.has_loans()) << "a pushed one is nobody's loan";
}

TEST_F(HeapTest, AnUnpushedLoanKeepsItsSlab) {
  const ChunkPlace place = loan();
  for (int i = 0; i < 10; ++i) heap.return_idle(3);
  EXPECT_TRUE(host.removed.empty());
  heap.give_back(place);
  heap.return_idle(3);
  EXPECT_EQ(host.removed.size(), 1u);
}

TEST_F(HeapTest, AClosedPipeIsKeptWhileChunksMayBeInIt) {
  const auto all = loan_a_slab();
  auto kept = std::make_shared<FakeSlots>();
  const std::weak_ptr<FakeSlots> alive = kept;
  kept->hold(5);
  heap.pushed(all[0], kept.get(), 5);
  FakeSlots* slots = kept.get();
  heap.keep_pipe(slots, std::move(kept));
  heap.return_idle(1000);
  ASSERT_FALSE(alive.expired());
  slots->let_go(5);
  EXPECT_TRUE(is_loaned_next(all[0]));
  heap.return_idle(1000);
  EXPECT_TRUE(alive.expired());
}

// --- Threads ------------------------------------------------------------------------------------

// Loans of several sizes are marked, pushed, popped and checked by threads that hold them for a
// while: a chunk that is given out while somebody holds it shows another's mark.
TEST(HeapCrowdTest, NoChunkIsGivenOutWhileItIsHeld) {
  FakeHeapHost host;
  FakeViewer& viewer = host.add_viewer();
  FakeSlots gone;  // its slots have always moved on
  Heap heap(host);
  (void)host.viewers();
  std::mutex holding;  // the fake viewer's rows are made on demand
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < 2000; ++i) {
        const std::uint64_t size = 100 + (i % 3) * 7000;
        auto place = heap.loan(size);
        ASSERT_TRUE(place);
        const std::uint64_t mark = t << 32 | i;
        std::byte* bytes = place->slab->chunk(place->chunk);
        std::memcpy(bytes, &mark, sizeof mark);
        layout::HoldCount* hold = nullptr;
        {
          const std::lock_guard guard(holding);
          hold = &viewer.hold(*place);
        }
        ASSERT_TRUE(count_hold(*hold));
        heap.pushed(*place, &gone, i);
        if (i % 16 == 0) std::this_thread::yield();
        std::uint64_t seen = 0;
        std::memcpy(&seen, bytes, sizeof seen);
        if (seen != mark) ++wrong;
        hold->fetch_sub(1, std::memory_order_release);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LT(host.added, 20u);
}

}  // namespace
}  // namespace tarn
