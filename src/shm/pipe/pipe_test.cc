#include "shm/pipe/pipe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "testing/at_crash_point.h"
#include "testing/shared_pipe.h"

namespace tarn {
namespace {

using testing::number_of;
using testing::peek_outcome;
using testing::pop_number;
using testing::pop_one;
using testing::push_number;
using testing::SharedPipe;
using testing::text_of;
using testing::text_payload;

constexpr std::uint16_t kProducer = 3;
constexpr std::uint16_t kOtherProducer = 4;
constexpr std::uint16_t kConsumer = 5;
constexpr std::uint16_t kOtherConsumer = 6;

// --- First in, first out ------------------------------------------------------------------------

class PipeCapacityTest : public ::testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Capacities, PipeCapacityTest, ::testing::Values(1, 2, 3, 5, 64, 1000));

TEST_P(PipeCapacityTest, MessagesComeOutInTheOrderTheyWentIn) {
  SharedPipe pipe(GetParam());
  std::uint64_t pushed = 0;
  std::int64_t popped = 0;
  // Every fill from one message to all of them, so that each slot meets each situation.
  for (std::uint32_t fill = 1; fill <= std::min(GetParam(), 70U); ++fill) {
    for (std::uint32_t i = 0; i < fill; ++i) {
      ASSERT_EQ(push_number(pipe.view(), kProducer, pushed++), SlotPush::ok);
    }
    for (std::uint32_t i = 0; i < fill; ++i)
      ASSERT_EQ(pop_number(pipe.view(), kConsumer), popped++);
    ASSERT_EQ(peek_outcome(pipe.view()), SlotPop::empty);
  }
}

TEST_P(PipeCapacityTest, HoldsExactlyItsCapacity) {
  SharedPipe pipe(GetParam());
  for (int lap = 0; lap < 3; ++lap) {
    for (std::uint64_t i = 0; i < GetParam(); ++i) {
      ASSERT_TRUE(pipe.view().has_space());
      ASSERT_EQ(push_number(pipe.view(), kProducer, i), SlotPush::ok);
    }
    EXPECT_FALSE(pipe.view().has_space());
    EXPECT_EQ(push_number(pipe.view(), kProducer, 99), SlotPush::full);
    EXPECT_EQ(pipe.view().snapshot().depth, GetParam());
    for (std::uint64_t i = 0; i < GetParam(); ++i) {
      ASSERT_EQ(pop_number(pipe.view(), kConsumer), static_cast<std::int64_t>(i));
    }
    EXPECT_EQ(pipe.view().snapshot().depth, 0u);
    EXPECT_EQ(pipe.view().snapshot().high_water, GetParam());
  }
}

TEST_P(PipeCapacityTest, ClosedAfterTheLastMessageOnly) {
  SharedPipe pipe(GetParam());
  while (push_number(pipe.view(), kProducer, 1) == SlotPush::ok) {
  }
  pipe.view().close();
  EXPECT_EQ(push_number(pipe.view(), kProducer, 2), SlotPush::closed);
  for (std::uint32_t i = 0; i < GetParam(); ++i) ASSERT_EQ(pop_number(pipe.view(), kConsumer), 1);
  EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::closed);
  EXPECT_TRUE(pipe.view().is_drained());
}

TEST_P(PipeCapacityTest, GoesOnAcrossTheWrapOfTheLap) {
  const std::uint64_t last_lap = (std::uint64_t{1} << 40) - 1;
  SharedPipe pipe(GetParam());
  pipe.move_to(last_lap * GetParam());
  for (std::uint64_t i = 0; i < 3 * GetParam() + 2; ++i) {
    ASSERT_EQ(push_number(pipe.view(), kProducer, i), SlotPush::ok) << i;
    ASSERT_EQ(pop_number(pipe.view(), kConsumer), static_cast<std::int64_t>(i));
  }
  for (std::uint64_t i = 0; i < GetParam(); ++i) {
    ASSERT_EQ(push_number(pipe.view(), kProducer, i), SlotPush::ok);
  }
  EXPECT_EQ(push_number(pipe.view(), kProducer, 0), SlotPush::full);
}

TEST_P(PipeCapacityTest, FindsItsWayFromHintsThatAreLapsBehind) {
  for (const std::uint64_t position : {1UL, 7UL, 1000UL, 123'456'789UL}) {
    for (const std::uint64_t hint : {0UL, position - 1, position / 2}) {
      SharedPipe pipe(GetParam());
      pipe.move_to(position);
      for (std::uint64_t i = 0; i < GetParam(); ++i) {
        pipe.header().tail.store(hint);
        pipe.header().head.store(hint);
        ASSERT_TRUE(pipe.view().has_space());
        ASSERT_EQ(push_number(pipe.view(), kProducer, i), SlotPush::ok);
      }
      pipe.header().tail.store(hint);
      EXPECT_FALSE(pipe.view().has_space()) << position << " from " << hint;
      EXPECT_EQ(push_number(pipe.view(), kProducer, 0), SlotPush::full);
      for (std::uint64_t i = 0; i < GetParam(); ++i) {
        pipe.header().head.store(hint);
        ASSERT_EQ(pop_number(pipe.view(), kConsumer), static_cast<std::int64_t>(i));
      }
      pipe.header().head.store(hint);
      EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::empty);
      pipe.view().close();
      pipe.header().head.store(hint);
      EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::closed);
    }
  }
}

