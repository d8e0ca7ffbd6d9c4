// Ends a program of PicklingTools' after the instructions of what it does with a pipe: it enqueues
// Tabs, dequeues and looks into one, hands one on as it came, and hands one on changed.
#include "compat/picklingtools/src/region/queue_back.h"
#include "compat/picklingtools/src/region/region.h"
#include "shmboot.h"
#include "tests/stepper/client_rig.h"

namespace tarn::step {
namespace {

// What a value of fill() is in PicklingTools' words.
OC::Tab table_of(std::uint64_t number) {
  OC::Tab table;
  table["number"] = number;
  table["text"] = std::string(100, 'x');
  table["within"] = OC::Tab();
  table["within"]["number"] = number;
  OC::Array<double> array(static_cast<OC::int_ptr>(kValueDoubles));
  array.fill(static_cast<double>(number));
  table["array"] = array;
  return table;
}

class PicklingToolsStepperTest : public ClientStepperTest {
 protected:
  // The queues of a program that has started, and what it has in hand.
  struct Program {
    std::unique_ptr<OC::CQ> work;
    std::unique_ptr<OC::CQ> next;
    OC::Val packet;
    OC::Val other;

    void start(Victim& victim) {
      victim.attach_and_open();
      auto region = std::make_shared<OC::detail::Region>("rig", victim.session);
      work = std::make_unique<OC::CQ>(OC::detail::pipe_queue(region, kPipe, std::nullopt));
      next = std::make_unique<OC::CQ>(OC::detail::pipe_queue(region, kNextPipe, std::nullopt));
    }
  };

  Program program_;
};

TEST_F(PicklingToolsStepperTest, EnqueueTwoTabs) {
  Plan plan = push_plan("enqueue two Tabs", kLargeBytes);
  plan.prepare = [this](Victim& victim, NodeRig&) {
    program_.start(victim);
    program_.packet = table_of(kVictims);
    program_.other = table_of(kVictims + 1);
    Value warm = victim.work.value();
    fill(warm, 1);
  };
  plan.operate = [this](Victim&, Ledger& ledger) {
    for (const OC::Val* packet : {&program_.packet, &program_.other}) {
      ++ledger.begun;
      TARN_ASSERT(program_.work->enqueue(*packet, 0));
      ++ledger.done;
    }
  };
  EXPECT_GT(sweep(plan).instructions, 1000u);
}

TEST_F(PicklingToolsStepperTest, DequeueLookAndHandOnAsItCame) {
  Plan plan;
  plan.operation = "dequeue a Tab, look, enqueue it unchanged";
  plan.prepare = [this](Victim& victim, NodeRig&) {
    program_.start(victim);
    program_.work->enq(table_of(kVictims));
  };
  plan.operate = [this](Victim&, Ledger& ledger) {
    ++ledger.begun;
    TARN_ASSERT(program_.work->dequeue(0, program_.packet));
    TARN_ASSERT(program_.packet["within"]["number"] == std::uint64_t{kVictims});
    TARN_ASSERT(program_.work->enqueue(program_.packet, 0));
    ++ledger.done;
  };
  plan.judge = [](const Books& books, Ledger& ledger) {
    EXPECT_LE(books.times(kVictims), 1) << "twice";
    if (ledger.begun == 0 || ledger.done == 1) {
      EXPECT_EQ(books.times(kVictims), 1) << "lost though it was not in hand";
    }
  };
  EXPECT_GT(sweep(plan).instructions, 1000u);
}

TEST_F(PicklingToolsStepperTest, ChangeWhatWasReceivedAndHandItOn) {
  Plan plan;
  plan.operation = "change a received Tab, enqueue it";
  plan.prepare = [this](Victim& victim, NodeRig&) {
    program_.start(victim);
    program_.work->enq(table_of(kVictims));
    program_.packet = program_.work->deq();
    Value warm = victim.work.value();
    fill(warm, 1);
  };
  plan.operate = [this](Victim&, Ledger& ledger) {
    program_.packet["number"] = std::uint64_t{kVictims + 1};
    program_.packet["within"]["number"] = std::uint64_t{kVictims + 1};
    static_cast<OC::Array<double>&>(program_.packet["array"]).clear();
    static_cast<OC::Array<double>&>(program_.packet["array"])
        .fill(static_cast<double>(kVictims + 1), static_cast<OC::int_ptr>(kValueDoubles));
    ++ledger.begun;
    TARN_ASSERT(program_.work->enqueue(program_.packet, 0));
    ++ledger.done;
    program_.packet = OC::None;
  };
  plan.judge = [](const Books& books, Ledger& ledger) {
    EXPECT_EQ(books.times(kVictims), 0) << "what was in hand came again";
    EXPECT_LE(books.times(kVictims + 1), 1) << "twice";
    if (ledger.done == 1) {
      EXPECT_EQ(books.times(kVictims + 1), 1) << "committed, and lost";
    }
    if (ledger.begun == 0) {
      EXPECT_EQ(books.times(kVictims + 1), 0) << "not begun, and there";
    }
  };
  EXPECT_GT(sweep(plan).instructions, 1000u);
}

}  // namespace
}  // namespace tarn::step
