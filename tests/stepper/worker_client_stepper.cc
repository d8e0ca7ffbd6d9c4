// Ends a node's worker after the instructions of its handling of supervised clients: one is run,
// stopped, restarted and removed. The next worker is asked again; what was ordered is so in the
// end, the command ran when it had to, and nobody is left.
#include <fcntl.h>

#include "os/memory.h"
#include "os/run/command.h"
#include "shm/board/board_layout.h"
#include "testing/supervised.h"
#include "tests/stepper/worker_rig.h"
#include "wire/client_description.h"
#include "wire/client_messages.h"

namespace tarn::step {
namespace {

using Plan = WorkerPlan;
using layout::ClientState;

constexpr const char* kName = "sleeper";

os::UniqueFd describe_sleeper() {
  wire::ClientDescription description;
  description.arguments = {"/bin/sleep", "1000"};
  description.environment = os::own_environment();
  description.environment.push_back(std::string("TARN_CLIENT=") + kName);
  description.policy.restart = wire::RestartWhen::always;
  description.policy.limit_count = 0;
  description.policy.backoff_first_ns = description.policy.backoff_most_ns = 1'000'000;
  const auto bytes = wire::encode_description(description);
  TARN_ASSERT(bytes.has_value());
  auto memory = os::sealed_copy("tarn-description", *bytes);
  TARN_ASSERT(memory.has_value());
  return std::move(*memory);
}

// The descriptors of a request stay open while it may have to be asked again.
struct Belongings {
  os::UniqueFd description = describe_sleeper();
  os::UniqueFd directory{::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  std::vector<int> beside() const { return {description.get(), directory.get()}; }
};

wire::ClientRun run_wish(Desk& desk) {
  auto wish = wire::make<wire::ClientRun>(0);
  wire::put_text(wish.name, kName);
  wish.nonce = ++desk.nonce;
  return wish;
}

wire::ClientOrder order_wish(Desk& desk, wire::ClientWish what) {
  auto wish = wire::make<wire::ClientOrder>(0);
  wire::put_text(wish.name, kName);
  wish.nonce = ++desk.nonce;
  wish.wish = what;
  wish.force = 1;
  return wish;
}

std::optional<wire::ClientFacts> facts_of(Desk& desk) {
  auto wish = wire::make<wire::ClientGet>(0);
  wire::put_text(wish.name, kName);
  const auto got = desk.client.insist(wish).as<wire::ClientGot>();
  return got ? std::optional(got->facts) : std::nullopt;
}

std::vector<pid_t> living() {
  return testkit::processes_of_client(kName, ::getenv("XDG_RUNTIME_DIR"));
}

void await_state(Desk& desk, ClientState state) {
  EXPECT_TRUE(raw::eventually([&] {
    const auto facts = facts_of(desk);
    return facts && facts->state == static_cast<std::uint32_t>(state);
  }));
}
// It runs, one of it.
void await_running(Desk& desk) {
  await_state(desk, ClientState::running);
  EXPECT_TRUE(raw::eventually([] { return living().size() == 1; }));
}
void await_gone(Desk& desk) {
  EXPECT_TRUE(raw::eventually([&] { return !facts_of(desk); }));
  EXPECT_EQ(living().size(), 0u);
}
void run_one(Desk& desk) {
  const Belongings belongings;
  EXPECT_EQ(desk.client.insist(run_wish(desk), belongings.beside()).type(),
            MessageType::client_accepted);
  await_running(desk);
}
void remove_it(Desk& desk) {
  desk.client.insist(order_wish(desk, wire::ClientWish::remove));
  await_gone(desk);
}

class WorkerClientStepperTest : public WorkerTest {
 protected:
  static void sweep(const Plan& plan) {
    const auto count =
        sweep_at_nodes(plan.operation, [&] { return std::make_unique<WorkerWork>(plan); });
    EXPECT_GT(count.system_calls, 1u);
  }
  // An order to a client that runs; `await` says what it comes to, before it is removed.
  static void sweep_order(const char* operation, wire::ClientWish what,
                          const std::function<void(Desk&)>& await) {
    Plan plan;
    plan.operation = operation;
    plan.arrange = run_one;
    plan.send = [what](Desk& desk) { desk.ask(order_wish(desk, what)); };
    plan.finish = [await](Desk& desk) {
      desk.expect_answer(MessageType::client_accepted);
      await(desk);
    };
    sweep(plan);
  }
};

// The worker stores the client, makes a socket and starts a shepherd.
TEST_F(WorkerClientStepperTest, ClientRun) {
  auto belongings = std::make_shared<std::optional<Belongings>>();
  Plan plan;
  plan.operation = "worker: client_run";
  plan.is_done_before = true;
  plan.send = [belongings](Desk& desk) {
    belongings->emplace();
    desk.ask(run_wish(desk), (*belongings)->beside());
  };
  plan.finish = [](Desk& desk) {
    desk.expect_answer(MessageType::client_accepted);
    await_running(desk);
    remove_it(desk);
  };
  sweep(plan);
}

TEST_F(WorkerClientStepperTest, ClientOrders) {
  sweep_order("worker: client_order (stop)", wire::ClientWish::stop, [](Desk& desk) {
    await_state(desk, ClientState::stopped);
    EXPECT_EQ(living().size(), 0u);
    remove_it(desk);
  });
  sweep_order("worker: client_order (restart)", wire::ClientWish::restart, [](Desk& desk) {
    EXPECT_TRUE(raw::eventually([&] {
      const auto facts = facts_of(desk);
      return facts && facts->starts >= 2;
    }));
    await_running(desk);
    remove_it(desk);
  });
  // Asked once more after it is gone, the answer is that there is none.
  Plan plan;
  plan.operation = "worker: client_order (remove)";
  plan.arrange = run_one;
  plan.send = [](Desk& desk) { desk.ask(order_wish(desk, wire::ClientWish::remove)); };
  plan.finish = [](Desk& desk) {
    const Packet packet = desk.answer();
    EXPECT_TRUE(packet.type() == MessageType::client_accepted || packet.code() == Error::not_found)
        << packet.error().what();
    await_gone(desk);
  };
  sweep(plan);
}

TEST_F(WorkerClientStepperTest, Questions) {
  auto get = wire::make<wire::ClientGet>(0);
  wire::put_text(get.name, kName);
  Plan plan;
  plan.operation = "worker: client_get";
  plan.arrange = run_one;
  plan.send = [get](Desk& desk) { desk.ask(get); };
  plan.finish = [](Desk& desk) {
    desk.expect_answer(MessageType::client_got);
    remove_it(desk);
  };
  sweep(plan);
  plan.operation = "worker: client_list";
  plan.send = [](Desk& desk) { desk.ask(wire::make<wire::ClientList>(0)); };
  plan.finish = [](Desk& desk) {
    desk.expect_answer(MessageType::client_page);
    remove_it(desk);
  };
  sweep(plan);
}

}  // namespace
}  // namespace tarn::step
