// Ends producers, consumers and forwarders of messages by reference at every crash point, and
// audits what the owner of the memory finds: a chunk is given out only when no slot names it and
// nobody holds it, and in the end every chunk comes back.
#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

#include "base/crash_point.h"
#include "shm/heap/heap.h"
#include "shm/pipe/pipe.h"
#include "testing/crash_sweep.h"
#include "testing/heap_world.h"
#include "testing/shared_pipe.h"

namespace tarn {
namespace {

using testing::Copied;
using testing::crash_sweep;
using testing::Death;
using testing::FakeViewer;
using testing::HeapWorld;
using testing::mark_of;
using testing::pop_one;
using testing::SharedPipe;

constexpr std::uint16_t kOwner = 2;
constexpr std::uint16_t kVictim = 9;
constexpr std::uint16_t kSurvivor = 3;
constexpr std::uint64_t kSize = testing::HeapWorld::kMessageBytes;
constexpr std::uint64_t kMessages = 3;

class HeapCrashTest : public ::testing::TestWithParam<bool> {
 protected:
  void reset() {
    world.reset();
    world = std::make_unique<HeapWorld>(GetParam());
  }
  PipeView& first() { return world->first->view(); }
  PipeView& second() { return world->second->view(); }

  void push_one(std::uint16_t self, std::uint64_t number) {
    auto place = world->heap.loan(kSize);
    TARN_ASSERT(place.has_value());
    std::memset(place->slab->chunk(place->chunk), static_cast<int>(mark_of(number)), kSize);
    std::uint64_t position = 0;
    const auto payload = SlotPayload::reference_to({place->slab->id, place->chunk, kSize});
    TARN_ASSERT(first().push(self, payload, position) == SlotPush::ok);
    TARN_CRASH_POINT("test.push.published");
    world->heap.pushed(*place, &first(), position);
  }

  // As a session pops: counts, takes, and looks at the bytes. Null when there is nothing.
  layout::HoldCount* pop_held(PipeView& pipe, std::uint16_t self, FakeViewer& viewer,
                              Copied& found) {
    if (pipe.peek(found) != SlotPop::ok) return nullptr;
    found.copy = found.payload();
    const ChunkPlace place{world->slab, found.copy.reference().chunk};
    layout::HoldCount& hold = viewer.hold(place);
    TARN_ASSERT(count_hold(hold));
    TARN_CRASH_POINT("test.pop.counted");
    TARN_ASSERT(pipe.take(self, found));
    const std::byte* bytes = world->slab->chunk(place.chunk);
    for (std::uint64_t i = 0; i < kSize; ++i) TARN_ASSERT(bytes[i] == bytes[0], i);
    return &hold;
  }
  void end_held(PipeView& pipe, std::uint16_t self, const Peeked& found, layout::HoldCount& hold) {
    if (pipe.at_least_once()) {
      pipe.acknowledge(self, found.position, found.word.redelivered());
    }
    TARN_CRASH_POINT("test.pop.acknowledged");
    hold.fetch_sub(1, std::memory_order_release);
    TARN_CRASH_POINT("test.pop.released");
  }

  std::set<std::uint32_t> in_slots() {
    std::vector<bool> named;
    first().mark_named(world->slab->id, named);
    second().mark_named(world->slab->id, named);
    std::set<std::uint32_t> chunks;
    for (std::uint32_t i = 0; i < named.size(); ++i) {
      if (named[i]) chunks.insert(i);
    }
    return chunks;
  }
  std::set<std::uint32_t> held() {
    std::set<std::uint32_t> chunks;
    if (world->victim_is_buried) return chunks;
    for (const ChunkPlace& place : world->chunks) {
      if (world->victim.hold(place) != 0) chunks.insert(place.chunk);
    }
    return chunks;
  }
  // What the owner would give out now. It gets everything back.
  std::set<std::uint32_t> given_out() {
    std::set<std::uint32_t> chunks;
    const auto all = world->loan_all();
    for (const ChunkPlace& place : all) {
      EXPECT_TRUE(chunks.insert(place.chunk).second) << "given out twice: " << place.chunk;
    }
    for (const ChunkPlace& place : all) world->heap.give_back(place);
    return chunks;
  }

  void expect_nothing_in_use_is_given_out() {
    const auto slots = in_slots();
    const auto holds = held();
    for (const std::uint32_t chunk : given_out()) {
      EXPECT_EQ(slots.count(chunk), 0u) << "chunk " << chunk << " stands in a slot";
      EXPECT_EQ(holds.count(chunk), 0u) << "chunk " << chunk << " is held";
    }
  }
  // As the node does it: rows away, slots resolved.
  void bury_the_victim() {
    for (PipeView* pipe : {&first(), &second()}) {
      pipe->recover(kVictim);
      const auto again = pipe->recover(kVictim);
      EXPECT_EQ(again.skipped + again.redelivered, 0u);
    }
    world->host.remove_viewer(world->victim);
    world->victim_is_buried = true;
  }
  // The survivor takes what is left: whole, each once. Returns the marks.
  std::vector<std::uint64_t> take_the_rest(PipeView& pipe) {
    std::vector<std::uint64_t> marks;
    Copied found;
    while (layout::HoldCount* hold = pop_held(pipe, kSurvivor, world->survivor, found)) {
      const std::byte* bytes = world->slab->chunk(found.copy.reference().chunk);
      marks.push_back(static_cast<std::uint64_t>(bytes[0]) - 0x40);
      end_held(pipe, kSurvivor, found, *hold);
    }
    return marks;
  }
  void expect_all_memory_back() {
    EXPECT_EQ(given_out().size(), world->chunks.size());
    EXPECT_TRUE(first().is_drained());
    EXPECT_TRUE(second().is_drained());
    for (int i = 0; i < 3; ++i) world->heap.return_idle(1);
    EXPECT_EQ(world->host.removed.size(), 1u);
    EXPECT_EQ(world->heap.slab_bytes(), 0u);
  }

