// The worker's knowledge without a worker: what it sends to the keeper is enough to begin anew.

#include "daemon/worker/registry/node_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/recovery/orphans.h"
#include "daemon/recovery/session_end.h"
#include "daemon/worker/registry/rebuild.h"
#include "daemon/worker/requests/request.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/socket.h"

namespace tarn::daemon {
namespace {

// A keeper in the same process.
class StoreSink final : public RecordSink {
 public:
  void put_bytes(const RecordKey& key, std::span<const std::byte> bytes,
                 std::span<const int> descriptors) override {
    ++puts;
    std::vector<os::UniqueFd> copies;
    for (const int fd : descriptors) copies.push_back(copy_of(fd));
    store.put(key, bytes, std::move(copies));
  }
  void drop_key(const RecordKey& key) override { store.drop(key); }

  RecordStore store;
  int puts = 0;

 private:
  // Over a socket, as a real keeper gets it.
  static os::UniqueFd copy_of(int fd);
};

os::UniqueFd StoreSink::copy_of(int fd) {
  auto ends = os::socket_pair();
  const std::byte one{1};
  os::send_message(ends->first.get(), std::span(&one, 1), std::span(&fd, 1), true);
  std::byte got{};
  auto received = os::receive_message(ends->second.get(), std::span(&got, 1), true);
  return std::move(received.descriptors.at(0));
}

class NodeStateTest : public ::testing::Test {
 protected:
  NodeStateTest() {
    auto memory = os::create_memory("test-node", layout::kNodeBytes);
    auto mapping = os::map_writable(memory->get(), layout::kNodeBytes);
    table_segment_ = Segment(std::move(*mapping));
    EXPECT_TRUE(format_node(table_segment_, 77));
    begin_anew();
  }

  // As after the worker's death: only the table and the keeper's store are left.
  void begin_anew() {
    NodeFacts facts;
    facts.limit_bytes = std::uint64_t{1} << 30;
    facts.node_id = 77;
    node_ = std::make_unique<NodeState>(facts, *NodeTable::attach(table_segment_), -1, sink_);
    RecordStore store = std::exchange(sink_.store, RecordStore());
    // A real keeper keeps what the worker takes out of its copy.
    for (const auto kind :
         {RecordKind::counters, RecordKind::session, RecordKind::pipe, RecordKind::segment,
          RecordKind::opening, RecordKind::viewing, RecordKind::carrying, RecordKind::verdict}) {
      store.for_each(kind, [&](const RecordKey& key, StoredRecord& record) {
        std::vector<int> fds;
        for (const auto& fd : record.descriptors) {
          if (fd) fds.push_back(fd.get());
        }
        sink_.put_bytes(key, record.bytes, fds);
      });
    }
    EXPECT_TRUE(rebuild(*node_, store));
  }

  SessionItem& add_session(SessionRecord& record) {
    auto item = std::make_unique<SessionItem>();
    item->facts.index = *node_->sessions().take_index();
    item->facts.generation = ++node_->counters().last_session_generation;
    item->memory = std::move(*os::reopen_readable(record.fd()));
    item->process = std::move(*os::open_pidfd(os::own_pid()));
    item->segment = std::move(*map_foreign(record.fd(), layout::kSessionBytes, true, false));
    item->view = *SessionView::attach(item->segment);
    return node_->add_session(std::move(item));
  }
  SessionRecord make_record() {
    return std::move(*SessionRecord::create(*os::identify(os::own_pid())));
  }
  SegmentItem& add_segment(const SessionItem& owner) {
    auto item = std::make_unique<SegmentItem>();
    item->facts.index = *node_->segments().take_index();
    item->facts.generation = ++node_->counters().last_segment_generation;
    item->facts.owner = owner.facts.index;
    item->facts.size_bytes = 1000;
    item->memory = std::move(*os::create_memory("test-slab", 4096));
    return node_->add_segment(std::move(item));
  }
  PipeItem& open_pipe(SessionItem& session, const char* name) {
    auto wish = wire::make<wire::PipeOpen>(1);
    wire::put_text(wish.name, name);
    const auto outcome = pipe_open(*node_, session, wish);
    EXPECT_TRUE(outcome);
    return *node_->pipes().find(name);
  }
  std::uint64_t epoch_of(const SessionItem& session) const {
    return node_->table().entry(session.facts.index).viewers_epoch.load();
  }

