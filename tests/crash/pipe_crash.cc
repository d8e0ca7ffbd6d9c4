// Ends a session at every crash point of every operation on a pipe, recovers, and audits what the
// others find: what was committed comes out once, what was not does not, and the pipe goes on.
#include "tests/crash/pipe_rig.h"

namespace tarn {
namespace {

INSTANTIATE_TEST_SUITE_P(Shapes, PipeCrashTest, ::testing::ValuesIn(kShapes));

class AtLeastOncePipeCrashTest : public PipeCrashTest {};
INSTANTIATE_TEST_SUITE_P(Shapes, AtLeastOncePipeCrashTest,
                         ::testing::ValuesIn(shapes_that([](const Shape& shape) {
                           return shape.at_least_once;
                         })));

TEST_P(PipeCrashTest, APushIsAllOrNothing) {
  const std::uint64_t swept = crash_sweep(
      [&] { reset(); },
      [&] {
        for (std::uint64_t i = 0; i < std::min<std::uint64_t>(kMessages, GetParam().slots); ++i) {
          step([&] { TARN_ASSERT(push_number(pipe.view(), kVictim, i) == SlotPush::ok); });
        }
      },
      [&](const Death& death) {
        const bool uncommitted =
            death.was_at("pipe.push.claimed") || death.was_at("pipe.push.filled");
        recover_twice();
        EXPECT_EQ(pop_all(), fresh(0, uncommitted ? done() : begun()));
        expect_usable();
      });
  EXPECT_GE(swept, 3u);
  points.expect_all({"pipe.push.claimed", "pipe.push.filled", "pipe.push.published",
                     "pipe.hint.behind", "bell.ring.changed", "bell.ring.found_nobody"});
}

TEST_P(PipeCrashTest, APopTakesAMessageOrLeavesIt) {
  const std::uint64_t messages = std::min<std::uint64_t>(kMessages, GetParam().slots);
  const bool at_least_once = GetParam().at_least_once;
  const std::uint64_t swept = crash_sweep(
      [&] {
        reset();
        for (std::uint64_t i = 0; i < messages; ++i) push_number(pipe.view(), kSurvivor, i);
      },
      [&] {
        for (std::uint64_t i = 0; i < messages; ++i) {
          step([&] {
            testing::Copied found;
            TARN_ASSERT(pop_one(pipe.view(), kVictim, found) == SlotPop::ok);
            if (at_least_once) pipe.view().acknowledge(kVictim, found.position, false);
          });
        }
      },
      [&](const Death& death) {
        const bool in_its_hands =
            death.was_at("pipe.pop.taken") || death.was_at("pipe.acknowledge");
        const bool untouched = death.was_at("pipe.pop.peeked");
        recover_twice();
        std::vector<Delivered> expected = fresh(untouched ? done() : begun(), messages);
        // At most once, what was in its hands died with it; at least once it comes again, marked.
        if (in_its_hands && at_least_once) {
          expected.insert(expected.begin(), Delivered{begun() - 1, true});
        }
        EXPECT_EQ(pop_all(), expected);
        expect_usable();
      });
  EXPECT_GE(swept, 2 * messages);
  points.expect_all({"pipe.pop.peeked", "pipe.pop.taken", "pipe.hint.behind"});
  if (at_least_once) points.expect_all({"pipe.acknowledge", "pipe.acknowledge.freed"});
}

TEST_P(AtLeastOncePipeCrashTest, AMessageThatIsGivenBackComesAgainMarked) {
  crash_sweep(
      [&] {
        reset();
        push_number(pipe.view(), kSurvivor, 7);
      },
      [&] {
        for (int i = 0; i < 2; ++i) {
          testing::Copied found;
          TARN_ASSERT(pop_one(pipe.view(), kVictim, found) == SlotPop::ok);
          ledger().begun = 1;
          pipe.view().give_back(kVictim, found.position, found.word.redelivered());
          ledger().done = 1;
        }
      },
      [&](const Death& death) {
        recover_twice();
        const bool untouched = death.was_at("pipe.pop.peeked") && begun() == 0;
        EXPECT_EQ(pop_all(), std::vector<Delivered>({{7, !untouched}}));
        expect_usable();
      });
  points.expect_all({"pipe.give_back", "pipe.give_back.ready"});
}

// Recovery dies as well, at each of its points, and is run again by the next.
TEST_P(PipeCrashTest, RecoveryThatDiesIsRunAgain) {
  const std::uint32_t slots = GetParam().slots;
  const std::uint64_t start = GetParam().start;
  const bool at_least_once = GetParam().at_least_once;
  std::vector<Delivered> expected;
  const std::uint64_t swept = crash_sweep(
      [&] {
        reset();
        expected.clear();
        for (std::uint64_t i = 0; i < slots; ++i) {
          const std::uint64_t at = start + i;
          pipe.publish(at, kSurvivor, i);
          if (i % 3 == 0) {
            pipe.claim(at, kVictim);
          } else if (i % 3 == 1 && at_least_once) {
            pipe.set_word(at % slots, SlotWord(at / slots, SlotPhase::taken, kVictim));
            expected.push_back({i, true});
          } else {
            expected.push_back({i, false});
          }
        }
      },
      [&] { pipe.view().recover(kVictim); },
      [&](const Death&) {
        recover_twice();
        EXPECT_EQ(pop_all(), expected);
        expect_usable();
      });
  EXPECT_GE(swept, 3u);
  points.expect_all({"pipe.recover.claimed", "pipe.recover.resolved"});
  if (at_least_once && slots > 1) points.expect_all({"pipe.recover.taken"});
}

// Twice dead: the operation at its k-th point, then the recovery of what that left at its j-th.
TEST_P(PipeCrashTest, EveryDeathIsRecoveredFromWhateverPointRecoveryDiesAt) {
  const auto act = [&] {
    push_number(pipe.view(), kVictim, 0);
    testing::Copied found;
    if (pop_one(pipe.view(), kVictim, found) != SlotPop::ok) return;
    if (pipe.view().at_least_once()) pipe.view().give_back(kVictim, found.position, false);
  };
  bool more = true;
  for (std::uint64_t k = 1; more; ++k) {
    crash_sweep(
        [&] {
          reset();
          more = !die_at(k, act).finished();
        },
        [&] { pipe.view().recover(kVictim); },
        [&](const Death&) {
          recover_twice();
          EXPECT_LE(pop_all().size(), 1u);
          expect_usable();
        });
    ASSERT_FALSE(HasFailure()) << "the operation had died at its point " << k;
  }
}

}  // namespace
}  // namespace tarn
