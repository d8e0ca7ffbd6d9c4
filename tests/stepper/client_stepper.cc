// Ends a client of a real node after the instructions of everything it does with the library: it
// attaches, loans, pushes, pops, opens and removes, and says goodbye. Two others push and pop on,
// the node finds out and cleans up, and the books are checked.
#include "shm/heap/size_class.h"
#include "tests/stepper/client_rig.h"

namespace tarn::step {
namespace {

using namespace std::chrono_literals;

TEST_F(ClientStepperTest, Attach) {
  Plan plan;
  plan.operation = "attach";
  plan.prepare = [](Victim&, NodeRig&) {};
  plan.operate = [](Victim& victim, Ledger&) { victim.attach(); };
  EXPECT_GT(sweep(plan).system_calls, 10u);
}

TEST_F(ClientStepperTest, Detach) {
  Plan plan;
  plan.operation = "detach";
  plan.prepare = [](Victim& victim, NodeRig&) { victim.attach_and_open(); };
  plan.operate = [](Victim& victim, Ledger&) {
    victim.work = Pipe();
    victim.session = Session();
  };
  sweep(plan);
}

TEST_F(ClientStepperTest, PushInTheSlot) { sweep(push_plan("push in the slot, twice", 16)); }

TEST_F(ClientStepperTest, PushByReference) {
  sweep(push_plan("loan, push by reference, twice", kLargeBytes));
}

TEST_F(ClientStepperTest, LoanThatGrows) {
  Plan plan = push_plan("loan that grows a slab, push", kLargeBytes);
  plan.prepare = [](Victim& victim, NodeRig&) { victim.attach_and_open(); };
  plan.operate = [](Victim& victim, Ledger& ledger) {
    ++ledger.begun;
    TARN_ASSERT(push_number(victim.work, kVictims, kLargeBytes) == PushStatus::ok);
    ++ledger.done;
  };
  EXPECT_GT(sweep(plan).system_calls, 3u);
}

// All its memory is loaned or was pushed: it has to find out what has come back.
TEST_F(ClientStepperTest, LoanThatLooks) {
  Plan plan = push_plan("loan that looks who holds what, push", kLargeBytes);
  plan.prepare = [](Victim& victim, NodeRig& rig) {
    victim.attach_and_open();
    for (std::uint64_t i = 0; i < 4; ++i) {
      TARN_ASSERT(push_number(victim.work, kVictims + 10 + i, kLargeBytes) == PushStatus::ok);
    }
    rig.survivors().exchange();
    constexpr std::size_t kChunks = next_slab_chunks(size_class_of(kLargeBytes).chunk_bytes, 0);
    for (std::size_t i = 4; i < kChunks; ++i) victim.kept.push_back(victim.work.loan(kLargeBytes));
  };
  EXPECT_GT(sweep(plan).system_calls, 3u);
}

TEST_F(ClientStepperTest, LoanGivenBack) {
  Plan plan = push_plan("loan and give back", kLargeBytes);
  plan.operate = [](Victim& victim, Ledger&) {
    victim.loan = victim.work.loan(kLargeBytes);
    victim.loan = Loan();
  };
  sweep(plan);
}

TEST_F(ClientStepperTest, PopInTheSlot) {
  sweep(pop_plan("pop in the slot, at most once", Delivery::at_most_once, 16));
}

TEST_F(ClientStepperTest, PopInTheSlotAtLeastOnce) {
  sweep(pop_plan("pop in the slot, acknowledge", Delivery::at_least_once, 16));
}

TEST_F(ClientStepperTest, PopThatMeetsASlab) {
  sweep(pop_plan("pop by reference that meets a slab", Delivery::at_most_once, kLargeBytes));
}

TEST_F(ClientStepperTest, PopByReferenceAtLeastOnce) {
  Plan plan =
      pop_plan("pop by reference, acknowledge, release", Delivery::at_least_once, kLargeBytes);
  plan.prepare = [](Victim& victim, NodeRig&) {
    victim.attach_and_open();
    // It meets the slab, and gives the message back: marked, and first again.
    victim.pop();
    victim.message.release();
  };
  sweep(plan);
}

TEST_F(ClientStepperTest, GiveBack) {
  Plan plan = pop_plan("pop and give back", Delivery::at_least_once, 16);
  plan.operate = [](Victim& victim, Ledger& ledger) {
    ++ledger.begun;
    victim.pop();
    victim.message.release();
  };
  plan.judge = [](const Books& books, Ledger&) {
    EXPECT_EQ(books.times(kVictims), 1);
    EXPECT_EQ(books.times(kVictims + 1), 1);
    EXPECT_FALSE(books.is_marked(kVictims + 1));
  };
  sweep(plan);
}

TEST_F(ClientStepperTest, Forward) {
  Plan plan = pop_plan("forward a held message", Delivery::at_least_once, kLargeBytes);
  plan.prepare = [](Victim& victim, NodeRig&) {
    victim.attach_and_open();
    victim.next = victim.session.pipe(kNextPipe);
    victim.pop();
  };
  plan.operate = [](Victim& victim, Ledger& ledger) {
    ++ledger.begun;
    TARN_ASSERT(victim.next.push(victim.message) == PushStatus::ok);
    ++ledger.done;
    victim.message.acknowledge();
    ++ledger.number;
    victim.message.release();
  };
  plan.judge = [](const Books& books, Ledger& ledger) {
    const int first = books.times(kVictims);
    EXPECT_EQ(books.times(kVictims + 1), 1);
    EXPECT_GE(first, 1) << "lost on the way";
    EXPECT_LE(first, 2);
    if (ledger.begun == 0 || ledger.number == 1) {
      EXPECT_EQ(first, 1);
    }
  };
  sweep(plan);
}

TEST_F(ClientStepperTest, CreatePipe) {
  Plan plan;
  plan.operation = "create a pipe";
  plan.makes_pipe = true;
  plan.prepare = [](Victim& victim, NodeRig&) { victim.attach(); };
  plan.operate = [](Victim& victim, Ledger&) { victim.made = victim.session.pipe(kMadePipe); };
  EXPECT_GT(sweep(plan).system_calls, 3u);
}

TEST_F(ClientStepperTest, OpenAndLeavePipe) {
  Plan plan;
  plan.operation = "open and leave a pipe";
  plan.prepare = [](Victim& victim, NodeRig&) { victim.attach(); };
  plan.operate = [](Victim& victim, Ledger&) {
    victim.work = victim.session.pipe(kPipe);
    victim.work = Pipe();
  };
  sweep(plan);
}

TEST_F(ClientStepperTest, RemovePipe) {
  Plan plan;
  plan.operation = "close and remove a pipe";
  plan.makes_pipe = true;
  plan.prepare = [](Victim& victim, NodeRig&) {
    victim.attach();
    victim.made = victim.session.pipe(kMadePipe);
    TARN_ASSERT(push_number(victim.made, kVictims, 16) == PushStatus::ok);
  };
  plan.operate = [](Victim& victim, Ledger&) {
    victim.made.close();
    victim.session.remove_pipe(kMadePipe);
  };
  sweep(plan);
}

TEST_F(ClientStepperTest, PushThatSleeps) {
  Plan plan = push_plan("push into a full pipe, sleep, give up", 16);
  plan.prepare = [](Victim& victim, NodeRig&) {
    victim.attach_and_open();
    while (push_number(victim.work, kVictims + 50, 16) == PushStatus::ok) continue;
  };
  plan.operate = [](Victim& victim, Ledger&) {
    const std::uint64_t number = kVictims + 1;
    TARN_ASSERT(victim.work.push_object(number, 1ms) == PushStatus::timed_out);
  };
  sweep(plan);
}

TEST_F(ClientStepperTest, PopThatSleeps) {
  Plan plan;
  plan.operation = "pop from an empty pipe, sleep, give up";
  plan.prepare = [](Victim& victim, NodeRig&) { victim.attach_and_open(); };
  plan.operate = [](Victim& victim, Ledger&) {
    TARN_ASSERT(victim.work.pop(1ms).status == PopStatus::timed_out);
  };
  sweep(plan);
}

}  // namespace
}  // namespace tarn::step