  StoreSink sink_;
  Segment table_segment_;
  std::unique_ptr<NodeState> node_;
};

TEST_F(NodeStateTest, EverythingComesBackFromTheStore) {
  auto owner_record = make_record();
  auto viewer_record = make_record();
  SessionItem& owner = add_session(owner_record);
  SessionItem& viewer = add_session(viewer_record);
  PipeItem& pipe = open_pipe(owner, "p");
  SegmentItem& segment = add_segment(owner);
  node_->add_viewer(segment, viewer);
  node_->add_carrier(segment, pipe);
  const auto used = node_->ledger().used_bytes();
  const auto epoch = epoch_of(owner);

  begin_anew();
  ASSERT_EQ(node_->sessions().all().size(), 2u);
  SessionItem* again = node_->sessions().find({1, 1});
  ASSERT_NE(again, nullptr);
  EXPECT_TRUE(again->view);
  EXPECT_EQ(again->openings.size(), 1u);
  EXPECT_EQ(again->owned.size(), 1u);
  EXPECT_EQ(node_->sessions().at(2)->viewed.size(), 1u);
  PipeItem* same = node_->pipes().find("p");
  ASSERT_NE(same, nullptr);
  EXPECT_TRUE(same->view);
  EXPECT_EQ(same->sessions.size(), 1u);
  EXPECT_EQ(same->carried.size(), 1u);
  SegmentItem* slab = node_->segments().find({1, 1});
  ASSERT_NE(slab, nullptr);
  EXPECT_EQ(slab->viewers.size(), 1u);
  EXPECT_EQ(slab->carriers.size(), 1u);
  EXPECT_EQ(node_->ledger().used_bytes(), used);
  EXPECT_GT(epoch_of(*again), epoch) << "a bump may have been lost with the worker";
  EXPECT_EQ(node_->table().entry(1).generation.load(), 1u);
  EXPECT_EQ(*node_->sessions().take_index(), 3u);
}

TEST_F(NodeStateTest, RecordsThatFitToNothingAreDropped) {
  sink_.put(StoredOpening{5, 6, 7});
  sink_.put(StoredViewing{5, 6});
  sink_.put(StoredCarrying{5, 6});
  StoredSession session{};
  session.index = 9;
  sink_.put(session);  // without its descriptors
  StoredPipe pipe{};
  pipe.id = 3;
  pipe.slot_count = UINT32_MAX;
  sink_.put(pipe);
  sink_.put_bytes({RecordKind::segment, 1}, std::as_bytes(std::span("nonsense")), {});
  begin_anew();
  EXPECT_TRUE(node_->sessions().all().empty());
  EXPECT_TRUE(node_->pipes().all().empty());
  EXPECT_EQ(sink_.store.size(), 0u);
}

TEST_F(NodeStateTest, SegmentWhoseOwnerHasNoRecordIsAnOrphan) {
  auto record = make_record();
  SessionItem& owner = add_session(record);
  add_segment(owner);
  sink_.drop(owner.facts);
  begin_anew();
  EXPECT_EQ(node_->segments().orphans().size(), 1u);
  EXPECT_EQ(node_->ledger().used_by(kOrphansHolder), 1000u);
  EXPECT_EQ(drop_unused_orphans(*node_), 1u);
  EXPECT_EQ(node_->ledger().used_bytes(), 0u);
}

// The worker died between adding up what the session did and dropping its opening.
TEST_F(NodeStateTest, LeavingIsAddedUpOnceWhateverIsRepeated) {
  auto record = make_record();
  SessionItem& session = add_session(record);
  PipeItem& pipe = open_pipe(session, "p");
  layout::EndEntry& end = **record.add_end(pipe.facts.id);
  end.pushed.store(5);
  end.copied_in.store(2);
  const StoredOpening opening{session.facts.index, pipe.facts.id,
                              session.openings.at(pipe.facts.id)};
  node_->leave_pipe(session, pipe);
  sink_.put(opening);
  begin_anew();
  EXPECT_TRUE(node_->sessions().at(1)->openings.empty());
  end_session(*node_, 1, EndCause::death, {});
  EXPECT_EQ(node_->pipes().find("p")->facts.retired.pushed, 5u);
  begin_anew();
  EXPECT_EQ(node_->pipes().find("p")->facts.retired.pushed, 5u);
  EXPECT_EQ(node_->pipes().find("p")->facts.retired.copied_in, 2u);
}

TEST_F(NodeStateTest, EndOfASessionLeavesNothingOfIt) {
  auto owner_record = make_record();
  auto viewer_record = make_record();
  SessionItem& owner = add_session(owner_record);
  SessionItem& viewer = add_session(viewer_record);
  PipeItem& pipe = open_pipe(owner, "p");
  open_pipe(viewer, "p");
  SegmentItem& segment = add_segment(owner);
  node_->add_viewer(segment, viewer);
  node_->add_carrier(segment, pipe);
  end_session(*node_, 1, EndCause::death, {});
  EXPECT_EQ(node_->take_orphans_due(), NodeState::Due::now);
  EXPECT_EQ(drop_unused_orphans(*node_), 1u);
  EXPECT_EQ(node_->table().entry(1).generation.load(), 0u);
  EXPECT_EQ(node_->segments().size(), 0u);
  EXPECT_EQ(node_->counters().recovered_sessions, 1u);
  ASSERT_EQ(node_->notices().size(), 1u);
  EXPECT_EQ(node_->notices()[0].session, 2u);
  end_session(*node_, 2, EndCause::goodbye, {});
  EXPECT_EQ(node_->counters().recovered_sessions, 1u);
  EXPECT_EQ(sink_.store.size(), 2u) << "the counters and the pipe";
}

TEST_F(NodeStateTest, OrphanOfWhichARowCountsAChunkStays) {
  auto owner_record = make_record();
  auto viewer_record = make_record();
  SessionItem& owner = add_session(owner_record);
  SessionItem& viewer = add_session(viewer_record);
  SegmentItem& segment = add_segment(owner);
  node_->add_viewer(segment, viewer);
  auto row = viewer_record.add_row(segment.id(), 4);
  (*row)[3].store(1);
  end_session(*node_, 1, EndCause::death, {});
  EXPECT_EQ(node_->segments().orphans().size(), 1u);
  EXPECT_EQ(drop_unused_orphans(*node_), 0u);
  (*row)[3].store(0);
  EXPECT_EQ(drop_unused_orphans(*node_), 1u);
}

TEST_F(NodeStateTest, FullTablesAreErrorsOfTheirOwn) {
  auto record = make_record();
  SessionItem& session = add_session(record);
  for (std::uint32_t i = 0; i < kMaxPipes; ++i) {
    auto item = std::make_unique<PipeItem>();
    item->facts.id = 1000 + i;
    item->facts.slot_count = 1;
    wire::put_text(item->facts.name, "pipe " + std::to_string(i));
    node_->pipes().add(std::move(item));
  }
  auto wish = wire::make<wire::PipeOpen>(1);
  wire::put_text(wish.name, "one more");
  const auto outcome = pipe_open(*node_, session, wish);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), Error::table_full);
  while (node_->segments().take_index()) {
  }
  EXPECT_FALSE(node_->segments().take_index());
}

