// At-least-once delivery, and recovery from deaths.
#include <gtest/gtest.h>

#include <vector>

#include "shm/pipe/pipe.h"
#include "testing/shared_pipe.h"

namespace tarn {
namespace {

using layout::SlotPhase;
using testing::number_of;
using testing::peek_outcome;
using testing::pop_number;
using testing::pop_one;
using testing::push_number;
using testing::SharedPipe;

constexpr std::uint16_t kProducer = 3;
constexpr std::uint16_t kOtherProducer = 4;
constexpr std::uint16_t kConsumer = 5;
constexpr std::uint16_t kOtherConsumer = 6;

// --- At least once ------------------------------------------------------------------------------

TEST(PipeTest, ATakenMessageStaysInItsSlotUntilItIsAcknowledged) {
  SharedPipe pipe(2, true);
  push_number(pipe.view(), kProducer, 1);
  push_number(pipe.view(), kProducer, 2);
  testing::Copied found;
  ASSERT_EQ(pop_one(pipe.view(), kConsumer, found), SlotPop::ok);
  EXPECT_FALSE(found.word.redelivered());
  EXPECT_FALSE(pipe.view().is_gone(found.position));
  EXPECT_EQ(push_number(pipe.view(), kProducer, 3), SlotPush::full);
  pipe.view().acknowledge(kConsumer, found.position, false);
  EXPECT_TRUE(pipe.view().is_gone(found.position));
  EXPECT_EQ(push_number(pipe.view(), kProducer, 3), SlotPush::ok);
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 2);
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 3);
  EXPECT_TRUE(pipe.view().is_drained());
}

TEST(PipeTest, AMessageThatWasGivenBackComesAgainMarked) {
  SharedPipe pipe(4, true);
  push_number(pipe.view(), kProducer, 1);
  push_number(pipe.view(), kProducer, 2);
  testing::Copied found;
  for (int time = 0; time < 3; ++time) {
    ASSERT_EQ(pop_one(pipe.view(), kConsumer, found), SlotPop::ok);
    EXPECT_EQ(number_of(found.copy), 1u);
    EXPECT_EQ(found.word.redelivered(), time > 0);
    pipe.view().give_back(kConsumer, found.position, found.word.redelivered());
  }
  EXPECT_EQ(pipe.view().snapshot().redelivered, 3u);
  EXPECT_EQ(pop_number(pipe.view(), kOtherConsumer), 1);
  EXPECT_EQ(pop_number(pipe.view(), kOtherConsumer), 2);
}

TEST(PipeTest, NobodyAcknowledgesOrGivesBackForAnother) {
  SharedPipe pipe(4, true);
  push_number(pipe.view(), kProducer, 1);
  testing::Copied found;
  ASSERT_EQ(pop_one(pipe.view(), kConsumer, found), SlotPop::ok);
  const std::uint64_t taken = pipe.word(0).bits();
  pipe.view().acknowledge(kOtherConsumer, found.position, false);
  pipe.view().give_back(kOtherConsumer, found.position, false);
  pipe.view().acknowledge(kConsumer, found.position, true);       // not that delivery
  pipe.view().acknowledge(kConsumer, found.position + 4, false);  // nor that lap
  EXPECT_EQ(pipe.word(0).bits(), taken);
}

TEST(PipeTest, AMessageIsAcknowledgedOnce) {
  SharedPipe pipe(1, true);
  push_number(pipe.view(), kProducer, 1);
  testing::Copied found;
  ASSERT_EQ(pop_one(pipe.view(), kConsumer, found), SlotPop::ok);
  pipe.view().acknowledge(kConsumer, found.position, false);
  push_number(pipe.view(), kProducer, 2);
  testing::Copied next;
  ASSERT_EQ(pop_one(pipe.view(), kConsumer, next), SlotPop::ok);
  pipe.view().acknowledge(kConsumer, found.position, false);
  pipe.view().give_back(kConsumer, found.position, false);
  EXPECT_EQ(pipe.word(0).phase(), SlotPhase::taken);
}

TEST(PipeTest, ClosedOnlyAfterTheLastAcknowledgement) {
  SharedPipe pipe(4, true);
  push_number(pipe.view(), kProducer, 1);
  pipe.view().close();
  testing::Copied found;
  ASSERT_EQ(pop_one(pipe.view(), kConsumer, found), SlotPop::ok);
  EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::empty);
  pipe.view().give_back(kConsumer, found.position, false);
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 1);
  EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::closed);
}

TEST(PipeTest, APeekedMessageThatAnotherTookCannotBeTaken) {
  for (const bool at_least_once : {false, true}) {
    SharedPipe pipe(1, at_least_once);
    push_number(pipe.view(), kProducer, 1);
    Peeked mine;
    ASSERT_EQ(pipe.view().peek(mine), SlotPop::ok);
    EXPECT_EQ(pop_number(pipe.view(), kOtherConsumer), 1);
    EXPECT_FALSE(pipe.view().take(kConsumer, mine));
    // The same slot, one lap later.
    push_number(pipe.view(), kProducer, 1);
    EXPECT_FALSE(pipe.view().take(kConsumer, mine));
    EXPECT_EQ(pop_number(pipe.view(), kConsumer), 1);
  }
}

// --- Recovery -----------------------------------------------------------------------------------

