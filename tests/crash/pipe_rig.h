// pipe_rig.h - a pipe of which a victim dies, survivors who go on, and a ledger of what the victim
// had begun and done.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "shm/pipe/pipe.h"
#include "testing/crash_sweep.h"
#include "testing/shared_pipe.h"
#include "testing/swept_points.h"

namespace tarn {

using layout::SlotPhase;
using testing::crash_sweep;
using testing::Death;
using testing::die_at;
using testing::number_of;
using testing::peek_outcome;
using testing::pop_one;
using testing::push_number;
using testing::SharedPipe;

inline constexpr std::uint16_t kVictim = 9;
inline constexpr std::uint16_t kSurvivor = 2;
inline constexpr std::uint16_t kSleeper = 3;
inline constexpr std::uint64_t kMessages = 3;

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
inline void PrintTo(const Delivered& message, std::ostream* out) {
  *out << message.number << (message.redelivered ? " again" : "");
}

struct Shape {
  std::uint32_t slots;
  bool at_least_once;
  std::uint64_t start;  // the first position
};
inline void PrintTo(const Shape& shape, std::ostream* out) {
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

  const testing::SweptPoints points;
  SharedPipe pipe{GetParam().slots, GetParam().at_least_once};
  Segment memory = testing::shared_memory(kPage);
  std::uint32_t items_announced = 0;
  std::uint32_t space_announced = 0;
};

inline constexpr Shape kShapes[] = {
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

}  // namespace tarn
