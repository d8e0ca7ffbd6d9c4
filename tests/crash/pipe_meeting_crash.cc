// Ends a session while others are in its way: the pipe closes, somebody stands in it who does not
// get on, or goes on where the victim stopped.
#include "testing/at_crash_point.h"
#include "tests/crash/pipe_rig.h"

namespace tarn {
namespace {

INSTANTIATE_TEST_SUITE_P(Shapes, PipeCrashTest, ::testing::ValuesIn(kShapes));

// A stopped producer stops a ring that is shorter.
class RoomyPipeCrashTest : public PipeCrashTest {};
INSTANTIATE_TEST_SUITE_P(Shapes, RoomyPipeCrashTest,
                         ::testing::ValuesIn(shapes_that([](const Shape& shape) {
                           return shape.slots >= 3;
                         })));

TEST_P(PipeCrashTest, APushIntoAPipeThatIsClosedMeanwhileLeavesNothing) {
  crash_sweep([&] { reset(); },
              [&] {
                push_number(pipe.view(), kVictim, 0);
                pipe.view().close();
                push_number(pipe.view(), kVictim, 1);
              },
              [&](const Death&) {
                recover_twice();
                EXPECT_LE(pop_all().size(), 1u);
                pipe.view().close();
                expect_usable();
              });
}

#ifdef TARN_CRASH_POINTS
// It is closed when the victim has its slot already.
TEST_P(PipeCrashTest, APushThatMeetsTheClosingGivesItsSlotBack) {
  crash_sweep([&] { reset(); },
              [&] {
                const testing::AtCrashPoint closing("pipe.push.claimed",
                                                    [&] { pipe.view().close(); });
                TARN_ASSERT(push_number(pipe.view(), kVictim, 0) == SlotPush::closed);
              },
              [&](const Death&) {
                recover_twice();
                pipe.view().close();
                EXPECT_TRUE(pop_all().empty());
                expect_usable();
              });
  points.expect_all(
      {"pipe.push.claimed", "pipe.push.skipped", "pipe.close.marked", "bell.ring_all.changed"});
}
#endif

// A producer does not get on, and the victim goes past it.
TEST_P(RoomyPipeCrashTest, APopPastAClaimedSlotTakesAMessageOrLeavesIt) {
  const std::uint64_t start = GetParam().start;
  crash_sweep(
      [&] {
        reset();
        pipe.claim(start, kSleeper);
        for (std::uint64_t i = 1; i < 3; ++i) push_number(pipe.view(), kSurvivor, i);
      },
      [&] {
        testing::Copied found;
        TARN_ASSERT(pop_one(pipe.view(), kVictim, found) == SlotPop::ok);
        ledger().done = 1;
        if (pipe.view().at_least_once()) pipe.view().acknowledge(kVictim, found.position, false);
      },
      [&](const Death&) {
        recover_twice();
        const auto rest = pop_all();
        EXPECT_GE(rest.size(), 1u);
        EXPECT_LE(rest.size(), 2u);
        if (!rest.empty()) {
          EXPECT_EQ(rest.back(), (Delivered{2, false}));
        }
        // The sleeper wakes up, and its message is none the worse.
        pipe.publish(start, kSleeper, 0);
        EXPECT_EQ(pop_all(), fresh(0, 1));
        expect_usable();
      });
  points.expect_all({"pipe.peek.stepped_over", "pipe.pop.peeked", "pipe.pop.taken"});
}

// The victim dies in the middle of a full ring that others keep using.
TEST_P(RoomyPipeCrashTest, OthersGoOnWhileTheVictimsSlotWaitsForRecovery) {
  crash_sweep([&] { reset(); }, [&] { push_number(pipe.view(), kVictim, 100); },
              [&](const Death& death) {
                const bool committed = death.finished() || !(death.was_at("pipe.push.claimed") ||
                                                             death.was_at("pipe.push.filled"));
                for (std::uint64_t i = 0; i + 1 < GetParam().slots; ++i) {
                  ASSERT_EQ(push_number(pipe.view(), kSurvivor, i), SlotPush::ok) << i;
                }
                std::vector<Delivered> expected = fresh(0, GetParam().slots - 1);
                if (committed) expected.insert(expected.begin(), Delivered{100, false});
                EXPECT_EQ(pop_all(), expected);
                recover_twice();
                expect_usable();
              });
}

TEST_P(PipeCrashTest, CloseIsAllOrNothing) {
  const std::uint64_t swept = crash_sweep(
      [&] {
        reset();
        push_number(pipe.view(), kSurvivor, 7);
      },
      [&] { pipe.view().close(); },
      [&](const Death&) {
        recover_twice();
        EXPECT_TRUE(pipe.view().is_closed());
        EXPECT_EQ(pop_all(), fresh(7, 8));
        expect_usable();
      });
  EXPECT_GE(swept, 1u);
  points.expect_all({"pipe.close.marked"});
}

TEST_P(PipeCrashTest, DrainThatDiesIsRunAgain) {
  crash_sweep(
      [&] {
        reset();
        for (std::uint64_t i = 0; i < GetParam().slots; ++i) {
          push_number(pipe.view(), kSurvivor, i);
        }
      },
      [&] { pipe.view().drain(); },
      [&](const Death&) {
        pipe.view().drain();
        EXPECT_TRUE(pop_all().empty());
        expect_usable();
      });
  points.expect_all({"pipe.drain.slot"});
}

}  // namespace
}  // namespace tarn