struct PipeRecoveryTest : ::testing::Test {
  static constexpr std::uint16_t kDead = 9;
  // Slot by slot: each phase, of the dead session and of another one.
  PipeRecoveryTest() {
    pipe.publish(0, kDead, 10);
    pipe.publish(1, kProducer, 11);
    pipe.claim(2, kDead);
    pipe.claim(3, kProducer);
    pipe.publish(4, kProducer, 14);
    pipe.set_word(4, SlotWord(0, SlotPhase::taken, kDead));
    pipe.publish(5, kProducer, 15);
    pipe.set_word(5, SlotWord(0, SlotPhase::taken, kConsumer));
    pipe.publish(6, kProducer, 16);
    pipe.set_word(6, SlotWord(0, SlotPhase::taken, kDead, true));
  }
  std::vector<std::uint64_t> words() {
    std::vector<std::uint64_t> all;
    for (std::uint64_t i = 0; i < 8; ++i) all.push_back(pipe.word(i).bits());
    return all;
  }
  SharedPipe pipe{8, true};
};

TEST_F(PipeRecoveryTest, ResolvesWhatTheDeadOneClaimedAndTookAndNothingElse) {
  const std::vector<std::uint64_t> before = words();
  const auto counts = pipe.view().recover(kDead);
  EXPECT_EQ(counts.skipped, 1u);
  EXPECT_EQ(counts.redelivered, 2u);
  const std::vector<std::uint64_t> after = words();
  for (const std::size_t untouched : {0U, 1U, 3U, 5U, 7U}) {
    EXPECT_EQ(after[untouched], before[untouched]) << untouched;
  }
  EXPECT_EQ(after[2], SlotWord(1, SlotPhase::free, 0).bits());
  EXPECT_EQ(after[4], SlotWord(0, SlotPhase::ready, 0, true).bits());
  EXPECT_EQ(after[6], SlotWord(0, SlotPhase::ready, 0, true).bits());
  for (const std::int64_t number : {10, 11, 14, 16})
    EXPECT_EQ(pop_number(pipe.view(), kConsumer), number);
  EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::empty);
  EXPECT_EQ(pipe.view().snapshot().skipped, 1u);
  EXPECT_EQ(pipe.view().snapshot().redelivered, 2u);
}

TEST_F(PipeRecoveryTest, RunsAgainWithoutEffect) {
  pipe.view().recover(kDead);
  const std::vector<std::uint64_t> once = words();
  const auto again = pipe.view().recover(kDead);
  EXPECT_EQ(again.skipped, 0u);
  EXPECT_EQ(again.redelivered, 0u);
  EXPECT_EQ(words(), once);
}

TEST_F(PipeRecoveryTest, WakesEverybodyWhoSleepsAtEitherEnd) {
  const std::uint32_t items = announce_sleep(pipe.view().items_bell());
  const std::uint32_t space = announce_sleep(pipe.view().space_bell());
  pipe.view().recover(1234);  // even if the dead one left no trace: it may have eaten a wake-up
  EXPECT_NE(pipe.header().items_bell.load(), items);
  EXPECT_NE(pipe.header().space_bell.load(), space);
}

TEST_F(PipeRecoveryTest, ALateStepOfASlowConsumerDoesNotUndoIt) {
  Peeked stale;
  stale.position = 4;
  stale.word = SlotWord(0, SlotPhase::ready, kProducer);
  pipe.view().recover(kDead);
  EXPECT_FALSE(pipe.view().take(kOtherConsumer, stale));
  pipe.view().acknowledge(kDead, 4, false);
  pipe.view().give_back(kDead, 4, false);
  EXPECT_EQ(pipe.word(4).bits(), SlotWord(0, SlotPhase::ready, 0, true).bits());
}

TEST_F(PipeRecoveryTest, DrainThrowsAwayWhatIsReadyOrTaken) {
  pipe.view().drain();
  for (const std::uint64_t gone : {0UL, 1UL, 4UL, 5UL, 6UL}) EXPECT_TRUE(pipe.view().is_gone(gone));
  EXPECT_EQ(pipe.word(2).phase(), SlotPhase::claimed);
  EXPECT_EQ(pipe.word(3).phase(), SlotPhase::claimed);
  EXPECT_FALSE(pipe.view().is_drained());
  pipe.view().recover(kDead);
  pipe.view().recover(kProducer);
  EXPECT_TRUE(pipe.view().is_drained());
  EXPECT_EQ(push_number(pipe.view(), kProducer, 1), SlotPush::ok);
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 1);
}

TEST(PipeTest, RecoveryMovesTheHeadOverWhatItSkipped) {
  SharedPipe pipe(4);
  for (std::uint64_t i = 0; i < 4; ++i) pipe.claim(i, kProducer);
  EXPECT_EQ(push_number(pipe.view(), kOtherProducer, 1), SlotPush::full);
  EXPECT_EQ(pipe.view().recover(kProducer).skipped, 4u);
  EXPECT_EQ(pipe.header().head.load(), 4u);
  EXPECT_EQ(push_number(pipe.view(), kOtherProducer, 1), SlotPush::ok);
  EXPECT_EQ(pop_number(pipe.view(), kConsumer), 1);
}

}  // namespace
}  // namespace tarn
