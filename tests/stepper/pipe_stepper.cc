// Ends a session after every instruction of every operation on a pipe, lets two others push and pop
// on, recovers, and audits: what was committed comes out once, what was not does not, and the pipe
// goes on.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "shm/pipe/pipe.h"
#include "testing/clean_node.h"
#include "testing/shared_pipe.h"
#include "testing/step/stepper.h"

namespace tarn {
namespace {

using layout::SlotPhase;
using testing::number_of;
using testing::peek_outcome;
using testing::pop_one;
using testing::push_number;
using testing::SharedPipe;
using testing::StepCount;
using testing::StepForm;
using testing::Sweep;

constexpr std::uint16_t kVictim = 9;
constexpr std::uint16_t kSurvivor = 2;
constexpr std::uint64_t kVictims = 100;     // the numbers that the victim pushes begin here
constexpr std::uint64_t kAfterDeath = 200;  // and here those that survivors push after it

// What the victim says before and after each of its steps; `number` is of the message it popped.
struct Ledger {
  std::atomic<std::uint64_t> begun;
  std::atomic<std::uint64_t> done;
  std::atomic<std::uint64_t> number;
};

struct Shape {
  const char* name;
  std::uint32_t slots;
  bool at_least_once;
  std::uint64_t start;  // the first position
};
void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }
constexpr Shape kShapes[] = {{"AtMostOnce", 8, false, 1'000'003},
                             {"AtLeastOnce", 8, true, 6},
                             {"LapsWrapAround", 7, false, 7 * ((std::uint64_t{1} << 40) - 1) + 3}};

class PipeStepperTest : public ::testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    const std::string reason = testing::why_no_tracing();
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
  // The survivors' two first messages, and somebody who sleeps at each end.
  void reset() {
    pipe.reset();
    pipe.move_to(GetParam().start);
    ledger().begun = 0;
    ledger().done = 0;
    ledger().number = 0;
    push_number(pipe.view(), kSurvivor, 0);
    push_number(pipe.view(), kSurvivor, 1);
    items_announced = announce_sleep(pipe.view().items_bell());
    space_announced = announce_sleep(pipe.view().space_bell());
  }
  Ledger& ledger() { return **memory.at<Ledger>(0); }
  StepCount sweep(const char* operation, std::function<void()> operate,
                  std::function<void()> check) {
    const std::string name = std::string(operation) + ", " + GetParam().name;
    const std::vector<std::span<std::byte>> shared = {
        {pipe.segment().base(), layout::pipe_bytes(GetParam().slots)}, {memory.base(), 64}};
    return step_through({name, shared, [this] { reset(); }, std::move(operate), std::move(check)},
                        testing::step_form(testing::kShortForm));
  }

  // Pops until the pipe is empty, and notes how often each number came and whether it was marked.
  void pop_all() {
    testing::Copied found;
    while (pop_one(pipe.view(), kSurvivor, found) == SlotPop::ok) {
      ++came[number_of(found.copy)];
      if (found.word.redelivered()) ++marked[number_of(found.copy)];
      if (pipe.view().at_least_once()) {
        pipe.view().acknowledge(kSurvivor, found.position, found.word.redelivered());
      }
    }
  }
  // Before anybody knows of the death, others push and pop; then it is known and recovered from.
  void go_on_and_recover() {
    const bool open = !pipe.view().is_closed();
    const SlotPush pushed = push_number(pipe.view(), kSurvivor, kAfterDeath);
    EXPECT_EQ(pushed, open ? SlotPush::ok : SlotPush::closed);
    pop_all();
    pipe.view().recover(kVictim);
    const auto again = pipe.view().recover(kVictim);
    EXPECT_EQ(again.skipped + again.redelivered, 0u);
    pop_all();
    if (open) {
      EXPECT_EQ(came[kAfterDeath], 1);
    }
  }
  // Nothing is pending, nobody sleeps on, and every slot can be used, in order.
  void expect_usable() {
    EXPECT_NE(pipe.header().items_bell.load(), items_announced) << "a consumer sleeps on";
    EXPECT_NE(pipe.header().space_bell.load(), space_announced) << "a producer sleeps on";
    EXPECT_EQ(peek_outcome(pipe.view()),
              pipe.view().is_closed() ? SlotPop::closed : SlotPop::empty);
    EXPECT_TRUE(pipe.view().is_drained());
    EXPECT_EQ(testing::defects_of_pipe(pipe.segment(), GetParam().slots, GetParam().at_least_once,
                                       pipe.view().pipe_id()),
              "");
    if (pipe.view().is_closed()) return;
    for (int lap = 0; lap < 2; ++lap) {
      for (std::uint64_t i = 0; i < GetParam().slots; ++i) {
        ASSERT_EQ(push_number(pipe.view(), kSurvivor, i), SlotPush::ok) << "slot " << i;
      }
      EXPECT_EQ(push_number(pipe.view(), kSurvivor, 0), SlotPush::full);
      for (std::uint64_t i = 0; i < GetParam().slots; ++i) {
        EXPECT_EQ(testing::pop_number(pipe.view(), kSurvivor), static_cast<std::int64_t>(i));
      }
    }
  }
  void expect_each_once(std::initializer_list<std::uint64_t> numbers) {
    for (const std::uint64_t number : numbers) EXPECT_EQ(came[number], 1) << "number " << number;
  }
  void expect_nothing_invented() {
    for (const auto& [number, times] : came) {
      const bool known =
          number <= 1 || number == kVictims || number == kVictims + 1 || number == kAfterDeath;
      EXPECT_TRUE(known || times == 0) << "number " << number;
      EXPECT_LE(times, 1) << "number " << number;
    }
  }
  // What the victim said it has pushed is there; what it had not begun is not.
  void expect_pushed() {
    for (std::uint64_t i = 0; i < 2; ++i) {
      const int times = came[kVictims + i];
      if (ledger().done > i) {
        EXPECT_EQ(times, 1) << "committed, and lost: " << i;
      } else if (ledger().begun <= i) {
        EXPECT_EQ(times, 0) << "not begun, and there: " << i;
      }
      EXPECT_EQ(marked[kVictims + i], 0);
    }
  }
  void pop_as_victim(bool acknowledges) {
    ++ledger().begun;
    testing::Copied found;
    TARN_ASSERT(pop_one(pipe.view(), kVictim, found) == SlotPop::ok);
    ledger().number = number_of(found.copy) + 1;
    if (acknowledges && pipe.view().at_least_once()) {
      pipe.view().acknowledge(kVictim, found.position, found.word.redelivered());
    }
    ++ledger().done;
  }
  // Of the survivors' two messages one may have been in its hands.
  void expect_popped() {
    const int there = came[0] + came[1];
    if (ledger().done == 1) {
      EXPECT_EQ(came[ledger().number - 1], 0) << "what it had acknowledged came again";
      EXPECT_EQ(there, 1);
    } else if (ledger().begun == 0) {
      EXPECT_EQ(there, 2);
      EXPECT_EQ(marked[0] + marked[1], 0);
    } else {
      EXPECT_GE(there, 1) << "more was lost than was in its hands";
      // Between the acknowledgement and saying so nobody else can know.
      if (pipe.view().at_least_once() && ledger().number == 0) {
        EXPECT_EQ(there, 2);
      }
    }
  }

  SharedPipe pipe{GetParam().slots, GetParam().at_least_once};
  Segment memory = testing::shared_memory(kPage);
  std::uint32_t items_announced = 0;
  std::uint32_t space_announced = 0;
  std::map<std::uint64_t, int> came;
  std::map<std::uint64_t, int> marked;
};
INSTANTIATE_TEST_SUITE_P(Shapes, PipeStepperTest, ::testing::ValuesIn(kShapes),
                         [](const auto& made) { return made.param.name; });

TEST_P(PipeStepperTest, PushInTheSlot) {
  const auto count = sweep(
      "push in the slot, twice",
      [&] {
        for (std::uint64_t i = 0; i < 2; ++i) {
          ++ledger().begun;
          TARN_ASSERT(push_number(pipe.view(), kVictim, kVictims + i) == SlotPush::ok);
          ++ledger().done;
        }
      },
      [&] {
        go_on_and_recover();
        expect_each_once({0, 1});
        expect_pushed();
        expect_nothing_invented();
        expect_usable();
      });
  EXPECT_GT(count.instructions, 100u);
}

TEST_P(PipeStepperTest, PopInTheSlot) {
  const auto count = sweep(
      "pop in the slot", [&] { pop_as_victim(true); },
      [&] {
        go_on_and_recover();
        expect_popped();
        expect_nothing_invented();
        expect_usable();
      });
  EXPECT_GT(count.instructions, 50u);
}

