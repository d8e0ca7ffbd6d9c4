// Ends a session at every crash point of every operation on a pipe, recovers, and audits what the
// others find: what was committed comes out once, what was not does not, and the pipe goes on.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "shm/pipe/pipe.h"
#include "testing/crash_sweep.h"
#include "testing/shared_pipe.h"

namespace tarn {
namespace {

using layout::SlotPhase;
using testing::crash_sweep;
using testing::Death;
using testing::die_at;
using testing::number_of;
using testing::peek_outcome;
using testing::pop_one;
using testing::push_number;
using testing::SharedPipe;

constexpr std::uint16_t kVictim = 9;
constexpr std::uint16_t kSurvivor = 2;
constexpr std::uint64_t kMessages = 3;

// What the victim said before and after each of its steps.
struct Ledger {
  std::atomic<std::uint64_t> begun;
  std::atomic<std::uint64_t> done;
};

struct Delivered {
  std::uint64_t number;
  bool redelivered;
  bool operator==(const Delivered&) const = default;
};
void PrintTo(const Delivered& message, std::ostream* out) {
  *out << message.number << (message.redelivered ? " again" : "");
}

struct Shape {
  std::uint32_t slots;
  bool at_least_once;
  std::uint64_t start;  // the first position
};
void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.slots << " slots, at " << (shape.at_least_once ? "least" : "most") << " once, from "
       << shape.start;
}

class PipeCrashTest : public ::testing::TestWithParam<Shape> {
 protected:
  void reset() {
    pipe.reset();
    pipe.move_to(GetParam().start);
    ledger().begun = 0;
    ledger().done = 0;
    // Others sleep at both ends: whatever happens, a ring or recovery has to reach them.
    items_announced = announce_sleep(pipe.view().items_bell());
    space_announced = announce_sleep(pipe.view().space_bell());
  }
  Ledger& ledger() { return **memory.at<Ledger>(0); }
  std::uint64_t begun() { return ledger().begun; }
  std::uint64_t done() { return ledger().done; }
  template <class Step>
  void step(Step&& body) {
    ledger().begun.fetch_add(1);
    body();
    ledger().done.fetch_add(1);
  }

  void recover_twice() {
    pipe.view().recover(kVictim);
    const auto again = pipe.view().recover(kVictim);
    EXPECT_EQ(again.skipped, 0u);
    EXPECT_EQ(again.redelivered, 0u);
  }
  std::vector<Delivered> pop_all() {
    std::vector<Delivered> all;
    testing::Copied found;
    while (pop_one(pipe.view(), kSurvivor, found) == SlotPop::ok) {
      all.push_back({number_of(found.copy), found.word.redelivered()});
      if (pipe.view().at_least_once()) {
        pipe.view().acknowledge(kSurvivor, found.position, found.word.redelivered());
      }
    }
    return all;
  }
  // Nothing is pending, nobody sleeps on, and every slot can be used, in order.
  void expect_usable() {
    EXPECT_NE(pipe.header().items_bell.load(), items_announced) << "a consumer sleeps on";
    EXPECT_NE(pipe.header().space_bell.load(), space_announced) << "a producer sleeps on";
    EXPECT_EQ(peek_outcome(pipe.view()),
              pipe.view().is_closed() ? SlotPop::closed : SlotPop::empty);
    EXPECT_TRUE(pipe.view().is_drained());
    if (pipe.view().is_closed()) return;
    for (int lap = 0; lap < 2; ++lap) {
      for (std::uint64_t i = 0; i < GetParam().slots; ++i) {
        ASSERT_EQ(push_number(pipe.view(), kSurvivor, i), SlotPush::ok) << "slot " << i;
      }
      EXPECT_EQ(push_number(pipe.view(), kSurvivor, 0), SlotPush::full);
      const auto all = pop_all();
      ASSERT_EQ(all.size(), GetParam().slots);
      for (std::uint64_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], (Delivered{i, false}));
    }
  }
  // The numbers from `first` to before `end`, none of them delivered before.
  static std::vector<Delivered> fresh(std::uint64_t first, std::uint64_t end) {
    std::vector<Delivered> numbers;
    for (std::uint64_t i = first; i < end; ++i) numbers.push_back({i, false});
    return numbers;
  }

  SharedPipe pipe{GetParam().slots, GetParam().at_least_once};
  Segment memory = testing::shared_memory(kPage);
  std::uint32_t items_announced = 0;
  std::uint32_t space_announced = 0;
};

constexpr Shape kShapes[] = {
    {1, false, 0},         {1, true, 5},
    {3, false, 0},         {3, false, 3 * ((std::uint64_t{1} << 40) - 1) + 1},
    {3, true, 7},          {4, true, 2},
    {8, false, 1'000'003}, {8, true, 0}};
template <class Fits>
std::vector<Shape> shapes_that(Fits&& fit) {
  std::vector<Shape> fitting;
  std::copy_if(std::begin(kShapes), std::end(kShapes), std::back_inserter(fitting), fit);
  return fitting;
}
INSTANTIATE_TEST_SUITE_P(Shapes, PipeCrashTest, ::testing::ValuesIn(kShapes));

class AtLeastOncePipeCrashTest : public PipeCrashTest {};
INSTANTIATE_TEST_SUITE_P(Shapes, AtLeastOncePipeCrashTest,
                         ::testing::ValuesIn(shapes_that([](const Shape& shape) {
                           return shape.at_least_once;
                         })));

// A stopped producer stops a ring that is shorter.
class RoomyPipeCrashTest : public PipeCrashTest {};
INSTANTIATE_TEST_SUITE_P(Shapes, RoomyPipeCrashTest,
                         ::testing::ValuesIn(shapes_that([](const Shape& shape) {
                           return shape.slots >= 3;
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
}

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
}

}  // namespace
}  // namespace tarn
