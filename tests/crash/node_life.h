// node_life.h - a whole life of a node: sessions, pipes and slabs come and go, a client is killed,
// its messages are consumed. Whatever of the node dies meanwhile, the end is the same.
#pragma once

#include <gtest/gtest.h>

#include "tests/e2e/node_fixture.h"

namespace tarn::raw {

using wire::MessageType;

inline wire::PipeOpen create_pipe(std::string_view name, std::uint64_t nonce) {
  auto wish = wire::make<wire::PipeOpen>(0);
  wire::put_text(wish.name, name);
  wish.mode = wire::OpenMode::create_only;
  wish.nonce = nonce;
  return wish;
}

inline wire::PipeOpen open_pipe(std::string_view name) {
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

inline SegmentId add(Client& client, const Slab& slab) {
  const int fd = slab.owned.fd.get();
  const auto added = client.insist(slab.add, std::span(&fd, 1)).as<wire::SegmentAdded>();
  return added ? SegmentId{added->index, added->generation} : SegmentId{};
}

inline wire::StatusReply status(Client& client) {
  const auto reply = client.insist(wire::make<wire::StatusGet>(0)).as<wire::StatusReply>();
  return reply ? *reply : wire::StatusReply{};
}

inline wire::PipeFacts facts_of(Client& client, std::string_view name) {
  auto wish = wire::make<wire::PipeList>(0);
  wire::put_text(wish.name, name);
  const auto page = client.insist(wish).as<wire::PipePage>();
  return page ? page->items[0] : wire::PipeFacts{};
}

inline std::uint32_t viewers_and_carriers(Client& client) {
  const auto viewers = client.insist(wire::make<wire::ViewersGet>(0)).as<wire::Viewers>();
  return viewers ? viewers->viewer_count + viewers->carrier_count : 999;
}

class NodeLife {
 public:
  explicit NodeLife(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  // One whole life, from the first session to an empty node.
  // Returns what the node says of itself then.
  wire::StatusReply live() {
    Client client(socket_path_);
    EXPECT_EQ(client.insist_on_session().type(), MessageType::welcome);
    MappedPipe pipe(client.insist(create_pipe("p", 1)));
    const Slab slab(4, 2);
    const SegmentId own = add(client, slab);
    Victim victim([&] { live_and_wait(own); });
    EXPECT_TRUE(victim.lived());
    EXPECT_EQ(viewers_and_carriers(client), 2u);
    EXPECT_EQ(status(client).segments, 2u);

    const auto worker = status(client).worker_pid;
    victim.kill();
    EXPECT_TRUE(eventually([&] { return status(client).sessions == 1; }));
    EXPECT_EQ(viewers_and_carriers(client), 1u) << "the pipe still may carry";
    EXPECT_EQ(status(client).segments, 2u);
    EXPECT_EQ(status(client).orphan_segments, 1u) << "a slot names a chunk of it";
    EXPECT_GE(status(client).recovered_sessions, 1u);
    // A worker that dies takes tarn-recover along, perhaps between the slot and its counting.
    const std::uint64_t skipped = facts_of(client, "p").skipped;
    EXPECT_LE(skipped, 1u);
    if (status(client).worker_pid == worker) {
      EXPECT_EQ(skipped, 1u);
    }
    EXPECT_EQ(facts_of(client, "p").sessions, 1u);
    EXPECT_EQ(facts_of(client, "q").sessions, 0u);

    Peeked found;
    EXPECT_EQ(pipe.view.peek(found), SlotPop::ok);
    EXPECT_TRUE(pipe.view.take(1, found));
    EXPECT_EQ(pipe.view.peek(found), SlotPop::empty);
    EXPECT_TRUE(eventually([&] { return status(client).segments == 1; }));
    clean_up(client, pipe.id, own);
    const wire::StatusReply last = status(client);
    client.insist(wire::make<wire::Goodbye>(0));
    return last;
  }

 private:
  // What the client does that will be killed. Runs in its process.
  void live_and_wait(SegmentId others) {
    Client own(socket_path_);
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

  const std::string socket_path_;
};

}  // namespace tarn::raw
