// The shepherd, or the worker, dies at every crash point of a supervised client's life: it is run,
// killed, restarted, stopped, restarted and removed. Whatever the point, what was asked for is so
// in the end, and nobody is left.

#include <gtest/gtest.h>

#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/supervised.h"

namespace tarn {
namespace {

class ShepherdCrashTest : public testkit::NodeTest {
 protected:
  static constexpr const char* kName = "victim";

  std::size_t living() { return testkit::processes_of_client(kName, domain_.folder()).size(); }

  // True when somebody died at the point.
  bool one_life(const std::string& prefix, int crash_at) {
    testkit::ChildTraits traits;
    traits.before_exec = [&] {
      ::setenv("TARN_CRASH_AT", (prefix + ':' + std::to_string(crash_at)).c_str(), 1);
    };
    start_node({}, traits);
    const std::size_t log_bytes = domain_.log().size();
    live();
    const bool worker_died = connect({.observer = true}).status().worker_starts > 1;
    EXPECT_TRUE(domain_.stop().is_success());
    EXPECT_EQ(living(), 0u);
    const std::string log = domain_.log().substr(log_bytes);
    return worker_died || log.find("the shepherd of client 'victim' died") != std::string::npos;
  }

  void live() {
    const std::vector<std::string> command{"/bin/sh", "-c", "echo begin; sleep 1000 & wait"};
    Client client = run_client({}, kName, command, testkit::tireless());
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
};

TEST_F(ShepherdCrashTest, ShepherdMayDieAtEveryPoint) { sweep("shepherd.", 20); }

TEST_F(ShepherdCrashTest, WorkerMayDieAtEveryPointOfSupervision) { sweep("supervision.", 10); }

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }
