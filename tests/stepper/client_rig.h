// client_rig.h - a client of a real node that is ended after each instruction of what it does with
// the library. Two others push and pop on, the node finds out and cleans up, and the books are
// checked.
#pragma once

#include "tests/stepper/node_rig.h"

namespace tarn::step {

// What the client that dies has. Empty in the test, filled in the process that dies.
struct Victim {
  Session session;
  Pipe work;
  Pipe next;
  Pipe made;
  Loan loan;
  std::vector<Loan> kept;
  Message message;

  void attach() { session = connect({.name = "victim", .start_node = false}); }
  void attach_and_open() {
    attach();
    work = session.pipe(kPipe);
  }
  void pop() {
    Popped popped = work.try_pop();
    TARN_ASSERT(popped.status == PopStatus::ok);
    message = std::move(popped.message);
  }
};

struct Plan {
  std::string operation;
  std::function<void(NodeRig&)> arrange = [](NodeRig&) {};  // in the rig, before
  std::function<void(Victim&, NodeRig&)> prepare;           // in the client, freely
  std::function<void(Victim&, Ledger&)> operate;            // in the client, stepped
  std::function<void(const Books&, Ledger&)> judge = [](const Books&, Ledger&) {};
  Delivery delivery = Delivery::at_most_once;
  bool exact_memory = true;  // the survivors own none
  bool makes_pipe = false;
};

class ClientWork final : public RigWork {
 public:
  explicit ClientWork(const Plan& plan) : plan_(plan), rig_(plan.delivery) {
    // What a first time brings stays: memory of the survivors, what they know of each other, marks
    // of the highest water.
    plan_.arrange(rig_);
    Tracee first(prepare_, operate_);
    first.run_to_mark();
    first.kill();
    bury(0);
    rig_.take_base();
  }

  void record(const std::function<void(std::uint64_t, bool)>& visit) override {
    rig_.clear_ledger();
    plan_.arrange(rig_);
    Tracee client(prepare_, operate_);
    ASSERT_FALSE(client.has_ended()) << "the client could not prepare itself";
    for (;;) {
      const std::uint64_t at = client.at();
      const bool is_call = client.next_system_call().has_value();
      if (client.step() != Tracee::Stop::stepped) break;
      visit(at, is_call);
    }
    EXPECT_FALSE(client.has_ended()) << "it ended by itself";
    client.kill();
    bury(0);
  }

  bool kill_after(const StepPath& path, std::uint64_t k) override {
    rig_.clear_ledger();
    plan_.arrange(rig_);
    Tracee client(prepare_, operate_);
    const bool led = path.lead(client, k);
    client.kill();
    bury(k);
    return led;
  }

 private:
  // Others go on before anybody knows of the death, or only after.
  void bury(std::uint64_t k) {
    Books books;
    if (k % 2 == 0) books.add(rig_.survivors().exchange());
    const std::uint32_t sessions = rig_.base().sessions;
    EXPECT_TRUE(raw::eventually([&] { return rig_.status().sessions == sessions; }));
    books.add(rig_.survivors().exchange());
    books.add(rig_.survivors().grant({Wish::Kind::drain_next, 0, 0}));
    rig_.expect_good(books);
    plan_.judge(books, rig_.ledger());
    if (plan_.makes_pipe) rig_.expect_good(rig_.survivors().grant({Wish::Kind::use_made, 0, 0}));
    rig_.expect_base(plan_.exact_memory);
  }

  const Plan& plan_;
  NodeRig rig_;
  Victim victim_;
  const std::function<void()> prepare_ = [this] { plan_.prepare(victim_, rig_); };
  const std::function<void()> operate_ = [this] { plan_.operate(victim_, rig_.ledger()); };
};

class ClientStepperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = testing::why_no_tracing();
    if (!reason.empty()) GTEST_SKIP() << reason;
    testkit::set_watchdog();
  }
  static StepCount sweep(const Plan& plan) {
    return sweep_at_nodes(plan.operation, [&] { return std::make_unique<ClientWork>(plan); });
  }
  // Pushes two messages, numbered from kVictims on.
  static Plan push_plan(const char* operation, std::size_t size_bytes) {
    Plan plan;
    plan.operation = operation;
    plan.prepare = [size_bytes](Victim& victim, NodeRig&) {
      victim.attach_and_open();
      victim.loan = victim.work.loan(size_bytes);  // grows; given back below: now it is warm
      victim.loan = Loan();
    };
    plan.operate = [size_bytes](Victim& victim, Ledger& ledger) {
      for (std::uint64_t i = 0; i < 2; ++i) {
        ++ledger.begun;
        TARN_ASSERT(push_number(victim.work, kVictims + i, size_bytes) == PushStatus::ok);
        ++ledger.done;
      }
    };
    plan.judge = judge_pushes;
    return plan;
  }
  static void judge_pushes(const Books& books, Ledger& ledger) {
    for (std::uint64_t i = 0; i < 2; ++i) {
      const int times = books.times(kVictims + i);
      EXPECT_LE(times, 1) << "twice";
      if (ledger.done > i) {
        EXPECT_EQ(times, 1) << "committed, and lost";
      }
      if (ledger.begun <= i) {
        EXPECT_EQ(times, 0) << "not begun, and there";
      }
    }
  }
  // Survivors push two; the victim takes the first.
  static Plan pop_plan(const char* operation, Delivery delivery, std::uint32_t size_bytes) {
    Plan plan;
    plan.operation = operation;
    plan.delivery = delivery;
    plan.exact_memory = size_bytes <= kInlineBytes;
    plan.arrange = [size_bytes](NodeRig& rig) {
      for (std::uint64_t i = 0; i < 2; ++i) {
        rig.expect_good(rig.survivors().grant({Wish::Kind::push, size_bytes, kVictims + i}));
      }
    };
    plan.prepare = [](Victim& victim, NodeRig&) { victim.attach_and_open(); };
    plan.operate = [](Victim& victim, Ledger& ledger) {
      ++ledger.begun;
      victim.pop();
      ledger.number = number_of(victim.message);
      victim.message.acknowledge();
      ++ledger.done;
      victim.message.release();
    };
    plan.judge = [delivery](const Books& books, Ledger& ledger) {
      EXPECT_EQ(books.times(kVictims + 1), 1);
      const int first = books.times(kVictims);
      EXPECT_LE(first, 1);
      if (ledger.begun == 0) {
        EXPECT_EQ(first, 1) << "lost before it was popped";
      }
      if (ledger.done == 1) {
        EXPECT_EQ(first, 0) << "came again";
      }
      if (delivery == Delivery::at_least_once && ledger.number == 0) {
        EXPECT_EQ(first, 1) << "lost without having been acknowledged";
      }
      if (delivery == Delivery::at_most_once) {
        EXPECT_FALSE(books.is_marked(kVictims));
      }
    };
    return plan;
  }
};

}  // namespace tarn::step
