// The worker dies at every crash point of a whole life (node_life.h).

#include <gtest/gtest.h>

#include "testing/swept_points.h"
#include "tests/crash/node_life.h"

namespace tarn::raw {
namespace {

class WorkerCrashTest : public NodeTest {
 protected:
  // Returns how often a worker was started.
  std::uint32_t one_life(std::uint64_t crash_at) {
    // Without a service manager that keeps its descriptors a keeper's death is the node's.
    const std::string wish = "!keeper.:" + std::to_string(crash_at);
    start({}, [&] { ::setenv("TARN_CRASH_AT", wish.c_str(), 1); });
    const wire::StatusReply last = NodeLife(socket_path()).live();
    daemon_.reset();
    EXPECT_TRUE(place_.is_empty());
    return last.worker_starts;
  }
};

TEST_F(WorkerCrashTest, EveryPointEndsInTheSameState) {
  const testing::SweptPoints points;
  std::uint64_t crash_at = 1;
  for (;; ++crash_at) {
    SCOPED_TRACE("crash point " + std::to_string(crash_at));
    ::alarm(kWatchdogSeconds);
    const std::uint32_t starts = one_life(crash_at);
    if (HasFailure() || starts == 1) break;
    EXPECT_EQ(starts, 2u);
  }
  points.expect_all(
      {"node.add_session.numbered", "node.add_session.stored", "node.add_pipe.numbered",
       "node.open_pipe.numbered", "node.leave_pipe.counted", "node.discard_pipe.drained",
       "node.add_segment.numbered", "node.add_viewer.stored", "node.end_viewing.dropped",
       "node.add_carrier.stored", "node.orphan_segment.stored", "node.drop_segment.dropped",
       "recovery.desk.sent", "recovery.session.resolved", "recovery.session.left_pipe",
       "recovery.session.left_segment", "recovery.session.orphaned_segment",
       "recovery.session.table_cleared", "recovery.orphan.dropping"});
  RecordProperty("crash_points", std::to_string(crash_at - 1));
}

}  // namespace
}  // namespace tarn::raw
