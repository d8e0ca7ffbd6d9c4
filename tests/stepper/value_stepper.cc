// Ends a client after the instructions of what it does with values: it builds one that grows from
// one loan into the next, hands it over, receives one, and edits it.
#include "tests/stepper/client_rig.h"

namespace tarn::step {
namespace {

class ValueStepperTest : public ClientStepperTest {
 protected:
  // Two values are pushed, or one that was received is changed and passed on.
  static Plan build_plan(const char* operation) {
    Plan plan = push_plan(operation, kLargeBytes);
    plan.prepare = [](Victim& victim, NodeRig&) {
      victim.attach_and_open();
      // The memory that it will grow through is warm.
      Value value = victim.work.value();
      fill(value, 1);
    };
    plan.operate = [](Victim& victim, Ledger& ledger) {
      Value value = victim.work.value();
      for (std::uint64_t i = 0; i < 2; ++i) {
        fill(value, kVictims + i);
        ++ledger.begun;
        TARN_ASSERT(victim.work.try_push(std::move(value)) == PushStatus::ok);
        ++ledger.done;
      }
    };
    return plan;
  }
};

TEST_F(ValueStepperTest, BuildGrowAndHandOver) {
  EXPECT_GT(sweep(build_plan("build values that grow, push, twice")).instructions, 1000u);
}

TEST_F(ValueStepperTest, BuildInMemoryThatIsNotThereYet) {
  Plan plan = build_plan("build values in a session without slabs, push, twice");
  plan.prepare = [](Victim& victim, NodeRig&) { victim.attach_and_open(); };
  EXPECT_GT(sweep(plan).system_calls, 3u);
}

TEST_F(ValueStepperTest, DropOneThatWasNotPushed) {
  Plan plan = build_plan("build a value and drop it");
  plan.operate = [](Victim& victim, Ledger&) {
    Value value = victim.work.value();
    fill(value, kVictims);
  };
  sweep(plan);
}

TEST_F(ValueStepperTest, EditAndPassOn) {
  Plan plan = build_plan("receive a value, edit it, push it");
  plan.delivery = Delivery::at_least_once;
  plan.prepare = [](Victim& victim, NodeRig&) {
    victim.attach_and_open();
    Value value = victim.work.value();
    fill(value, kVictims);
    TARN_ASSERT(victim.work.try_push(std::move(value)) == PushStatus::ok);
    victim.pop();
  };
  plan.operate = [](Victim& victim, Ledger& ledger) {
    Value value = victim.session.edit(victim.message);
    fill(value, kVictims + 1);
    ++ledger.begun;
    TARN_ASSERT(victim.work.try_push(std::move(value)) == PushStatus::ok);
    ++ledger.done;
    victim.message.acknowledge();
    ++ledger.number;
  };
  // The old one comes again until it is acknowledged; between the two steps there may be both.
  plan.judge = [](const Books& books, Ledger& ledger) {
    const int before = books.times(kVictims);
    const int after = books.times(kVictims + 1);
    EXPECT_LE(before, 1);
    EXPECT_LE(after, 1);
    EXPECT_GE(before + after, 1) << "lost on the way";
    if (ledger.done == 0 && ledger.begun == 0) {
      EXPECT_EQ(before, 1) << "lost before anything came of it";
    }
    if (ledger.done == 1) {
      EXPECT_EQ(after, 1) << "committed, and lost";
    }
    if (ledger.number == 1) {
      EXPECT_EQ(before, 0) << "came again";
    }
  };
  sweep(plan);
}

}  // namespace
}  // namespace tarn::step