  std::unique_ptr<HeapWorld> world;
};

INSTANTIATE_TEST_SUITE_P(AtMostAndAtLeastOnce, HeapCrashTest, ::testing::Bool());

TEST_P(HeapCrashTest, AConsumerThatDiesHoldsNothingAfterwards) {
  const std::uint64_t swept = crash_sweep(
      [&] {
        reset();
        for (std::uint64_t i = 0; i < kMessages; ++i) push_one(kOwner, i);
      },
      [&] {
        Copied found;
        while (layout::HoldCount* hold = pop_held(first(), kVictim, world->victim, found)) {
          end_held(first(), kVictim, found, *hold);
        }
      },
      [&](const Death&) {
        // Not even known to be dead.
        expect_nothing_in_use_is_given_out();
        bury_the_victim();
        const auto left = take_the_rest(first());
        for (std::size_t i = 1; i < left.size(); ++i) EXPECT_EQ(left[i], left[i - 1] + 1);
        if (!left.empty()) {
          EXPECT_EQ(left.back(), kMessages - 1);
        }
        expect_all_memory_back();
      });
  EXPECT_GE(swept, 4 * kMessages);
}

TEST_P(HeapCrashTest, AForwarderThatDiesLeavesEachMessageInOnePlaceAtLeast) {
  const std::uint64_t swept = crash_sweep(
      [&] {
        reset();
        for (std::uint64_t i = 0; i < kMessages; ++i) push_one(kOwner, i);
      },
      [&] {
        Copied found;
        while (layout::HoldCount* hold = pop_held(first(), kVictim, world->victim, found)) {
          std::uint64_t position = 0;
          TARN_ASSERT(second().push(kVictim, found.copy, position) == SlotPush::ok);
          TARN_CRASH_POINT("test.forward.pushed");
          world->victim.record().bump_forwards();
          TARN_CRASH_POINT("test.forward.bumped");
          end_held(first(), kVictim, found, *hold);
        }
      },
      [&](const Death& death) {
        expect_nothing_in_use_is_given_out();
        bury_the_victim();
        expect_nothing_in_use_is_given_out();
        const auto passed_on = take_the_rest(second());
        const auto left = take_the_rest(first());
        // At least once may bring a message on both ways, at most once loses what was in its hands.
        const std::uint64_t found = passed_on.size() + left.size();
        if (GetParam()) {
          EXPECT_GE(found, kMessages);
          EXPECT_LE(found, kMessages + 1);
        } else {
          EXPECT_LE(found, kMessages);
          EXPECT_GE(found + 1, kMessages);
        }
        if (death.finished()) {
          EXPECT_EQ(passed_on.size(), kMessages);
        }
        expect_all_memory_back();
      });
  EXPECT_GE(swept, 6 * kMessages);
}

// The owner itself dies. The node looks at its slab as it would: a chunk is needed exactly when a
// slot names it or somebody holds it.
TEST_P(HeapCrashTest, AnOwnerThatDiesLeavesExactlyItsCommittedMessages) {
  const std::uint64_t swept =
      crash_sweep([&] { reset(); },
                  [&] {
                    for (std::uint64_t i = 0; i < kMessages; ++i) push_one(kVictim, i);
                  },
                  [&](const Death& death) {
                    bury_the_victim();
                    ViewerSet viewers = *world->host.viewers();
                    viewers.carriers.push_back(
                        {1, std::shared_ptr<const SlotWatch>(world->first, &world->first->view())});
                    const auto needed = [&] {
                      HoldScan scan(viewers);
                      scan.look({world->slab->id});
                      EXPECT_TRUE(scan.is_conclusive());
                      std::uint64_t count = 0;
                      for (const ChunkPlace& place : world->chunks) {
                        if (scan.is_needed(world->slab->id, place.chunk)) ++count;
                      }
                      return count;
                    };
                    const std::uint64_t in_the_pipe = needed();
                    if (death.finished()) {
                      EXPECT_EQ(in_the_pipe, kMessages);
                    }
                    const auto left = take_the_rest(first());
                    ASSERT_EQ(left.size(), in_the_pipe);
                    for (std::uint64_t i = 0; i < left.size(); ++i) EXPECT_EQ(left[i], i);
                    EXPECT_EQ(needed(), 0u);
                  });
  EXPECT_GE(swept, 4 * kMessages);
}

// Somebody who lives gives a message back that a dead one had: it stays in its slot all the time.
TEST(HeapCrashRecoveryTest, RecoveryThatDiesKeepsWhatTheSlotsName) {
  std::unique_ptr<HeapWorld> world;
  crash_sweep(
      [&] {
        world.reset();
        world = std::make_unique<HeapWorld>(true);
        auto place = world->heap.loan(kSize);
        TARN_ASSERT(place.has_value());
        std::uint64_t position = 0;
        world->first->view().push(
            kOwner, SlotPayload::reference_to({place->slab->id, place->chunk, kSize}), position);
        world->heap.pushed(*place, &world->first->view(), position);
        Copied found;
        TARN_ASSERT(pop_one(world->first->view(), kVictim, found) == SlotPop::ok);
      },
      [&] { world->first->view().recover(kVictim); },
      [&](const Death&) {
        EXPECT_EQ(world->loan_all().size(), world->chunks.size() - 1);
        world->first->view().recover(kVictim);
        Copied found;
        ASSERT_EQ(pop_one(world->first->view(), kSurvivor, found), SlotPop::ok);
        EXPECT_TRUE(found.word.redelivered());
      });
}

}  // namespace
}  // namespace tarn
