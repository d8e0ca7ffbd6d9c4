// Ends owners, consumers and forwarders of messages by reference after every instruction, and
// audits what the owner of the memory, or the node after it, finds: a chunk is given out only when
// no slot names it and nobody holds it, what was committed comes whole, and in the end every chunk
// is back.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <set>
#include <vector>

#include "shm/heap/heap.h"
#include "shm/pipe/pipe.h"
#include "testing/clean_node.h"
#include "testing/heap_world.h"
#include "testing/shared_pipe.h"
#include "testing/step/stepper.h"

namespace tarn {
namespace {

using testing::Copied;
using testing::FakeViewer;
using testing::HeapWorld;
using testing::mark_of;
using testing::SharedPipe;
using testing::StepCount;
using testing::Sweep;

constexpr std::uint16_t kOwner = 2;
constexpr std::uint16_t kVictim = 9;
constexpr std::uint16_t kSurvivor = 3;
constexpr std::uint64_t kSize = testing::HeapWorld::kMessageBytes;
constexpr std::uint64_t kFilled = 64;  // of it; to fill all would be most of the instructions
constexpr std::uint64_t kMessages = 2;
constexpr std::uint32_t kSlots = testing::HeapWorld::kSlots;

// What the victim says that it has done.
struct Ledger {
  std::atomic<std::uint64_t> pushed;
  std::atomic<std::uint64_t> taken;
  std::atomic<std::uint64_t> ended;
};

class HeapStepperTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const std::string reason = testing::why_no_tracing();
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
  // The same world each time, so that its bytes lie where the sweep knows them.
  void make_world() { world = std::make_unique<HeapWorld>(GetParam()); }
  Ledger& ledger() { return **memory.at<Ledger>(0); }
  PipeView& first() { return world->first->view(); }
  PipeView& second() { return world->second->view(); }

  // What is in use of it: to compare all would take longer than all else.
  std::vector<std::span<std::byte>> shared() const {
    std::vector<std::span<std::byte>> parts = {
        {world->first->segment().base(), layout::pipe_bytes(kSlots)},
        {world->second->segment().base(), layout::pipe_bytes(kSlots)},
        {memory.base(), 64},
        {world->slab->segment.base(), kPage}};
    for (const ChunkPlace& place : world->chunks) parts.push_back({place.address(), kFilled});
    for (FakeViewer* viewer : {&world->victim, &world->survivor}) {
      std::byte* base = viewer->record().segment().base();
      for (const std::uint64_t offset :
           {std::uint64_t{0}, layout::kRowTableOffset, layout::kRowArenaOffset}) {
        parts.push_back({base + offset, kPage});
      }
    }
    return parts;
  }
  StepCount sweep(const char* operation, std::uint64_t messages, std::function<void()> operate,
                  std::function<void()> check, const std::function<void()>& arrange = {}) {
    make_world();
    for (std::uint64_t i = 0; i < messages; ++i) push_one(kOwner, i);
    if (arrange) arrange();
    ledger().pushed = 0;
    ledger().taken = 0;
    ledger().ended = 0;
    Sweep plan;
    plan.operation = std::string(operation) + (GetParam() ? ", AtLeastOnce" : ", AtMostOnce");
    plan.memory = shared();
    const testing::Image start(plan.memory);
    plan.prepare = [&start] { start.put_back(); };
    plan.operate = std::move(operate);
    plan.check = std::move(check);
    return step_through(plan, testing::step_form(4 * testing::kShortForm));
  }

  void push_one(std::uint16_t self, std::uint64_t number) {
    auto place = world->heap.loan(kSize);
    TARN_ASSERT(place.has_value());
    std::memset(place->slab->chunk(place->chunk), static_cast<int>(mark_of(number)), kFilled);
    std::uint64_t position = 0;
    const auto payload = SlotPayload::reference_to({place->slab->id, place->chunk, kSize});
    TARN_ASSERT(first().push(self, payload, position) == SlotPush::ok);
    world->heap.pushed(*place, &first(), position);
    ++ledger().pushed;
  }
  // As a session pops: counts, takes, and looks at the bytes. Null when there is nothing.
  layout::HoldCount* pop_held(PipeView& pipe, std::uint16_t self, FakeViewer& viewer,
                              Copied& found) {
    if (pipe.peek(found) != SlotPop::ok) return nullptr;
    found.copy = found.payload();
    const ChunkPlace place{world->slab, found.copy.reference().chunk};
    layout::HoldCount& hold = viewer.hold(place);
    TARN_ASSERT(count_hold(hold));
    TARN_ASSERT(pipe.take(self, found));
    return &hold;
  }
  void end_held(PipeView& pipe, std::uint16_t self, const Peeked& found, layout::HoldCount& hold) {
    if (pipe.at_least_once()) {
      pipe.acknowledge(self, found.position, found.word.redelivered());
    }
    hold.fetch_sub(1, std::memory_order_release);
  }

  std::set<std::uint32_t> in_use() {
    std::vector<bool> named;
    first().mark_named(world->slab->id, named);
    second().mark_named(world->slab->id, named);
    std::set<std::uint32_t> chunks;
    for (std::uint32_t i = 0; i < named.size(); ++i) {
      if (named[i]) chunks.insert(i);
    }
    for (const ChunkPlace& place : world->chunks) {
      if (!world->victim_is_buried && world->victim.hold(place) != 0) chunks.insert(place.chunk);
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
    const auto used = in_use();
    for (const std::uint32_t chunk : given_out()) {
      EXPECT_EQ(used.count(chunk), 0u) << "chunk " << chunk << " is in a slot, or held";
    }
  }
  // As the node does it: rows away, slots resolved.
  void bury_the_victim() {
    EXPECT_EQ(testing::defects_of_session(world->victim.record().segment()), "");
    for (PipeView* pipe : {&first(), &second()}) {
      pipe->recover(kVictim);
      const auto again = pipe->recover(kVictim);
      EXPECT_EQ(again.skipped + again.redelivered, 0u);
    }
    world->host.remove_viewer(world->victim);
    world->victim_is_buried = true;
  }
  // The survivor takes what is left: whole, each once. Returns the numbers.
  std::vector<std::uint64_t> take_the_rest(PipeView& pipe) {
    std::vector<std::uint64_t> numbers;
    Copied found;
    while (layout::HoldCount* hold = pop_held(pipe, kSurvivor, world->survivor, found)) {
      const std::byte* bytes = world->slab->chunk(found.copy.reference().chunk);
      EXPECT_EQ(std::memcmp(bytes, bytes + 1, kFilled - 1), 0) << "torn";
      numbers.push_back(static_cast<std::uint64_t>(bytes[0]) - 0x40);
      end_held(pipe, kSurvivor, found, *hold);
    }
    return numbers;
  }
  void expect_all_memory_back() {
    EXPECT_EQ(given_out().size(), world->chunks.size());
    EXPECT_TRUE(first().is_drained());
    EXPECT_TRUE(second().is_drained());
    for (int i = 0; i < 3; ++i) world->heap.return_idle(1);
    EXPECT_EQ(world->host.removed.size(), 1u);
    EXPECT_EQ(world->heap.slab_bytes(), 0u);
  }

  Segment memory = testing::shared_memory(kPage);
  std::unique_ptr<HeapWorld> world;
};
INSTANTIATE_TEST_SUITE_P(Deliveries, HeapStepperTest, ::testing::Bool(), [](const auto& made) {
  return made.param ? "AtLeastOnce" : "AtMostOnce";
});

TEST_P(HeapStepperTest, PopByReferenceAndRelease) {
  const auto count = sweep(
      "pop by reference, acknowledge, release", kMessages,
      [&] {
        Copied found;
        layout::HoldCount* hold = pop_held(first(), kVictim, world->victim, found);
        ++ledger().taken;
        end_held(first(), kVictim, found, *hold);
        ++ledger().ended;
      },
      [&] {
        // Not even known to be dead.
        expect_nothing_in_use_is_given_out();
        bury_the_victim();
        const auto left = take_the_rest(first());
        ASSERT_GE(left.size(), kMessages - 1);
        ASSERT_LE(left.size(), kMessages);
        EXPECT_EQ(left.back(), kMessages - 1);
        if (ledger().ended == 1 || (ledger().taken == 1 && !GetParam())) {
          EXPECT_EQ(left.size(), kMessages - 1) << "what it had done with came again";
        }
        expect_all_memory_back();
      });
  EXPECT_GT(count.instructions, 100u);
}

TEST_P(HeapStepperTest, Forward) {
  const auto count = sweep(
      "forward: pop, push on, release", kMessages,
      [&] {
        Copied found;
        layout::HoldCount* hold = pop_held(first(), kVictim, world->victim, found);
        ++ledger().taken;
        std::uint64_t position = 0;
        TARN_ASSERT(second().push(kVictim, found.copy, position) == SlotPush::ok);
        ++ledger().pushed;
        world->victim.record().bump_forwards();
        end_held(first(), kVictim, found, *hold);
        ++ledger().ended;
      },
      [&] {
        expect_nothing_in_use_is_given_out();
        bury_the_victim();
        expect_nothing_in_use_is_given_out();
        const auto passed_on = take_the_rest(second());
        const auto left = take_the_rest(first());
        EXPECT_LE(passed_on.size(), 1u);
        if (ledger().pushed == 1) {
          EXPECT_EQ(passed_on.size(), 1u) << "pushed on, and lost";
        }
        // At least once may bring a message on both ways, at most once loses what was in its hands.
        const std::uint64_t found = passed_on.size() + left.size();
        EXPECT_GE(found + (GetParam() ? 0 : 1), kMessages);
        EXPECT_LE(found, kMessages + (GetParam() ? 1 : 0));
        if (ledger().ended == 1) {
          EXPECT_EQ(found, kMessages);
        }
        expect_all_memory_back();
      });
  EXPECT_GT(count.instructions, 150u);
}

// The owner itself dies. The node looks at its slab as it would: a chunk is needed exactly when a
// slot names it or somebody holds it.
TEST_P(HeapStepperTest, LoanAndPushByReference) {
  sweep(
      "loan, fill and push by reference", 0, [&] { push_one(kVictim, 0); },
      [&] {
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
        EXPECT_LE(in_the_pipe, 1u);
        if (ledger().pushed == 1) {
          EXPECT_EQ(in_the_pipe, 1u) << "committed, and lost";
        }
        EXPECT_EQ(take_the_rest(first()).size(), in_the_pipe);
        EXPECT_EQ(needed(), 0u);
      });
}

// Nothing is free until the owner looks: it dies in the middle of looking, loaning, giving back.
TEST_P(HeapStepperTest, LoansThatHaveToLook) {
  sweep(
      "loan that looks, give back, return the slab", kMessages,
      [&] {
        const auto place = world->heap.loan(kSize);
        TARN_ASSERT(place.has_value());
        world->heap.give_back(*place);
        world->heap.return_idle(1);
        ++ledger().ended;
      },
      [&] {
        for (PipeView* pipe : {&first(), &second()}) pipe->recover(kOwner);
        EXPECT_TRUE(in_use().empty());
        EXPECT_TRUE(first().is_drained());
      },
      [&] {
        EXPECT_EQ(take_the_rest(first()).size(), kMessages);
        ChunkPlace place;
        while (world->heap.try_loan(kSize, place)) continue;
      });
}

}  // namespace
}  // namespace tarn