TEST_F(NodeStateTest, VerdictOutlivesTheWorkerAndEndsWithItsPipe) {
  auto record = make_record();
  SessionItem& session = add_session(record);
  node_->quarantine(open_pipe(session, "p"), "recovery crashed on it");
  begin_anew();
  PipeItem* pipe = node_->pipes().find("p");
  ASSERT_NE(pipe, nullptr);
  EXPECT_FALSE(pipe->view) << "nobody looks into it any more";
  auto wish = wire::make<wire::PipeOpen>(1);
  wire::put_text(wish.name, "p");
  const auto refused = pipe_open(*node_, *node_->sessions().at(1), wish);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Error::corrupt);
  EXPECT_THAT(refused.error().object(), ::testing::HasSubstr("recovery crashed on it"));
  auto removal = wire::make<wire::PipeRemove>(1);
  wire::put_text(removal.name, "p");
  EXPECT_TRUE(pipe_remove(*node_, removal));
  end_session(*node_, 1, EndCause::goodbye, {});
  EXPECT_EQ(node_->quarantined().size(), 0u);
  EXPECT_EQ(sink_.store.size(), 1u) << "the counters";
}

TEST_F(NodeStateTest, SessionInQuarantineHoldsAllThatItCouldHold) {
  auto owner_record = make_record();
  auto viewer_record = make_record();
  SessionItem& owner = add_session(owner_record);
  SessionItem& viewer = add_session(viewer_record);
  node_->add_viewer(add_segment(owner), viewer);
  node_->quarantine(viewer, "its segment makes no sense");
  begin_anew();
  end_session(*node_, 1, EndCause::death, {});
  EXPECT_EQ(drop_unused_orphans(*node_), 0u);
  end_session(*node_, 2, EndCause::death, {});
  EXPECT_EQ(drop_unused_orphans(*node_), 1u);
  EXPECT_EQ(node_->segments().size(), 0u);
  EXPECT_EQ(node_->quarantined().size(), 0u);
}

// A slot is written by whoever has the pipe open: it keeps what its readers would follow it into.
// Programs of the owner's pass on what the owner's made for a shared pipe; of another account's
// slabs they make copies.
TEST_F(NodeStateTest, ASlotKeepsOrphansThatItsReadersWouldFollowItInto) {
  SessionRecord record = make_record();
  SessionItem& owner = add_session(record);
  PipeItem& pipe = open_pipe(owner, "a");
  PipeItem& shared = open_pipe(owner, "b");
  shared.facts.shared = 1;
  const std::uint32_t own_uid = os::own_uid();
  struct {
    std::uint32_t audience;
    std::uint32_t uid;
    PipeItem* named_in;
    bool is_kept;
  } const cases[] = {
      {0, own_uid, &pipe, true},
      {0, own_uid, &shared, false},
      {shared.facts.id, own_uid, &shared, true},
      {shared.facts.id, own_uid, &pipe, true},
      {shared.facts.id, own_uid + 1, &shared, true},
      {shared.facts.id, own_uid + 1, &pipe, false},
  };
  for (const auto& each : cases) {
    SegmentItem& segment = add_segment(owner);
    segment.facts.audience = each.audience;
    segment.facts.uid = each.uid;
    node_->orphan_segment(segment);
    const SlotPayload reference = SlotPayload::reference_to({segment.id(), 0, 16});
    std::uint64_t position = 0;
    const auto self = static_cast<std::uint16_t>(owner.facts.index);
    ASSERT_EQ(each.named_in->view.push(self, reference, position), SlotPush::ok);
    EXPECT_EQ(drop_unused_orphans(*node_), each.is_kept ? 0u : 1u)
        << "audience " << each.audience << ", uid " << each.uid << ", in " << each.named_in->name();
  }
}

TEST_F(NodeStateTest, NoOwnerIsBumpedForAnOrphan) {
  node_->bump_viewers_epoch(0);
  node_->bump_viewers_epoch(layout::kMaxSessions);
  EXPECT_EQ(node_->table().entry(1).viewers_epoch.load(), 0u);
}

}  // namespace
}  // namespace tarn::daemon
