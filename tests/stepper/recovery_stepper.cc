// Ends recovery itself after every instruction, lets others go on, runs it again, and audits. Also
// after deaths that were found the same way: an operation's at its k-th instruction, then that of
// the recovery of what it left at its j-th.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "shm/pipe/pipe.h"
#include "testing/clean_node.h"
#include "testing/shared_pipe.h"
#include "testing/step/stepper.h"

namespace tarn {
namespace {

using layout::SlotPhase;
using testing::pop_one;
using testing::push_number;
using testing::SharedPipe;
using testing::step_form;
using testing::StepForm;
using testing::StepPath;
using testing::Sweep;
using testing::Tracee;

constexpr std::uint16_t kVictim = 9;
constexpr std::uint16_t kSurvivor = 2;
constexpr std::uint32_t kSlots = 8;
constexpr std::uint64_t kStart = 8 * 5 + 3;

struct Delivered {
  std::uint64_t number;
  bool redelivered;
  bool operator==(const Delivered&) const = default;
};
void PrintTo(const Delivered& message, std::ostream* out) {
  *out << message.number << (message.redelivered ? " again" : "");
}

class RecoveryStepperTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const std::string reason = testing::why_no_tracing();
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
  void reset() {
    pipe.reset();
    pipe.move_to(kStart);
    items_announced = announce_sleep(pipe.view().items_bell());
    space_announced = announce_sleep(pipe.view().space_bell());
  }
  std::string name(const char* operation) const {
    return std::string(operation) + (GetParam() ? ", AtLeastOnce" : ", AtMostOnce");
  }
  std::vector<std::span<std::byte>> shared() const {
    return {{pipe.segment().base(), layout::pipe_bytes(kSlots)}};
  }
  std::vector<Delivered> pop_all() {
    std::vector<Delivered> all;
    testing::Copied found;
    while (pop_one(pipe.view(), kSurvivor, found) == SlotPop::ok) {
      all.push_back({testing::number_of(found.copy), found.word.redelivered()});
      if (GetParam()) {
        pipe.view().acknowledge(kSurvivor, found.position, found.word.redelivered());
      }
    }
    return all;
  }
  void recover_again() {
    pipe.view().recover(kVictim);
    const auto again = pipe.view().recover(kVictim);
    EXPECT_EQ(again.skipped + again.redelivered, 0u);
  }
  void expect_usable() {
    EXPECT_NE(pipe.header().items_bell.load(), items_announced) << "a consumer sleeps on";
    EXPECT_NE(pipe.header().space_bell.load(), space_announced) << "a producer sleeps on";
    EXPECT_TRUE(pipe.view().is_drained());
    EXPECT_EQ(testing::defects_of_pipe(pipe.segment(), kSlots, GetParam(), pipe.view().pipe_id()),
              "");
    for (std::uint64_t i = 0; i < 2 * kSlots; ++i) {
      ASSERT_EQ(push_number(pipe.view(), kSurvivor, i), SlotPush::ok) << i;
      ASSERT_EQ(testing::pop_number(pipe.view(), kSurvivor), static_cast<std::int64_t>(i));
    }
  }
  // A push and a pop of the one that dies.
  void act() {
    TARN_ASSERT(push_number(pipe.view(), kVictim, 7) == SlotPush::ok);
    testing::Copied found;
    TARN_ASSERT(pop_one(pipe.view(), kVictim, found) == SlotPop::ok);
    if (GetParam()) pipe.view().give_back(kVictim, found.position, false);
  }
  // Sweeps the recovery of what the operation left after its k-th instruction.
  testing::StepCount sweep_recovery_of(const StepPath& path, std::uint64_t k,
                                       const StepForm& form) {
    Sweep plan;
    plan.operation = name("recovery of a push and pop that died");
    plan.memory = shared();
    plan.prepare = [&] {
      reset();
      Tracee child([] {}, acting);
      EXPECT_TRUE(path.lead(child, k)) << k;
    };
    plan.operate = [&] { pipe.view().recover(kVictim); };
    plan.check = [&] {
      recover_again();
      EXPECT_LE(pop_all().size(), 1u);
      expect_usable();
    };
    plan.is_part = true;
    return step_through(plan, form);
  }

  // One object: its runs are compared by address.
  const std::function<void()> acting = [this] { act(); };
  SharedPipe pipe{kSlots, GetParam()};
  std::uint32_t items_announced = 0;
  std::uint32_t space_announced = 0;
};
INSTANTIATE_TEST_SUITE_P(Deliveries, RecoveryStepperTest, ::testing::Bool(), [](const auto& made) {
  return made.param ? "AtLeastOnce" : "AtMostOnce";
});

TEST_P(RecoveryStepperTest, RecoveryIsRunAgainWhereverItDies) {
  std::vector<Delivered> expected;
  Sweep plan;
  plan.operation = name("recovery of a pipe");
  plan.memory = shared();
  plan.prepare = [&] {
    reset();
    expected.clear();
    for (std::uint64_t i = 0; i < kSlots; ++i) {
      const std::uint64_t at = kStart + i;
      pipe.publish(at, kSurvivor, i);
      if (i % 3 == 0) {
        pipe.claim(at, kVictim);
      } else if (i % 3 == 1 && GetParam()) {
        pipe.set_word(at % kSlots, SlotWord(at / kSlots, SlotPhase::taken, kVictim));
        expected.push_back({i, true});
      } else {
        expected.push_back({i, false});
      }
    }
  };
  plan.operate = [&] { pipe.view().recover(kVictim); };
  plan.check = [&] {
    // A consumer goes on before the next recovery begins.
    std::vector<Delivered> all = pop_all();
    recover_again();
    const auto rest = pop_all();
    all.insert(all.end(), rest.begin(), rest.end());
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.number < b.number; });
    EXPECT_EQ(all, expected);
    expect_usable();
  };
  const auto count = step_through(plan, step_form(testing::kShortForm));
  EXPECT_GT(count.instructions, 100u);
}

// The instructions after which the operation leaves something else than before: a death at any
// other leaves what one of these left.
TEST_P(RecoveryStepperTest, WhateverAnOperationLeftIsRecoveredWhereverRecoveryDies) {
  const StepForm form = step_form(testing::kShortForm / 4);
  reset();
  StepPath path;
  std::vector<std::uint64_t> changes = {0};
  {
    Tracee child([] {}, acting);
    testing::Image image(shared());
    std::uint64_t before = image.fingerprint();
    for (;;) {
      const std::uint64_t at = child.at();
      if (child.step() != Tracee::Stop::stepped) break;
      path.add(at);
      image.take();
      if (std::exchange(before, image.fingerprint()) == image.fingerprint()) continue;
      changes.push_back(path.length());
    }
  }
  testing::StepCount sum;
  for (std::uint64_t i = form.seed % form.every; i < changes.size() && !HasFailure();
       i += form.every) {
    sum += sweep_recovery_of(path, changes[i], form.is_complete() ? form : StepForm{997, i});
  }
  note_count(sum);
  EXPECT_GT(changes.size(), 10u);
  EXPECT_GT(sum.states, 4u);
}

}  // namespace
}  // namespace tarn
