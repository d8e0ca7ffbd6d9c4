// The keeper dies at every crash point of a whole life (node_life.h), and the one after it at every
// point of taking over. A service manager keeps what they had, so that the end is the same.

#include <gtest/gtest.h>

#include "testing/swept_points.h"
#include "tests/crash/node_life.h"
#include "tests/e2e/supervision/service_manager.h"

namespace tarn::raw {
namespace {

class KeeperCrashTest : public ::testing::Test {
 protected:
  // Returns how often a keeper was started.
  std::uint32_t one_life(std::vector<std::string> crash_at) {
    ::alarm(kWatchdogSeconds);
    ManagedNode node(place_, {.crash_at = std::move(crash_at), .daemon = {}});
    const std::uint64_t before = node_id();
    NodeLife(place_.paths().socket).live();
    EXPECT_EQ(node_id(), before) << "it is the same node, whoever keeps it";
    EXPECT_TRUE(eventually([&] { return node.board().kept.load() == 2; }))
        << "the book and the channel, but " << node.board().kept.load() << " are kept";
    const std::uint32_t starts = node.board().starts.load();
    EXPECT_EQ(node.stop(), 0);
    EXPECT_TRUE(place_.is_empty());
    return starts;
  }
  // Asks until a node answers: its keeper may be between two lives.
  std::uint64_t node_id() const {
    std::uint64_t id = 0;
    EXPECT_TRUE(eventually([&] {
      Client client(place_.paths().socket);
      if (client.is_connected() && !client.observe().ended()) id = client.welcome.node_id;
      return id != 0;
    }));
    return id;
  }

  RuntimeDirectory place_;
};

TEST_F(KeeperCrashTest, EveryPointEndsInTheSameState) {
  const testing::SweptPoints points;
  std::uint64_t crash_at = 1;
  for (;; ++crash_at) {
    SCOPED_TRACE("crash point " + std::to_string(crash_at));
    const std::uint32_t starts = one_life({"keeper.:" + std::to_string(crash_at)});
    if (HasFailure() || starts == 1) break;
    EXPECT_EQ(starts, 2u);
  }
  RecordProperty("crash_points", std::to_string(crash_at - 1));
  points.expect_all({"keeper.inherit.forgotten", "keeper.safe.begun", "keeper.safe.kept",
                     "keeper.safe.put", "keeper.safe.dropped", "keeper.book.allocated",
                     "keeper.book.filled", "keeper.book.put", "keeper.channel.carried_out",
                     "keeper.worker.channel_kept"});
}

TEST_F(KeeperCrashTest, EveryPointOfTakingOverEndsInTheSameState) {
  const testing::SweptPoints points;
  std::uint64_t crash_at = 1;
  for (;; ++crash_at) {
    SCOPED_TRACE("crash point " + std::to_string(crash_at));
    // The first one dies in the middle of the life, the second one as it takes over.
    const std::uint32_t starts =
        one_life({"keeper.channel:30", "keeper.inherit:" + std::to_string(crash_at)});
    if (HasFailure() || starts == 2) break;
    EXPECT_EQ(starts, 3u);
  }
  points.expect_all({"keeper.inherit.begun", "keeper.inherit.read", "keeper.inherit.drained"});
}

TEST_F(KeeperCrashTest, AKeeperThatDiesAfterItsWorkerIsFollowed) {
  const testing::SweptPoints points;
  ::alarm(kWatchdogSeconds);
  ManagedNode node(place_, {.crash_at = {"keeper.worker.ended:1"}, .daemon = {}});
  const std::uint64_t before = node_id();
  Client client(place_.paths().socket);
  ASSERT_EQ(client.insist_on_session().type(), MessageType::welcome);
  ASSERT_EQ(::kill(status(client).worker_pid, SIGKILL), 0);
  EXPECT_EQ(status(client).sessions, 1u);
  EXPECT_EQ(node_id(), before);
  EXPECT_EQ(node.stop(), 0);
  points.expect_all({"keeper.worker.ended"});
}

}  // namespace
}  // namespace tarn::raw