TEST(PipeTest, SmallMessagesOfEverySizeComeOutWhole) {
  SharedPipe pipe(4);
  for (std::size_t size = 0; size <= layout::kSlotPayloadBytes; ++size) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    std::uint64_t position = 0;
    ASSERT_EQ(pipe.view().push(kProducer, text_payload(text), position), SlotPush::ok);
    EXPECT_EQ(position, size);
    testing::Copied found;
    ASSERT_EQ(pop_one(pipe.view(), kConsumer, found), SlotPop::ok);
    EXPECT_EQ(found.position, size);
    EXPECT_EQ(found.word.claimant(), kProducer);
    EXPECT_EQ(text_of(found.copy), text);
  }
}

TEST(PipeTest, ReferencesComeOutAsTheyWentIn) {
  SharedPipe pipe(4);
  std::uint64_t position = 0;
  const ChunkReference in{{9, 0xffff'ffff}, 4095, std::uint64_t{1} << 46};
  ASSERT_EQ(pipe.view().push(kProducer, SlotPayload::reference_to(in), position), SlotPush::ok);
  testing::Copied found;
  ASSERT_EQ(pop_one(pipe.view(), kConsumer, found), SlotPop::ok);
  ASSERT_EQ(found.copy.kind(), layout::PayloadKind::by_reference);
  const ChunkReference out = found.copy.reference();
  EXPECT_EQ(out.segment, in.segment);
  EXPECT_EQ(out.chunk, in.chunk);
  EXPECT_EQ(out.size_bytes, in.size_bytes);
}

// --- Producers that stop in the middle ----------------------------------------------------------

TEST(PipeTest, ConsumersStepOverAStoppedProducer) {
  SharedPipe pipe(4);
  pipe.claim(0, kOtherProducer);
  for (std::uint64_t i = 1; i < 4; ++i) {
    ASSERT_EQ(push_number(pipe.view(), kProducer, i), SlotPush::ok);
  }
  EXPECT_EQ(push_number(pipe.view(), kProducer, 9), SlotPush::full);
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 1);
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 2);
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 3);
  EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::empty);
  // The ring has gone around once: now the stopped producer is in the way.
  EXPECT_EQ(push_number(pipe.view(), kProducer, 4), SlotPush::full);
  pipe.publish(0, kOtherProducer, 0);
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 0);
  EXPECT_EQ(push_number(pipe.view(), kProducer, 4), SlotPush::ok);
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 4);
}

TEST(PipeTest, ConsumersReachWhatIsBehindAStoppedProducerFromAStaleHint) {
  for (const std::uint32_t slots : {3U, 8U, 64U}) {
    SharedPipe pipe(slots);
    const std::uint64_t start = 1000 * slots + 1;
    pipe.move_to(start);
    // The slot before the next position goes around first, so that the stale hint is worst.
    for (std::uint32_t i = 0; i < slots - 1; ++i) {
      pipe.claim(start + i, kOtherProducer);
    }
    pipe.publish(start + slots - 1, kProducer, 42);
    for (std::uint64_t behind = 0; behind < 4 * slots; ++behind) {
      pipe.header().head.store(start - behind);
      Peeked found;
      ASSERT_EQ(pipe.view().peek(found), SlotPop::ok) << slots << " slots, " << behind;
      EXPECT_EQ(number_of(found.payload()), 42u);
    }
  }
}

TEST(PipeTest, AStaleHintMovesUpToAStoppedProducer) {
  SharedPipe pipe(4);
  pipe.move_to(100);
  pipe.claim(100, kOtherProducer);
  pipe.header().head.store(3);
  EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::empty);
  EXPECT_EQ(pipe.header().head.load(), 100u);
}

TEST(PipeTest, NotClosedWhileAProducerIsAtIt) {
  SharedPipe pipe(4);
  pipe.claim(0, kProducer);
  pipe.view().close();
  EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::empty);
  pipe.publish(0, kProducer, 17);
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 17);
  EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::closed);
}

#ifdef TARN_CRASH_POINTS

// A consumer steps over a slot whose producer is at it. While it walks on, the producer finishes,
// and pushes its next message: that one must not be taken for the older.
TEST(PipeTest, AProducersMessagesStayInOrderWhenItFinishesBehindAWalkingConsumer) {
  SharedPipe pipe(4);
  pipe.claim(0, kProducer);
  int finished = 0;
  const testing::AtCrashPoint act("pipe.peek.stepped_over", [&] {
    if (finished++ > 0) return;
    pipe.publish(0, kProducer, 0);
    pipe.publish(1, kProducer, 1);
  });
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 0);
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 1);
  EXPECT_EQ(finished, 1);
}

