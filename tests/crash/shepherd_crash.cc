// The shepherd, or the worker, dies at every crash point of a supervised client's life: it is run,
// killed, restarted, stopped, restarted and removed. Whatever the point, what was asked for is so
// in the end, and nobody is left.

#include <gtest/gtest.h>

#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/supervised.h"
#include "testing/swept_points.h"

namespace tarn {
namespace {

class ShepherdCrashTest : public testkit::NodeTest {
 protected:
  static constexpr const char* kName = "victim";
  inline static const std::vector<std::string> kCommand{"/bin/sh", "-c",
                                                        "echo begin; sleep 1000 & wait"};

  std::size_t living() { return testkit::processes_of_client(kName, domain_.folder()).size(); }

  void start_armed(const char* variable, const std::string& prefix, int crash_at) {
    testkit::ChildTraits traits;
    traits.before_exec = [&] {
      ::setenv(variable, (prefix + ':' + std::to_string(crash_at)).c_str(), 1);
    };
    start_node({}, traits);
  }
  // Of shepherds.
  static int deaths_in(const std::string& log) {
    static const std::string kWords = "the shepherd of client 'victim' died";
    int deaths = 0;
    for (auto at = log.find(kWords); at != std::string::npos; at = log.find(kWords, at + 1)) {
      ++deaths;
    }
    return deaths;
  }

  // True when somebody died at the point.
  bool one_life(const std::string& prefix, int crash_at) {
    start_armed("TARN_CRASH_AT", prefix, crash_at);
    const std::size_t log_bytes = domain_.log().size();
    live();
    const bool worker_died = connect({.observer = true}).status().worker_starts > 1;
    EXPECT_TRUE(domain_.stop().is_success());
    EXPECT_EQ(living(), 0u);
    return worker_died || deaths_in(domain_.log().substr(log_bytes)) > 0;
  }

  // The first is killed while the command runs; the next one ends what that left, and dies at it.
  // True when it did.
  bool one_inheritance(const std::string& prefix, int crash_at) {
    SCOPED_TRACE(prefix + " point " + std::to_string(crash_at));
    testkit::set_watchdog();
    const std::size_t log_bytes = domain_.log().size();
    start_armed("TARN_CRASH_SUCCESSOR", prefix, crash_at);
    Client client = run_client({}, kName, kCommand, testkit::tireless());
    const pid_t first = await_other_command(client, 0);
    ::kill(client.status().shepherd_pid, SIGKILL);
    await_other_command(client, first);
    EXPECT_EQ(client.stop().state, ClientState::stopped);
    EXPECT_EQ(living(), 0u);
    client.remove(true);
    EXPECT_TRUE(domain_.stop().is_success());
    return deaths_in(domain_.log().substr(log_bytes)) > 1;
  }

  void live() {
    Client client = run_client({}, kName, kCommand, testkit::tireless());
    const pid_t first = await_other_command(client, 0);
    ::kill(first, SIGKILL);
    const pid_t second = await_other_command(client, first);
    client.restart();
    await_other_command(client, second);
    EXPECT_EQ(client.stop().state, ClientState::stopped);
    EXPECT_EQ(living(), 0u);
    client.restart();
    await_other_command(client, 0);
    client.remove(true);
    EXPECT_EQ(living(), 0u);
    EXPECT_TRUE(list_clients({}).empty());
  }

  // The pid of a command that runs with all that it starts, and is not `former`.
  pid_t await_other_command(Client& client, pid_t former) {
    pid_t pid = 0;
    testkit::await([&] {
      const ClientStatus status = client.status();
      pid = status.pid;
      return status.state == ClientState::running && pid != former && living() == 2;
    });
    return pid;
  }

  void sweep(const std::string& prefix, int least) {
    int crash_at = 1;
    for (;; ++crash_at) {
      SCOPED_TRACE(prefix + " point " + std::to_string(crash_at));
      testkit::set_watchdog();
      if (!one_life(prefix, crash_at) || HasFailure()) break;
    }
    // Otherwise the sweep would prove nothing.
    EXPECT_GT(crash_at, least);
    RecordProperty("crash_points", std::to_string(crash_at - 1));
  }

  const testing::SweptPoints points_;
};

TEST_F(ShepherdCrashTest, ShepherdMayDieAtEveryPoint) {
  sweep("shepherd.", 20);
  points_.expect_all({"shepherd.board.written", "shepherd.log.written", "shepherd.start.announced",
                      "shepherd.start.named", "shepherd.end.begun", "shepherd.decide.ended"});
}

TEST_F(ShepherdCrashTest, WorkerMayDieAtEveryPointOfSupervision) {
  sweep("supervision.", 10);
  points_.expect_all({"supervision.run.stored", "supervision.order.stored",
                      "supervision.spawn.stored", "supervision.spawn.spawned",
                      "supervision.report.stored", "supervision.forget.dropped",
                      "supervision.remove.board_dropped"});
}

// A job that has done its work is not done again because its shepherd died over what it left.
TEST_F(ShepherdCrashTest, AnEndThatWasSeenIsNotForgotten) {
  start_armed("TARN_CRASH_AT", "shepherd.command.", 1);
  ClientOptions options = testkit::tireless();
  options.restart = RestartRule::on_failure;
  Client client = run_client({}, kName, {"/bin/sh", "-c", "setsid sleep 1000 & exit 0"}, options);
  testkit::await([&] { return client.status().state == ClientState::finished; });
  EXPECT_EQ(client.status().starts, 1u);
  EXPECT_EQ(client.status().exit_status, 0);
  EXPECT_EQ(client.status().exit_signal, 0);
  EXPECT_EQ(living(), 0u);
  points_.expect_all({"shepherd.command.ended"});
}

// Who was told that the node ends is not followed by a new worker.
TEST_F(ShepherdCrashTest, WorkerMayDieWhileTheNodeEnds) {
  for (const std::string prefix : {"shutdown.", "node.end."}) {
    SCOPED_TRACE(prefix);
    start_armed("TARN_CRASH_AT", prefix, 1);
    Client client = run_client({}, kName, kCommand, testkit::tireless());
    await_other_command(client, 0);
    try {
      stop_node({}, true);
    } catch (const Error&) {
      // The worker died before it could answer.
    }
    testkit::await([&] { return living() == 0; });
    EXPECT_TRUE(domain_.stop().is_success());
  }
  points_.expect_all({"shutdown.told", "node.end.told"});
}

// What it writes into the log, and how often it looks, depends on the moment: so the points that
// matter are asked for by name as well.
TEST_F(ShepherdCrashTest, SuccessorMayDieAtEveryPointOfItsInheritance) {
  for (int crash_at = 1; one_inheritance("shepherd.", crash_at) && !HasFailure(); ++crash_at) {
  }
  for (const std::string point : {"shepherd.leftovers.gone", "shepherd.start.announced"}) {
    EXPECT_TRUE(one_inheritance(point, 1)) << point;
  }
  points_.expect_all({"shepherd.leftovers.gone", "shepherd.start.announced"});
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }
