// supervision_stress.cc - command, shepherd, worker and keeper are killed at random, in any order,
// also while the client is being stopped and restarted: no process is left over, none runs twice,
// and what the node says is true.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

#include "os/process.h"
#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/supervised.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;

constexpr int kRounds = 60;
constexpr int kNodes = 12;

class SupervisionStress : public testkit::NodeTest {
 protected:
  static constexpr const char* kName = "victim";

  SupervisionStress() {
    const char* wish = std::getenv("TARN_SEED");
    const auto seed = wish != nullptr ? std::strtoull(wish, nullptr, 10) : std::random_device()();
    std::printf("seed %llu: run again with TARN_SEED=%llu\n", static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(seed));
    random_.seed(seed);
  }

  Client run() {
    const std::vector<std::string> command{"/bin/sh", "-c",
                                           "sleep 1000 & setsid sleep 1000 & wait"};
    return run_client({}, kName, command, testkit::tireless());
  }
  std::vector<pid_t> living() { return testkit::processes_of_client(kName, domain_.folder()); }
  int roll(int sides) { return static_cast<int>(random_() % static_cast<unsigned>(sides)); }

  void kill_somebody(const ClientStatus& status, pid_t worker) {
    const std::vector<pid_t> all = living();
    const int choice = roll(8);
    if (choice <= 2 && status.pid != 0) ::kill(status.pid, SIGKILL);
    if ((choice == 2 || choice == 3) && !all.empty()) {
      ::kill(all[static_cast<std::size_t>(roll(static_cast<int>(all.size())))], SIGKILL);
    }
    if (choice >= 4 && choice <= 6 && status.shepherd_pid != 0)
      ::kill(status.shepherd_pid, SIGKILL);
    if (choice >= 6) ::kill(worker, SIGKILL);
  }
  pid_t worker() { return connect({.observer = true}).status().worker_pid; }

  // It runs, once; what else there is, it has started itself; and the node says so.
  void expect_one(Client& client) {
    testkit::await([&] {
      const ClientStatus status = client.status();
      const std::vector<pid_t> all = living();
      const auto command = os::identify(status.pid);
      return status.state == ClientState::running && command && all.size() <= 3 &&
             std::find(all.begin(), all.end(), status.pid) != all.end() &&
             std::all_of(all.begin(), all.end(), [&](pid_t pid) {
               const auto each = os::identify(pid);
               return each && each->start_ticks >= command->start_ticks;
             });
    });
  }

  std::mt19937_64 random_;
};

TEST_F(SupervisionStress, WhoeverIsKilledTheClientRunsOnce) {
  start_node();
  Client client = run();
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    expect_one(client);
    kill_somebody(client.status(), worker());
  }
  expect_one(client);
  EXPECT_EQ(client.stop().state, ClientState::stopped);
  EXPECT_TRUE(living().empty());
}

TEST_F(SupervisionStress, OrdersHoldWhoeverIsKilledMeanwhile) {
  start_node();
  Client client = run();
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    const ClientStatus before = client.status();
    const pid_t worker_before = worker();
    const auto pause = std::chrono::microseconds(roll(3000));
    std::thread killer([&] {
      std::this_thread::sleep_for(pause);
      kill_somebody(before, worker_before);
    });
    const bool stops = roll(2) == 0;
    const ClientStatus after = stops ? client.stop() : client.restart();
    killer.join();
    if (stops) {
      EXPECT_EQ(after.state, ClientState::stopped);
      testkit::await([&] { return client.status().state == ClientState::stopped; });
      EXPECT_TRUE(living().empty());
    } else {
      expect_one(client);
    }
  }
  client.remove(true);
  EXPECT_TRUE(living().empty());
}

TEST_F(SupervisionStress, NothingIsLeftOfANodeThatWasKilled) {
  for (int round = 0; round < kNodes; ++round) {
    SCOPED_TRACE(round);
    start_node();
    Client client = run();
    expect_one(client);
    const pid_t keeper = domain_.keeper_pid();
    const ClientStatus status = client.status();
    const pid_t worker_pid = worker();
    std::vector<pid_t> victims{keeper};
    if (roll(2) == 0) victims.push_back(worker_pid);
    if (roll(2) == 0) victims.push_back(status.pid);
    std::shuffle(victims.begin(), victims.end(), random_);
    for (const pid_t victim : victims) ::kill(victim, SIGKILL);
    // The shepherd learns it from its socket, and ends the command and all of its own.
    testkit::await([&] { return living().empty(); });
    testkit::await([&] { return !testkit::has_program(status.shepherd_pid); });
    domain_.stop();
  }
  start_node();  // to be stopped in order, and to tidy up
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }
