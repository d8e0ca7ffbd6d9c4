// The worker dies, the keeper starts another one, and clients go on as if nothing had been.

#include <gmock/gmock.h>

#include "tests/e2e/node_fixture.h"

namespace tarn::raw {
namespace {

using wire::MessageType;

class RestartTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    start();
  }
};

SegmentId add(Client& client, const Slab& slab) {
  const auto added = slab.add_to(client).as<wire::SegmentAdded>();
  EXPECT_TRUE(added);
  return added ? SegmentId{added->index, added->generation} : SegmentId{};
}

wire::SegmentGet get(SegmentId id) {
  auto wish = wire::make<wire::SegmentGet>(0);
  wish.index = id.index;
  wish.generation = id.generation;
  return wish;
}

TEST_F(RestartTest, SessionsPipesAndSegmentsAreThereAfterwards) {
  Client owner = session(std::uint64_t{1} << 30);
  Client viewer = session();
  MappedPipe pipe(owner.open_pipe("p", 5));
  MappedPipe pipe_too(viewer.open_pipe("p"));
  const Slab slab(8);
  const SegmentId id = add(owner, slab);
  viewer.ask(get(id));
  const auto before = owner.status();
  const auto welcome = owner.welcome;

  kill_worker();
  EXPECT_EQ(pipe.push_text(1, "data flows meanwhile"), SlotPush::ok);
  EXPECT_TRUE(owner.receive().ended());
  {
    const auto sessions = observer().sessions();
    ASSERT_EQ(sessions.size(), 2u);
    EXPECT_EQ(sessions[0].connected, 0u);
  }
  ASSERT_TRUE(owner.come_back());
  ASSERT_TRUE(viewer.come_back());
  EXPECT_EQ(owner.welcome.session_index, welcome.session_index);
  EXPECT_EQ(owner.welcome.node_id, welcome.node_id);
  EXPECT_EQ(owner.welcome.token, welcome.token);

  const auto after = owner.status();
  EXPECT_EQ(after.worker_starts, 2u);
  EXPECT_EQ(after.keeper_pid, before.keeper_pid);
  EXPECT_NE(after.worker_pid, before.worker_pid);
  EXPECT_EQ(after.used_bytes, before.used_bytes);
  EXPECT_EQ(after.segments, before.segments);
  EXPECT_EQ(after.recovered_sessions, 0u);
  const auto sessions = owner.sessions();
  EXPECT_EQ(sessions[0].quota_bytes, std::uint64_t{1} << 30);
  EXPECT_EQ(sessions[0].pipes, 1u);
  EXPECT_EQ(sessions[0].segments, 1u);
  EXPECT_EQ(sessions[0].connected, 1u);
  const auto pipes = owner.pipes();
  ASSERT_EQ(pipes.size(), 1u);
  EXPECT_EQ(pipes[0].id, pipe.id);
  EXPECT_EQ(pipes[0].capacity, 5);
  EXPECT_EQ(pipes[0].sessions, 2u);
  EXPECT_EQ(pipes[0].depth, 1);
  const auto viewers = owner.ask<wire::ViewersGet>().as<wire::Viewers>();
  ASSERT_TRUE(viewers && viewers->viewer_count == 1);
  EXPECT_EQ(viewers->viewers[0].index, viewer.welcome.session_index);
  EXPECT_EQ(viewer.ask(get(id)).type(), MessageType::segment_got);
}

TEST_F(RestartTest, NumbersAreNeverGivenTwice) {
  Client client = session();
  const MappedPipe first(client.open_pipe("first"));
  const Slab slab(4);
  const SegmentId segment = add(client, slab);
  auto remove = wire::make<wire::SegmentRemove>(0);
  remove.index = segment.index;
  remove.generation = segment.generation;
  client.ask(remove);
  client.remove_pipe("first");
  client.leave_pipe(first.id);
  std::optional<Client> gone(session());
  const auto generation = gone->welcome.session_generation;
  gone->ask<wire::Goodbye>();
  kill_worker();
  ASSERT_TRUE(client.come_back());
  EXPECT_GT(MappedPipe(client.open_pipe("second")).id, first.id);
  EXPECT_GT(add(client, slab).generation, segment.generation);
  EXPECT_GT(session().welcome.session_generation, generation);
}

TEST_F(RestartTest, WhoDiedMeanwhileIsRecovered) {
  Client client = session();
  MappedPipe pipe(client.open_pipe("p"));
  Victim victim([&] {
    Client own(socket_path());
    own.begin_session();
    MappedPipe mine(own.open_pipe("p"));
    const Slab slab(4);
    add(own, slab);
    mine.push_text(own.welcome.session_index, "last words");
  });
  ASSERT_TRUE(victim.lived());
  const auto before = client.status();
  ::kill(daemon_->pid(), SIGSTOP);  // no new worker yet
  ::kill(before.worker_pid, SIGKILL);
  victim.kill();
  ::kill(daemon_->pid(), SIGCONT);
  ASSERT_TRUE(client.come_back());
  EXPECT_TRUE(eventually([&] { return client.status().recovered_sessions == 1; }));
  EXPECT_EQ(client.sessions().size(), 1u);
  EXPECT_EQ(client.status().segments, 0u);
  EXPECT_EQ(client.pipes().at(0).depth, 1);
}

TEST_F(RestartTest, SessionThatDoesNotComeBackWaitsForItsProcess) {
  Client client = session();
  Victim victim([&] {
    Client own(socket_path());
    own.begin_session();
  });
  ASSERT_TRUE(victim.lived());
  kill_worker();
  ASSERT_TRUE(client.come_back());
  const auto sessions = client.sessions();
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[1].connected, 0u);
  victim.kill();
  EXPECT_TRUE(eventually([&] { return client.sessions().size() == 1; }));
}

TEST_F(RestartTest, ManyKillsInARowChangeNothing) {
  Client client = session();
  const MappedPipe pipe(client.open_pipe("p"));
  const Slab slab(4);
  add(client, slab);
  for (int round = 0; round < 20; ++round) {
    kill_worker();
    ASSERT_TRUE(client.come_back()) << round;
    // Something new in each life, so that every life has something to hand over.
    const std::string name = "pipe " + std::to_string(round);
    EXPECT_EQ(client.open_pipe(name).type(), MessageType::pipe_opened);
  }
  EXPECT_EQ(client.pipes().size(), 21u);
  EXPECT_EQ(client.status().segments, 1u);
  EXPECT_EQ(client.status().worker_starts, 21u);
}

TEST_F(RestartTest, RemovedPipeStaysRemoved) {
  Client client = session();
  MappedPipe pipe(client.open_pipe("p"));
  client.remove_pipe("p");
  kill_worker();
  ASSERT_TRUE(client.come_back());
  EXPECT_TRUE(client.pipes().empty());
  EXPECT_EQ(client.status().pipes, 1u);
  client.leave_pipe(pipe.id);
  EXPECT_EQ(client.status().pipes, 0u);
}

// The node knows what has to stand there, and those who use the pipe go on.
TEST_F(RestartTest, SpoiltPipeHeaderIsWrittenAnew) {
  Client client = session();
  MappedPipe spoilt(client.open_pipe("spoilt"));
  ASSERT_EQ(spoilt.push_text(client.welcome.session_index, "still there"), SlotPush::ok);
  const auto header = spoilt.segment.at<layout::PipeHeader>(0);
  (*header)->slot_count = 0xffff'ffff;
  (*header)->segment.size_bytes = 1;
  kill_worker();
  ASSERT_TRUE(client.come_back());
  EXPECT_EQ(client.status().quarantined, 0u);
  MappedPipe again(client.open_pipe("spoilt"));
  ASSERT_TRUE(again.view);
  EXPECT_EQ(again.id, spoilt.id);
  Peeked found;
  EXPECT_EQ(again.view.peek(found), SlotPop::ok);
  EXPECT_EQ(client.status().worker_starts, 2u);
}

TEST_F(RestartTest, NonsenseInASessionsSegmentHarmsNobodyElse) {
  Client client = session();
  const Slab slab(4);
  const SegmentId id = add(client, slab);
  Victim victim([&] {
    Client own(socket_path());
    own.begin_session();
    own.ask(get(id));
    own.open_pipe("p");
    (void)own.record->add_row(id, 4);
    (void)own.record->add_end(1);
    // All that a session may write: its own segment.
    const Segment& segment = own.record->segment();
    const auto header = segment.at<layout::SessionHeader>(0);
    (*header)->row_count.store(UINT32_MAX);
    (*header)->end_count.store(UINT32_MAX);
    const auto rows = segment.bytes(layout::kRowTableOffset, kPage);
    std::memset(rows->data(), 0xff, rows->size());
    const auto ends = segment.bytes(layout::kEndTableOffset, kPage);
    std::memset(ends->data(), 0xff, ends->size());
  });
  ASSERT_TRUE(victim.lived());
  EXPECT_EQ(client.sessions().size(), 2u);
  EXPECT_EQ(client.pipes().size(), 1u);
  kill_worker();
  ASSERT_TRUE(client.come_back());
  EXPECT_EQ(client.sessions().size(), 2u);
  victim.kill();
  EXPECT_TRUE(eventually([&] { return client.sessions().size() == 1; }));
  EXPECT_EQ(client.status().worker_starts, 2u);
}

TEST_F(RestartTest, WorkerThatKeepsDyingYoungIsStillReplaced) {
  Client client = session();
  for (int i = 0; i < 8; ++i) {
    const auto before = observer().status();
    ::kill(before.worker_pid, SIGSEGV);  // its own fault, as far as the keeper can tell
    ASSERT_TRUE(eventually([&] {
      Client watcher(socket_path());
      return !watcher.observe().ended() && watcher.status().worker_starts > before.worker_starts;
    }));
  }
  EXPECT_TRUE(client.come_back());
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), wire::kExitOrdered);
  const auto paths = place_.paths();
  EXPECT_TRUE(std::filesystem::exists(paths.log_file)) << "workers failed: the log says how";
  EXPECT_FALSE(std::filesystem::exists(paths.lock_file));
  EXPECT_FALSE(std::filesystem::exists(paths.socket));
  std::filesystem::remove_all(place_.path() + "/tarn");
}

}  // namespace
}  // namespace tarn::raw
