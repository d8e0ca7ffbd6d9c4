// The worker dies at every crash point of a whole life: sessions, pipes and slabs come and go, a
// client is killed, its messages are consumed. Whatever the point, the end is the same.

#include <gtest/gtest.h>

#include "testing/swept_points.h"
#include "tests/e2e/node_fixture.h"

namespace tarn::raw {
namespace {

using wire::MessageType;

wire::PipeOpen create_pipe(std::string_view name, std::uint64_t nonce) {
  auto wish = wire::make<wire::PipeOpen>(0);
  wire::put_text(wish.name, name);
  wish.mode = wire::OpenMode::create_only;
  wish.nonce = nonce;
  return wish;
}

wire::PipeOpen open_pipe(std::string_view name) {
  auto wish = wire::make<wire::PipeOpen>(0);
  wire::put_text(wish.name, name);
  return wish;
}

template <class T>
T about(SegmentId id) {
  auto record = wire::make<T>(0);
  record.index = id.index;
  record.generation = id.generation;
  return record;
}

SegmentId add(Client& client, const Slab& slab) {
  const int fd = slab.owned.fd.get();
  const auto added = client.insist(slab.add, std::span(&fd, 1)).as<wire::SegmentAdded>();
  return added ? SegmentId{added->index, added->generation} : SegmentId{};
}

wire::StatusReply status(Client& client) {
  const auto reply = client.insist(wire::make<wire::StatusGet>(0)).as<wire::StatusReply>();
  return reply ? *reply : wire::StatusReply{};
}

wire::PipeFacts facts_of(Client& client, std::string_view name) {
  auto wish = wire::make<wire::PipeList>(0);
  wire::put_text(wish.name, name);
  const auto page = client.insist(wish).as<wire::PipePage>();
  return page ? page->items[0] : wire::PipeFacts{};
}

std::uint32_t viewers_and_carriers(Client& client) {
  const auto viewers = client.insist(wire::make<wire::ViewersGet>(0)).as<wire::Viewers>();
  return viewers ? viewers->viewer_count + viewers->carrier_count : 999;
}

class WorkerCrashTest : public NodeTest {
 protected:
  // What the client does that will be killed. Runs in its process.
  void live_and_wait(SegmentId others) {
    Client own(socket_path());
    if (own.insist_on_session().type() != MessageType::welcome) ::_exit(1);
    const auto self = own.welcome.session_index;
    MappedPipe pipe(own.insist(open_pipe("p")));
    if (!pipe.view) ::_exit(2);
    if (own.insist(create_pipe("q", 5)).type() != MessageType::pipe_opened) ::_exit(3);
    const Slab slab(4, 6);
    const SegmentId id = add(own, slab);
    if (pipe.push_chunk(self, id, 1) != SlotPush::ok) ::_exit(4);
    if (own.insist(about<wire::SegmentGet>(others)).type() != MessageType::segment_got) ::_exit(5);
    auto carry = about<wire::SegmentCarry>(others);
    carry.pipe_id = pipe.id;
    if (own.insist(carry).type() != MessageType::done) ::_exit(6);
    const auto slot = pipe.segment.at<layout::Slot>(layout::kSlotsOffset + sizeof(layout::Slot));
    (*slot)->word.store(
        SlotWord(0, layout::SlotPhase::claimed, static_cast<std::uint16_t>(self), false).bits());
  }

  // Returns how often a worker was started.
  std::uint32_t one_life(std::uint64_t crash_at) {
    const std::string wish = std::to_string(crash_at);
    start({}, [&] { ::setenv("TARN_CRASH_AT", wish.c_str(), 1); });
    Client client(socket_path());
    EXPECT_EQ(client.insist_on_session().type(), MessageType::welcome);
    MappedPipe pipe(client.insist(create_pipe("p", 1)));
    const Slab slab(4, 2);
    const SegmentId own = add(client, slab);
    Victim victim([&] { live_and_wait(own); });
    EXPECT_TRUE(victim.lived());
    EXPECT_EQ(viewers_and_carriers(client), 2u);
    EXPECT_EQ(status(client).segments, 2u);

    victim.kill();
    EXPECT_TRUE(eventually([&] { return status(client).sessions == 1; }));
    EXPECT_EQ(viewers_and_carriers(client), 1u) << "the pipe still may carry";
    EXPECT_EQ(status(client).segments, 2u);
    EXPECT_EQ(status(client).orphan_segments, 1u) << "a slot names a chunk of it";
    EXPECT_GE(status(client).recovered_sessions, 1u);
    // A worker that dies takes tarn-recover along, perhaps between the slot and its counting.
    const std::uint64_t skipped = facts_of(client, "p").skipped;
    EXPECT_LE(skipped, 1u);
    EXPECT_GE(skipped + status(client).worker_starts, 2u);
    EXPECT_EQ(facts_of(client, "p").sessions, 1u);
    EXPECT_EQ(facts_of(client, "q").sessions, 0u);

    Peeked found;
    EXPECT_EQ(pipe.view.peek(found), SlotPop::ok);
    EXPECT_TRUE(pipe.view.take(1, found));
    EXPECT_EQ(pipe.view.peek(found), SlotPop::empty);
    EXPECT_TRUE(eventually([&] { return status(client).segments == 1; }));
    clean_up(client, pipe.id, own);
    const std::uint32_t starts = status(client).worker_starts;
    client.insist(wire::make<wire::Goodbye>(0));
    daemon_.reset();
    EXPECT_TRUE(place_.is_empty());
    return starts;
  }

  void clean_up(Client& client, std::uint32_t pipe_id, SegmentId own) {
    for (const char* name : {"p", "q"}) {
      auto remove = wire::make<wire::PipeRemove>(0);
      wire::put_text(remove.name, name);
      const Packet packet = client.insist(remove);
      // Asked twice because the answer was lost: then it is gone already.
      EXPECT_TRUE(packet.type() == MessageType::done || packet.code() == Error::not_found);
    }
    auto leave = wire::make<wire::PipeLeave>(0);
    leave.pipe_id = pipe_id;
    EXPECT_EQ(client.insist(leave).type(), MessageType::done);
    EXPECT_EQ(client.insist(about<wire::SegmentRemove>(own)).type(), MessageType::done);
    const auto left = status(client);
    EXPECT_EQ(left.pipes, 0u);
    EXPECT_EQ(left.segments, 0u);
    EXPECT_EQ(left.used_bytes, 0u);
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
