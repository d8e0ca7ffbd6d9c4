#include "shm/pipe/slot_word.h"

#include <gtest/gtest.h>

#include <vector>

namespace tarn {
namespace {

using layout::SlotPhase;

constexpr std::uint64_t kLaps = std::uint64_t{1} << 40;
const std::vector<std::uint64_t> kSomeLaps = {0, 1, 2, 12345, kLaps / 2, kLaps - 2, kLaps - 1};
const std::vector<SlotPhase> kPhases = {SlotPhase::free, SlotPhase::claimed, SlotPhase::ready,
                                        SlotPhase::taken};

TEST(SlotWordTest, AllZeroIsFreeInLapZero) {
  const SlotWord zero(0);
  EXPECT_EQ(zero.phase(), SlotPhase::free);
  EXPECT_EQ(zero.claimant(), 0u);
  EXPECT_FALSE(zero.redelivered());
  EXPECT_EQ(zero.laps_ahead_of(0), 0);
}

TEST(SlotWordTest, PartsDoNotTouchEachOther) {
  for (const std::uint64_t lap : kSomeLaps) {
    for (const SlotPhase phase : kPhases) {
      for (const std::uint16_t claimant : std::vector<std::uint16_t>{0, 1, 0xffff}) {
        for (const bool redelivered : {false, true}) {
          const SlotWord word(lap, phase, claimant, redelivered);
          EXPECT_EQ(word.laps_ahead_of(lap), 0);
          EXPECT_EQ(word.phase(), phase);
          EXPECT_EQ(word.claimant(), claimant);
          EXPECT_EQ(word.redelivered(), redelivered);
          EXPECT_EQ(SlotWord(word.bits()).bits(), word.bits());
        }
      }
    }
  }
}

TEST(SlotWordTest, DistanceIsSignedAndIgnoresWhatIsBelowTheLap) {
  for (const std::uint64_t lap : kSomeLaps) {
    for (const std::int64_t distance : {-1'000'000, -1, 0, 1, 2, 1'000'000}) {
      const std::uint64_t there = lap + static_cast<std::uint64_t>(distance);
      const SlotWord full(there, SlotPhase::taken, UINT16_MAX, true);
      EXPECT_EQ(full.laps_ahead_of(lap), distance) << lap;
      EXPECT_EQ(SlotWord(there, SlotPhase::free, 0).laps_ahead_of(lap), distance) << lap;
      // A position's lap has more than 40 bits one day: the upper ones do not matter.
      EXPECT_EQ(full.laps_ahead_of(lap + 5 * kLaps), distance) << lap;
    }
  }
}

TEST(SlotWordTest, TheNextLapIsFreeAndOneAheadAcrossTheWrapToo) {
  for (const std::uint64_t lap : kSomeLaps) {
    const SlotWord next = SlotWord(lap, SlotPhase::taken, 77, true).next_lap();
    EXPECT_EQ(next.laps_ahead_of(lap), 1);
    EXPECT_EQ(next.bits(), SlotWord(lap + 1, SlotPhase::free, 0).bits());
  }
}

TEST(SlotWordTest, AnotherPhaseKeepsTheLap) {
  for (const std::uint64_t lap : kSomeLaps) {
    const SlotWord word(lap, SlotPhase::ready, 5, true);
    EXPECT_EQ(word.with(SlotPhase::taken, 6, true).bits(),
              SlotWord(lap, SlotPhase::taken, 6, true).bits());
    EXPECT_EQ(word.with(SlotPhase::claimed, 7, false).bits(),
              SlotWord(lap, SlotPhase::claimed, 7).bits());
  }
}

TEST(SlotWordTest, NonsensePhasesAreNoneOfTheFour) {
  for (std::uint64_t phase = 4; phase < 8; ++phase) {
    const SlotWord word(phase << 16);
    for (const SlotPhase known : kPhases) EXPECT_NE(word.phase(), known);
  }
}

}  // namespace
}  // namespace tarn