TEST_P(PipeStepperTest, PopAndGiveBack) {
  if (!GetParam().at_least_once) return;
  sweep(
      "give back",
      [&] {
        testing::Copied found;
        TARN_ASSERT(pop_one(pipe.view(), kVictim, found) == SlotPop::ok);
        pipe.view().give_back(kVictim, found.position, found.word.redelivered());
        ++ledger().done;
      },
      [&] {
        const bool was_given_back = ledger().done == 1;
        go_on_and_recover();
        expect_each_once({0, 1});
        EXPECT_LE(marked[0], 1);
        EXPECT_EQ(marked[1], 0);
        if (was_given_back) {
          EXPECT_EQ(marked[0], 1);
        }
        expect_nothing_invented();
        expect_usable();
      });
}

TEST_P(PipeStepperTest, Close) {
  sweep(
      "close", [&] { pipe.view().close(); },
      [&] {
        go_on_and_recover();
        expect_each_once({0, 1});
        expect_nothing_invented();
        expect_usable();
      });
}

TEST_P(PipeStepperTest, PushIntoAPipeThatIsClosedMeanwhile) {
  sweep(
      "push, close, push",
      [&] {
        ++ledger().begun;
        TARN_ASSERT(push_number(pipe.view(), kVictim, kVictims) == SlotPush::ok);
        ++ledger().done;
        pipe.view().close();
        TARN_ASSERT(push_number(pipe.view(), kVictim, kVictims + 1) == SlotPush::closed);
      },
      [&] {
        go_on_and_recover();
        expect_each_once({0, 1});
        expect_pushed();
        EXPECT_EQ(came[kVictims + 1], 0);
        expect_nothing_invented();
        expect_usable();
      });
}

TEST_P(PipeStepperTest, PushIntoAFullPipeThatSleeps) {
  sweep(
      "push into a full pipe: fill, announce, sleep",
      [&] {
        std::uint64_t filled = 2;
        while (push_number(pipe.view(), kVictim, kVictims + filled) == SlotPush::ok) ++filled;
        const std::uint32_t announced = announce_sleep(pipe.view().space_bell());
        sleep_on(pipe.view().space_bell(), announced, Deadline::in(std::chrono::milliseconds(1)));
        TARN_ASSERT(push_number(pipe.view(), kVictim, 0) == SlotPush::full);
      },
      [&] {
        pop_all();
        go_on_and_recover();
        expect_each_once({0, 1});
        for (const auto& [number, times] : came) EXPECT_LE(times, 1) << number;
        expect_usable();
      });
}

// The message arrives just when the sleeper is about to sleep: it was rung for, and dies.
TEST_P(PipeStepperTest, PopThatSleepsAndIsWoken) {
  bool arrived = false;
  Sweep plan;
  plan.operation = std::string("pop that sleeps and is woken, ") + GetParam().name;
  plan.memory = {{pipe.segment().base(), layout::pipe_bytes(GetParam().slots)},
                 {memory.base(), 64}};
  plan.prepare = [&] {
    reset();
    pop_all();
    came.clear();
    arrived = false;
  };
  plan.operate = [&] {
    const std::uint32_t announced = announce_sleep(pipe.view().items_bell());
    TARN_ASSERT(peek_outcome(pipe.view()) == SlotPop::empty);
    sleep_on(pipe.view().items_bell(), announced, Deadline::in(std::chrono::seconds(10)));
    pop_as_victim(true);
  };
  plan.before_system_call = [&](long) {
    if (!arrived) TARN_ASSERT(push_number(pipe.view(), kSurvivor, 0) == SlotPush::ok);
    arrived = true;
    items_announced = pipe.header().items_bell.load() | kSleepers;
  };
  plan.check = [&] {
    const std::uint64_t begun = ledger().begun;
    const bool marks = ledger().number != 0;
    go_on_and_recover();
    if (!arrived) {
      EXPECT_EQ(came[0], 0);
    } else if (begun == 0 || (GetParam().at_least_once && !marks)) {
      EXPECT_EQ(came[0], 1) << "a killed sleeper took its wake-up along";
    } else if (ledger().done == 1) {
      EXPECT_EQ(came[0], 0);
    }
    expect_nothing_invented();
    expect_usable();
  };
  const auto count = step_through(plan, testing::step_form(testing::kShortForm));
  EXPECT_TRUE(arrived);
  EXPECT_GE(count.system_calls, 1u);
}

TEST_P(PipeStepperTest, DrainThatDiesIsRunAgain) {
  sweep(
      "drain", [&] { pipe.view().drain(); },
      [&] {
        pipe.view().drain();
        pop_all();
        EXPECT_EQ(came[0] + came[1], 0);
        expect_usable();
      });
}

}  // namespace
}  // namespace tarn
