// Slabs and who looks into them: limits, views, deaths of owners and of holders.

#include <gmock/gmock.h>

#include "tests/e2e/node_fixture.h"

namespace tarn::raw {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using wire::MessageType;

SegmentId id_of(const Packet& packet) {
  const auto added = packet.as<wire::SegmentAdded>();
  EXPECT_TRUE(added) << packet.error().what();
  return added ? SegmentId{added->index, added->generation} : SegmentId{};
}

template <class T>
T about(SegmentId id) {
  auto record = wire::make<T>(0);
  record.index = id.index;
  record.generation = id.generation;
  return record;
}

// A session that owns slabs and looks at the node's table.
struct Owner {
  Client client;
  Segment table_segment;
  NodeTable table;

  explicit Owner(Client began) : client(std::move(began)) {
    auto mapped = map_foreign(client.node_table.get(), layout::kNodeBytes, true, false);
    table_segment = std::move(*mapped);
    table = *NodeTable::attach(table_segment);
  }
  std::uint64_t epoch() const {
    return table.entry(client.welcome.session_index).viewers_epoch.load();
  }
  wire::Viewers viewers() {
    const auto reply = client.ask<wire::ViewersGet>().as<wire::Viewers>();
    EXPECT_TRUE(reply);
    return reply ? *reply : wire::Viewers{};
  }
};

class SegmentsTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    start({"--limit", "64MiB"});
  }
};

TEST_F(SegmentsTest, AddedSlabIsCountedAndItsRemovalUncountsIt) {
  Client client = session();
  const Slab slab(16);
  const SegmentId id = id_of(slab.add_to(client));
  EXPECT_NE(id.index, 0u);
  EXPECT_EQ(client.status().used_bytes, slab.add.size_bytes);
  EXPECT_EQ(client.sessions().at(0).segments, 1u);
  EXPECT_EQ(client.sessions().at(0).segment_bytes, slab.add.size_bytes);
  EXPECT_EQ(client.ask(about<wire::SegmentRemove>(id)).type(), MessageType::done);
  EXPECT_EQ(client.ask(about<wire::SegmentRemove>(id)).type(), MessageType::done);
  EXPECT_EQ(client.status().used_bytes, 0u);
  EXPECT_EQ(client.status().segments, 0u);
  EXPECT_GT(id_of(slab.add_to(client)).generation, id.generation);
}

TEST_F(SegmentsTest, SlabSentAgainWithItsNonceIsNotAddedTwice) {
  Client client = session();
  const Slab slab(4, 99);
  const SegmentId id = id_of(slab.add_to(client));
  EXPECT_EQ(id_of(slab.add_to(client)), id);
  kill_worker();
  ASSERT_TRUE(client.come_back());
  EXPECT_EQ(id_of(slab.add_to(client)), id);
  EXPECT_EQ(client.status().segments, 1u);
}

TEST_F(SegmentsTest, SlabsThatAreNoneAreRefused) {
  Client client = session();
  const auto refused_as = [&](const std::function<void(wire::SegmentAdd&)>& change) {
    Slab slab(4);
    change(slab.add);
    return slab.add_to(client).code();
  };
  EXPECT_EQ(refused_as([](auto& add) { add.chunk_count = 0; }), Error::corrupt);
  EXPECT_EQ(refused_as([](auto& add) { add.chunk_count = 5; }), Error::corrupt);
  EXPECT_EQ(refused_as([](auto& add) { add.chunk_count = UINT32_MAX; }), Error::corrupt);
  EXPECT_EQ(refused_as([](auto& add) { add.chunk_bytes = 0; }), Error::corrupt);
  EXPECT_EQ(refused_as([](auto& add) { add.chunk_bytes = 100; }), Error::corrupt);
  EXPECT_EQ(refused_as([](auto& add) { add.chunk_bytes = UINT64_MAX - 63; }), Error::corrupt);
  EXPECT_EQ(refused_as([](auto& add) { add.size_bytes += kPage; }), Error::corrupt);
  EXPECT_EQ(refused_as([](auto& add) { add.size_bytes = UINT64_MAX; }), Error::too_large);
  EXPECT_EQ(refused_as([](auto& add) { add.chunk_count = 3; }), Error::corrupt);
  Slab slab(4);
  EXPECT_EQ(client.ask(slab.add).code(), Error::corrupt) << "no memory beside it";
  const int fds[] = {slab.owned.fd.get(), slab.owned.fd.get()};
  EXPECT_EQ(client.ask(slab.add, fds).code(), Error::corrupt) << "two beside it";
  auto sparse = create_segment("test", slab.add.size_bytes, kPage, true);
  const int sparse_fd = sparse->fd.get();
  EXPECT_EQ(client.ask(slab.add, std::span(&sparse_fd, 1)).code(), Error::corrupt);
  auto shared = create_segment("test", slab.add.size_bytes, slab.add.size_bytes, false);
  const int shared_fd = shared->fd.get();
  EXPECT_EQ(client.ask(slab.add, std::span(&shared_fd, 1)).code(), Error::corrupt);
  EXPECT_EQ(client.status().segments, 0u);
}

TEST_F(SegmentsTest, FullDomainSaysWhichLimitAndWhoHoldsTheMemory) {
  Client holder = session();
  Client other = session();
  const Slab slab(8192 / 2);
  id_of(slab.add_to(holder));
  auto wish = wire::make<wire::SegmentReserve>(0);
  wish.size_bytes = std::uint64_t{56} << 20;
  const Packet packet = other.ask(wish);
  EXPECT_EQ(packet.code(), Error::domain_full);
  EXPECT_THAT(packet.error().object(),
              AllOf(HasSubstr("limit is 64.0 MiB"), HasSubstr("in use 16.0 MiB"),
                    HasSubstr("asked 56.0 MiB"), HasSubstr("session 1 'raw' (pid ")));
  EXPECT_THAT(packet.error().cure(), HasSubstr("--limit"));
  wish.size_bytes = std::uint64_t{65} << 20;
  EXPECT_EQ(other.ask(wish).code(), Error::too_large) << "no waiting would help";
}

TEST_F(SegmentsTest, ReservationCountsUntilItsSegmentComesOrItsSessionEnds) {
  Client client = session();
  Client other = session();
  auto wish = wire::make<wire::SegmentReserve>(0);
  wish.size_bytes = std::uint64_t{40} << 20;
  EXPECT_EQ(client.ask(wish).type(), MessageType::done);
  EXPECT_EQ(other.ask(wish).code(), Error::domain_full);
  EXPECT_EQ(client.ask<wire::Goodbye>().type(), MessageType::done);
  EXPECT_EQ(other.ask(wish).type(), MessageType::done);
}

TEST_F(SegmentsTest, QuotaIsItsOwnError) {
  Client client = session(100'000);
  const Slab small(16);
  id_of(small.add_to(client));
  const Slab second(16);
  const Packet packet = second.add_to(client);
  EXPECT_EQ(packet.code(), Error::quota_exceeded);
  EXPECT_THAT(packet.error().object(), HasSubstr("quota is 97.7 KiB"));
  Client other = session();
  id_of(second.add_to(other));
}

TEST_F(SegmentsTest, LimitComesFromTheEnvironmentToo) {
  daemon_.reset();
  start({}, [] { ::setenv("TARN_LIMIT", "3MiB", 1); });
  EXPECT_EQ(observer().status().limit_bytes, std::uint64_t{3} << 20);
  daemon_.reset();
  start();
  const auto limits = os::memory_limits();
  EXPECT_EQ(observer().status().limit_bytes,
            std::min(limits.machine_bytes, limits.cgroup_bytes.value_or(limits.machine_bytes)) / 2);
}

TEST_F(SegmentsTest, ViewerGetsItReadOnlyAndTheOwnerLearnsOfIt) {
  Owner owner(session());
  Client viewer = session();
  const Slab slab(4);
  const SegmentId id = id_of(slab.add_to(owner.client));
  EXPECT_EQ(owner.viewers().viewer_count, 0u);
  const auto epoch = owner.epoch();
  const Packet got = viewer.ask(about<wire::SegmentGet>(id));
  EXPECT_GT(owner.epoch(), epoch);
  const auto record = got.as<wire::SegmentGot>();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->owner_index, owner.client.welcome.session_index);
  EXPECT_EQ(record->chunk_count, 4u);
  ASSERT_EQ(got.descriptors.size(), 1u);
  EXPECT_TRUE(map_foreign(got.descriptors[0].get(), record->size_bytes, true, false));
  EXPECT_FALSE(os::map_writable(got.descriptors[0].get(), record->size_bytes));
  const auto viewers = owner.viewers();
  EXPECT_EQ(viewers.epoch, owner.epoch());
  ASSERT_EQ(viewers.viewer_count, 1u);
  EXPECT_EQ(viewers.viewers[0].index, viewer.welcome.session_index);
  EXPECT_EQ(viewers.viewers[0].generation, viewer.welcome.session_generation);

  const auto before_leave = owner.epoch();
  EXPECT_EQ(viewer.ask(about<wire::SegmentLeave>(id)).type(), MessageType::done);
  EXPECT_GT(owner.epoch(), before_leave);
  EXPECT_EQ(owner.viewers().viewer_count, 0u);
}

TEST_F(SegmentsTest, OwnerSeesItsViewersSegmentsAndNobodyElses) {
  Owner owner(session());
  Client viewer = session();
  Client stranger = session();
  const Slab slab(4);
  const SegmentId id = id_of(slab.add_to(owner.client));
  viewer.ask(about<wire::SegmentGet>(id));
  const auto about_session = [](const Client& who) {
    auto wish = wire::make<wire::SessionGet>(0);
    wish.index = who.welcome.session_index;
    wish.generation = who.welcome.session_generation;
    return wish;
  };
  const Packet got = owner.client.ask(about_session(viewer));
  ASSERT_EQ(got.type(), MessageType::session_got);
  ASSERT_EQ(got.descriptors.size(), 1u);
  EXPECT_FALSE(os::map_writable(got.descriptors[0].get(), layout::kSessionBytes));
  auto mapped = map_foreign(got.descriptors[0].get(), layout::kSessionBytes, true, false);
  ASSERT_TRUE(mapped);
  EXPECT_TRUE(SessionView::attach(*mapped));
  EXPECT_EQ(owner.client.ask(about_session(stranger)).code(), Error::not_found);
  EXPECT_EQ(viewer.ask(about_session(owner.client)).code(), Error::not_found);
}

TEST_F(SegmentsTest, CarriedSegmentNamesItsPipesToItsOwnerAlone) {
  Owner owner(session());
  Client carrier = session();
  const Slab slab(4);
  const SegmentId id = id_of(slab.add_to(owner.client));
  const MappedPipe pipe(carrier.open_pipe("p"));
  auto get = wire::make<wire::PipeGet>(0);
  get.pipe_id = pipe.id;
  EXPECT_EQ(owner.client.ask(get).code(), Error::not_found);
  auto carry = about<wire::SegmentCarry>(id);
  carry.pipe_id = pipe.id;
  const auto epoch = owner.epoch();
  EXPECT_EQ(carrier.ask(carry).type(), MessageType::done);
  EXPECT_GT(owner.epoch(), epoch);
  const auto viewers = owner.viewers();
  ASSERT_EQ(viewers.carrier_count, 1u);
  EXPECT_EQ(viewers.carriers[0], pipe.id);
  const Packet got = owner.client.ask(get);
  const auto record = got.as<wire::PipeOpened>();
  ASSERT_TRUE(record && got.descriptors.size() == 1);
  EXPECT_FALSE(os::map_writable(got.descriptors[0].get(), record->size_bytes));
  EXPECT_EQ(carrier.ask(get).code(), Error::not_found);
  carry.pipe_id = 999;
  EXPECT_EQ(carrier.ask(carry).code(), Error::not_found);
  kill_worker();
  ASSERT_TRUE(owner.client.come_back());
  EXPECT_EQ(owner.viewers().carrier_count, 1u);
}

TEST_F(SegmentsTest, RemovedSegmentIsToldToItsViewers) {
  Owner owner(session());
  Client viewer = session();
  const Slab slab(4);
  const SegmentId id = id_of(slab.add_to(owner.client));
  viewer.ask(about<wire::SegmentGet>(id));
  EXPECT_EQ(viewer.ask(about<wire::SegmentRemove>(id)).type(), MessageType::done);
  EXPECT_EQ(viewer.status().segments, 1u) << "only its owner can remove it";
  owner.client.ask(about<wire::SegmentRemove>(id));
  const Packet notice = viewer.receive();
  const auto gone = notice.as<wire::NoticeSegmentGone>();
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->index, id.index);
  EXPECT_EQ(gone->generation, id.generation);
  EXPECT_EQ(viewer.ask(about<wire::SegmentGet>(id)).code(), Error::not_found);
}

TEST_F(SegmentsTest, NoticeMissedWhileAwayIsSaidAgain) {
  Owner owner(session());
  Client viewer = session();
  const Slab slab(4);
  const SegmentId id = id_of(slab.add_to(owner.client));
  viewer.ask(about<wire::SegmentGet>(id));
  ASSERT_TRUE(viewer.record->add_row(id, 4));
  viewer.disconnect();
  owner.client.ask(about<wire::SegmentRemove>(id));
  ASSERT_TRUE(viewer.come_back());
  EXPECT_EQ(viewer.receive().type(), MessageType::notice_segment_gone);
}

TEST_F(SegmentsTest, DeadViewerIsTakenOffTheOwnersList) {
  Owner owner(session());
  const Slab slab(4);
  const SegmentId id = id_of(slab.add_to(owner.client));
  Victim victim([&] {
    Client own(socket_path());
    own.begin_session();
    own.ask(about<wire::SegmentGet>(id));
  });
  ASSERT_TRUE(victim.lived());
  const auto epoch = owner.epoch();
  EXPECT_EQ(owner.viewers().viewer_count, 1u);
  victim.kill();
  EXPECT_TRUE(eventually([&] { return owner.client.status().recovered_sessions == 1; }));
  EXPECT_GT(owner.epoch(), epoch);
  EXPECT_EQ(owner.viewers().viewer_count, 0u);
}

TEST_F(SegmentsTest, StoppedProcessIsAlive) {
  Owner owner(session());
  Victim victim([&] {
    Client own(socket_path());
    own.begin_session();
  });
  ASSERT_TRUE(victim.lived());
  ::kill(victim.pid(), SIGSTOP);
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(owner.client.sessions().size(), 2u);
  victim.kill();
  EXPECT_TRUE(eventually([&] { return owner.client.sessions().size() == 1; }));
}

// The owner dies while a slot names one of its chunks; later a hold does; then nobody.
TEST_F(SegmentsTest, DeadOwnersSegmentStaysWhileSomebodyNeedsIt) {
  Client client = session();
  MappedPipe pipe(client.open_pipe("p"));
  Victim victim([&] {
    Client own(socket_path());
    own.begin_session();
    const Slab used(4);
    const SegmentId id = id_of(used.add_to(own));
    const Slab unused(4);
    id_of(unused.add_to(own));
    MappedPipe mine(own.open_pipe("p"));
    mine.push_chunk(own.welcome.session_index, id, 2);
  });
  ASSERT_TRUE(victim.lived());
  EXPECT_EQ(client.status().segments, 2u);
  victim.kill();
  ASSERT_TRUE(eventually([&] { return client.status().sessions == 1; }));
  EXPECT_EQ(client.status().segments, 1u) << "what nobody needs goes at once";
  EXPECT_EQ(client.status().orphan_segments, 1u);

  Peeked found;
  ASSERT_EQ(pipe.view.peek(found), SlotPop::ok);
  const ChunkReference reference = found.payload().reference();
  const auto got = client.ask(about<wire::SegmentGet>(reference.segment)).as<wire::SegmentGot>();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->owner_index, 0u);
  auto row = client.record->add_row(reference.segment, got->chunk_count);
  ASSERT_TRUE(row);
  (*row)[reference.chunk].store(1);
  ASSERT_TRUE(pipe.view.take(1, found));
  std::this_thread::sleep_for(200ms);  // several looks of the node
  EXPECT_EQ(client.status().orphan_segments, 1u) << "it is held";
  (*row)[reference.chunk].store(0);
  EXPECT_TRUE(eventually([&] { return client.status().segments == 0; }));
  EXPECT_EQ(client.receive().type(), MessageType::notice_segment_gone);
  EXPECT_EQ(client.status().used_bytes, layout::pipe_bytes(64));
}

TEST_F(SegmentsTest, OrderlyEndLeavesItsMessagesToo) {
  Client client = session();
  MappedPipe pipe(client.open_pipe("p"));
  std::optional<Client> producer(session());
  const Slab slab(4);
  const SegmentId id = id_of(slab.add_to(*producer));
  MappedPipe own(producer->open_pipe("p"));
  ASSERT_EQ(own.push_chunk(producer->welcome.session_index, id, 0), SlotPush::ok);
  EXPECT_EQ(producer->ask<wire::Goodbye>().type(), MessageType::done);
  EXPECT_EQ(client.status().sessions, 1u);
  EXPECT_EQ(client.status().orphan_segments, 1u);
  EXPECT_EQ(client.status().recovered_sessions, 0u) << "that was no death";
  EXPECT_EQ(client.remove_pipe("p").type(), MessageType::done);
  client.leave_pipe(pipe.id);
  EXPECT_TRUE(eventually([&] { return client.status().segments == 0; }));
}

TEST_F(SegmentsTest, LastHolderOfAnOrphanDies) {
  Client client = session();
  SegmentId id;
  {
    std::optional<Client> owner(session());
    const Slab slab(4);
    id = id_of(slab.add_to(*owner));
    MappedPipe own(owner->open_pipe("p"));
    own.push_chunk(owner->welcome.session_index, id, 0);
    owner->ask<wire::Goodbye>();
  }
  Victim holder([&] {
    Client own(socket_path());
    own.begin_session();
    own.ask(about<wire::SegmentGet>(id));
    auto row = own.record->add_row(id, 4);
    (*row)[0].store(1);
    MappedPipe pipe(own.open_pipe("p"));
    pipe.view.drain();
  });
  ASSERT_TRUE(holder.lived());
  EXPECT_EQ(client.status().orphan_segments, 1u);
  holder.kill();
  EXPECT_TRUE(eventually([&] { return client.status().segments == 0; }));
}

}  // namespace
}  // namespace tarn::raw