TEST(PipeTest, MessagesStayInOrderWhenProducersFinishOneAfterAnotherBehindAWalkingConsumer) {
  SharedPipe pipe(8);
  for (std::uint64_t i = 0; i < 7; ++i) pipe.claim(i, kProducer);
  pipe.publish(7, kOtherProducer, 7);
  std::int64_t next = 6;
  // Each time the consumer steps over a slot, the last one that is still claimed is published.
  const testing::AtCrashPoint act("pipe.peek.stepped_over", [&] {
    if (next >= 3) pipe.publish(static_cast<std::uint64_t>(next), kProducer, 70);
    --next;
  });
  testing::Copied found;
  ASSERT_EQ(pipe.view().peek(found), SlotPop::ok);
  EXPECT_EQ(found.position, 3u);
}

TEST(PipeTest, ACloseBetweenClaimAndPublicationLeavesASkippedSlot) {
  SharedPipe pipe(4);
  {
    const testing::AtCrashPoint act("pipe.push.claimed", [&] {
      pipe.view().close();
      // Whoever sees the flag sees the claim, and waits for what becomes of it.
      EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::empty);
    });
    EXPECT_EQ(push_number(pipe.view(), kProducer, 1), SlotPush::closed);
  }
  EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::closed);
  EXPECT_EQ(pipe.view().snapshot().skipped, 1u);
  EXPECT_TRUE(pipe.view().is_drained());
}

// Two sleepers wait at a pipe that was closed while its last message was still in somebody's hands.
// When that message is done, both have to hear that nothing comes any more.
void expect_ring_for_all_when(SharedPipe& pipe, const std::function<void()>& last_message_goes) {
  pipe.view().close();
  const std::uint32_t first = announce_sleep(pipe.view().items_bell());
  ASSERT_EQ(pipe.header().items_bell.load(), first);
  last_message_goes();
  EXPECT_NE(pipe.header().items_bell.load(), first) << "a sleeper was left alone";
  EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::closed);
}

TEST(PipeTest, TheLastAcknowledgementOfAClosedPipeWakesThoseWhoWaitForMore) {
  SharedPipe pipe(4, true);
  push_number(pipe.view(), kProducer, 1);
  testing::Copied found;
  ASSERT_EQ(pop_one(pipe.view(), kConsumer, found), SlotPop::ok);
  expect_ring_for_all_when(pipe, [&] { pipe.view().acknowledge(kConsumer, 0, false); });
}

TEST(PipeTest, TheLastTakeOfAClosedPipeWakesThoseWhoWaitForMore) {
  SharedPipe pipe(4);
  push_number(pipe.view(), kProducer, 1);
  expect_ring_for_all_when(pipe, [&] { EXPECT_EQ(pop_number(pipe.view(), kConsumer), 1); });
}

TEST(PipeTest, TakingFromAnOpenPipeRingsForNobodyWhoWaitsForItems) {
  SharedPipe pipe(4);
  push_number(pipe.view(), kProducer, 1);
  const std::uint32_t announced = announce_sleep(pipe.view().items_bell());
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 1);
  EXPECT_EQ(pipe.header().items_bell.load(), announced);
}

#endif

// --- Space --------------------------------------------------------------------------------------

// Two producers sleep at a full pipe. The younger message goes first: the ring for its slot wakes a
// producer that finds the older one still there, and sleeps again. Then the older goes: one ring,
// but two slots, so that the producer that gets on has to wake the other.
TEST(PipeTest, AProducerThatSleptPassesOnSpaceThatWasFreedOutOfOrder) {
  SharedPipe pipe(2, true);
  PipeView& view = pipe.view();
  testing::Copied older;
  testing::Copied younger;
  ASSERT_EQ(push_number(view, kProducer, 0), SlotPush::ok);
  ASSERT_EQ(push_number(view, kProducer, 1), SlotPush::ok);
  ASSERT_EQ(pop_one(view, kConsumer, older), SlotPop::ok);
  ASSERT_EQ(pop_one(view, kOtherConsumer, younger), SlotPop::ok);
  announce_sleep(view.space_bell());
  view.acknowledge(kOtherConsumer, younger.position, false);
  ASSERT_EQ(push_number(view, kProducer, 2), SlotPush::full);
  announce_sleep(view.space_bell());
  const std::uint32_t asleep = announce_sleep(view.space_bell());
  view.acknowledge(kConsumer, older.position, false);
  const std::uint32_t rung_once = view.space_bell().load();
  ASSERT_NE(rung_once, asleep);
  announce_sleep(view.space_bell());  // the kernel would say that one still sleeps
  const std::uint32_t before = view.space_bell().load();
  ASSERT_EQ(push_number(view, kProducer, 2), SlotPush::ok);
  view.pass_space_on();
  EXPECT_NE(view.space_bell().load(), before);
  ASSERT_EQ(push_number(view, kOtherProducer, 3), SlotPush::ok);
  const std::uint32_t full_now = announce_sleep(view.space_bell());
  view.pass_space_on();
  EXPECT_EQ(view.space_bell().load(), full_now);
}

}  // namespace
}  // namespace tarn
