// The stepper finds what it is for: operations that are wrong by one step, each as somebody might
// have written it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <vector>

#include "testing/shared_pipe.h"
#include "testing/step/stepper.h"

namespace tarn {
namespace {

using layout::SlotPhase;
using testing::number_payload;
using testing::pop_number;
using testing::push_number;
using testing::SharedPipe;
using testing::StepCount;
using testing::Sweep;
using testing::Tracee;

constexpr std::uint16_t kVictim = 9;
constexpr std::uint16_t kSurvivor = 2;
constexpr std::uint32_t kSlots = 4;

class StepperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = testing::why_no_tracing();
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
  StepCount sweep(const char* operation, std::function<void()> operate, bool is_expected_to_fail) {
    Sweep plan;
    plan.operation = operation;
    plan.memory = {{pipe.segment().base(), layout::pipe_bytes(kSlots)}};
    plan.prepare = [this] { pipe.reset(); };
    plan.operate = std::move(operate);
    plan.check = [this] { check(); };
    plan.is_expected_to_fail = is_expected_to_fail;
    plan.is_part = is_expected_to_fail;
    return step_through(plan, testing::step_form(testing::kShortForm));
  }
  // What comes is what was pushed, and the ring turns.
  void check() {
    pipe.view().recover(kVictim);
    const std::int64_t number = pop_number(pipe.view(), kSurvivor);
    EXPECT_TRUE(number == 77 || number == -1) << number;
    for (std::uint64_t i = 0; i < 2 * kSlots; ++i) {
      ASSERT_EQ(push_number(pipe.view(), kSurvivor, i), SlotPush::ok);
      ASSERT_EQ(pop_number(pipe.view(), kSurvivor), static_cast<std::int64_t>(i));
    }
  }

  SharedPipe pipe{kSlots};
};

TEST_F(StepperTest, ARightPushPasses) {
  const auto count = sweep(
      "push, right", [&] { push_number(pipe.view(), kVictim, 77); }, false);
  EXPECT_EQ(count.failures, 0u);
  EXPECT_GT(count.states, 10u);
  EXPECT_GT(count.kills, 5u);
}

TEST_F(StepperTest, APushThatPublishesBeforeItIsFilledIsFound) {
  const auto publish_first = [&] {
    pipe.slot(0).word.store(SlotWord(0, SlotPhase::claimed, kVictim).bits());
    pipe.slot(0).word.store(SlotWord(0, SlotPhase::ready, kVictim).bits());
    store_payload(pipe.slot(0), number_payload(77));
  };
  EXPECT_GT(sweep("push, published too early", publish_first, true).failures, 0u);
}

TEST_F(StepperTest, AClaimThatIsSignedAfterwardsIsFound) {
  const auto sign_later = [&] {
    pipe.slot(0).word.store(SlotWord(0, SlotPhase::claimed, 0).bits());
    pipe.slot(0).word.store(SlotWord(0, SlotPhase::claimed, kVictim).bits());
    store_payload(pipe.slot(0), number_payload(77));
    pipe.slot(0).word.store(SlotWord(0, SlotPhase::ready, kVictim).bits());
  };
  EXPECT_GT(sweep("push, claimed by nobody", sign_later, true).failures, 0u);
}

TEST_F(StepperTest, AnOperationThatEndsByItselfIsFound) {
  EXPECT_GT(sweep(
                "push, then dead", [] { ::_exit(3); }, true)
                .failures,
            0u);
}

TEST_F(StepperTest, SurvivorsThatCrashAreFound) {
  EXPECT_FALSE(testing::passes([] { ::raise(SIGSEGV); }, true));
}

// Another run ends where the first one was, whatever loops lie between, and at the same bytes.
TEST_F(StepperTest, EveryInstructionIsReachedAgainByItsLandmark) {
  Segment memory = testing::shared_memory(kPage);
  auto& word = **memory.at<std::atomic<std::uint64_t>>(0);
  char text[64];
  const auto operate = [&] {
    for (std::uint64_t i = 0; i < 40; ++i) word.fetch_add(i);
    std::snprintf(text, sizeof text, "%d of %s", 17, "many");
    asm volatile("rep stosb" ::"D"(memory.base() + 8), "a"(1), "c"(100) : "memory");
    word.fetch_add(1000);
  };
  testing::StepPath path;
  std::vector<std::uint64_t> words;
  {
    Tracee child([] {}, operate);
    do {
      path.add(child.at());
      words.push_back(word.load());
    } while (child.step() == Tracee::Stop::stepped);
  }
  ASSERT_GT(path.length(), 200u);
  for (std::uint64_t k = 0; k + 1 < path.length(); k += 7) {
    word = 0;
    Tracee child([] {}, operate);
    ASSERT_TRUE(path.lead(child, k)) << k;
    ASSERT_EQ(word.load(), words[k]) << k;
  }
}

}  // namespace
}  // namespace tarn
