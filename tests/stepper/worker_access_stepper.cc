// Ends a node's worker after the instructions of its handling of requests of access: rules and
// quotas come and go, the door opens and closes. The next worker is asked again, and what was asked
// for is so, once.
#include <sys/stat.h>

#include <filesystem>

#include "tests/e2e/access/private_doors.h"
#include "tests/stepper/worker_rig.h"
#include "wire/access_messages.h"

namespace tarn::step {
namespace {

using Plan = WorkerPlan;

constexpr std::uint32_t kBob = 40001;

wire::AccessSet rule_of_bob(wire::AccessChange change) {
  auto ask = wire::make<wire::AccessSet>(0);
  ask.change = change;
  ask.rule.subject = wire::SubjectKind::user;
  ask.rule.id = kBob;
  ask.rule.right = wire::AccessRight::read;
  return ask;
}

wire::AccessQuotaSet quota_of_bob(bool forget) {
  auto ask = wire::make<wire::AccessQuotaSet>(0);
  ask.uid = kBob;
  ask.forget = forget ? 1 : 0;
  ask.quota.pipes = 7;
  return ask;
}

void insist_on(Desk& desk, const wire::AccessSet& ask) {
  const Packet packet = desk.client.insist(ask);
  EXPECT_EQ(packet.type(), MessageType::done) << packet.error().what();
}

// So many rules, quotas of accounts, and an open door if there are rules.
void expect_access(Desk& desk, std::uint32_t rules, std::uint32_t accounts) {
  const auto page = desk.client.insist(wire::make<wire::AccessGet>(0)).as<wire::AccessPage>();
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->rule_count, rules);
  EXPECT_EQ(page->account_count, accounts + 1) << "with everybody's default";
  EXPECT_EQ(page->door_open, rules > 0 ? 1u : 0u);
  EXPECT_EQ(page->problem[0], '\0');
  const std::string door(wire::get_text(page->door));
  EXPECT_EQ(std::filesystem::exists(door), rules > 0);
  if (rules == 0) return;
  raw::Client visitor(door);
  EXPECT_TRUE(visitor.is_connected()) << "nobody listens at the door";
}

// A public directory of each rig's own, where its node makes its door.
class DoorWork final : public RigWork {
 public:
  explicit DoorWork(const Plan& plan) : work_(plan) {}

  void record(const std::function<void(std::uint64_t, bool)>& visit) override {
    work_.record(visit);
  }
  bool kill_after(const StepPath& path, std::uint64_t k) override {
    return work_.kill_after(path, k);
  }

 private:
  // Before the node starts, and gone after it.
  raw::PrivateDoors doors_;
  WorkerWork work_;
};

class WorkerAccessStepperTest : public WorkerTest {
 protected:
  static void sweep(const Plan& plan) {
    const auto count =
        sweep_at_nodes(plan.operation, [&] { return std::make_unique<DoorWork>(plan); });
    EXPECT_GT(count.system_calls, 1u);
  }
};

TEST_F(WorkerAccessStepperTest, AccessGet) {
  Plan plan;
  plan.operation = "worker: access_get";
  plan.send = [](Desk& desk) { desk.ask(wire::make<wire::AccessGet>(0)); };
  plan.finish = [](Desk& desk) {
    desk.expect_answer(MessageType::access_page);
    expect_access(desk, 0, 0);
  };
  sweep(plan);
}

TEST_F(WorkerAccessStepperTest, RuleThatOpensTheDoor) {
  Plan plan;
  plan.operation = "worker: access_set (put)";
  plan.is_done_before = true;
  plan.send = [](Desk& desk) { desk.ask(rule_of_bob(wire::AccessChange::put)); };
  plan.finish = [](Desk& desk) {
    desk.expect_answer(MessageType::done);
    expect_access(desk, 1, 0);
    insist_on(desk, rule_of_bob(wire::AccessChange::reset));
    expect_access(desk, 0, 0);
  };
  sweep(plan);
}

TEST_F(WorkerAccessStepperTest, RuleThatIsForgotten) {
  Plan plan;
  plan.operation = "worker: access_set (forget)";
  plan.arrange = [](Desk& desk) { insist_on(desk, rule_of_bob(wire::AccessChange::put)); };
  plan.send = [](Desk& desk) { desk.ask(rule_of_bob(wire::AccessChange::forget)); };
  plan.finish = [](Desk& desk) {
    // Asked twice because the answer was lost: then it is gone already.
    const Packet packet = desk.answer();
    EXPECT_TRUE(packet.type() == MessageType::done || packet.code() == Error::not_found);
    expect_access(desk, 0, 0);
  };
  sweep(plan);
}

TEST_F(WorkerAccessStepperTest, Reset) {
  Plan plan;
  plan.operation = "worker: access_set (reset)";
  plan.arrange = [](Desk& desk) {
    insist_on(desk, rule_of_bob(wire::AccessChange::put));
    desk.client.insist(quota_of_bob(false));
  };
  plan.send = [](Desk& desk) { desk.ask(rule_of_bob(wire::AccessChange::reset)); };
  plan.finish = [](Desk& desk) {
    desk.expect_answer(MessageType::done);
    expect_access(desk, 0, 0);
  };
  sweep(plan);
}

TEST_F(WorkerAccessStepperTest, Quotas) {
  Plan plan;
  plan.operation = "worker: access_quota_set";
  plan.is_done_before = true;
  plan.send = [](Desk& desk) { desk.ask(quota_of_bob(false)); };
  plan.finish = [](Desk& desk) {
    desk.expect_answer(MessageType::done);
    expect_access(desk, 0, 1);
    EXPECT_EQ(desk.client.insist(quota_of_bob(true)).type(), MessageType::done);
  };
  sweep(plan);

  plan.operation = "worker: access_quota_set (forget)";
  plan.arrange = [](Desk& desk) { desk.client.insist(quota_of_bob(false)); };
  plan.send = [](Desk& desk) { desk.ask(quota_of_bob(true)); };
  plan.finish = [](Desk& desk) {
    desk.expect_answer(MessageType::done);
    expect_access(desk, 0, 0);
  };
  sweep(plan);
}

}  // namespace
}  // namespace tarn::step
