// Pipes as the node sees them: options, names, ends, and what is left of them.

#include <gmock/gmock.h>

#include "tests/e2e/raw_client.h"

namespace tarn::raw {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using wire::OpenMode;

class PipesTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    start();
  }
};

wire::PipeOpened opened(const Packet& packet) {
  const auto record = packet.as<wire::PipeOpened>();
  EXPECT_TRUE(record) << packet.error().what();
  EXPECT_EQ(packet.descriptors.size(), 1u);
  return record ? *record : wire::PipeOpened{};
}

TEST_F(PipesTest, DefaultsAreSixtyFourSlotsAtMostOnce) {
  Client client = session();
  const auto pipe = opened(client.open_pipe("spectra"));
  EXPECT_EQ(pipe.slot_count, 64u);
  EXPECT_EQ(pipe.delivery, 0u);
  EXPECT_EQ(pipe.created, 1u);
  EXPECT_EQ(pipe.size_bytes, layout::pipe_bytes(64));
  const auto again = opened(client.open_pipe("spectra"));
  EXPECT_EQ(again.pipe_id, pipe.pipe_id);
  EXPECT_EQ(again.created, 0u);
}

TEST_F(PipesTest, ImpossibleCapacityIsRefusedWithItsRange) {
  Client client = session();
  for (const std::int64_t capacity :
       {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX, std::int64_t{(1 << 20) + 1}}) {
    auto wish = wire::make<wire::PipeOpen>(0);
    wire::put_text(wish.name, "p");
    wish.has_capacity = 1;
    wish.capacity = capacity;
    const Packet packet = client.ask(wish);
    EXPECT_EQ(packet.code(), Error::invalid_argument) << capacity;
    EXPECT_THAT(packet.error().cure(), HasSubstr("from 1 to 1048576"));
  }
  EXPECT_TRUE(client.pipes().empty());
}

TEST_F(PipesTest, ImpossibleNamesDeliveryAndModeAreRefused) {
  Client client = session();
  for (const char* name : {"", "a/b", "a\nb", " a", "\xff\xfe"}) {
    EXPECT_EQ(client.open_pipe(name).code(), Error::invalid_argument) << name;
  }
  auto wish = wire::make<wire::PipeOpen>(0);
  wish.name.fill('x');  // 64 bytes without an end
  EXPECT_EQ(client.ask(wish).code(), Error::invalid_argument);
  wire::put_text(wish.name, "p");
  wish.has_delivery = 1;
  wish.delivery = 2;
  EXPECT_EQ(client.ask(wish).code(), Error::invalid_argument);
  wish.has_delivery = 0;
  wish.mode = static_cast<OpenMode>(3);
  EXPECT_EQ(client.ask(wish).code(), Error::invalid_argument);
}

TEST_F(PipesTest, OtherOptionsAreAMismatchThatSaysBoth) {
  Client client = session();
  opened(client.open_pipe("p", 8));
  const Packet packet = client.open_pipe("p", 16);
  EXPECT_EQ(packet.code(), Error::option_mismatch);
  EXPECT_THAT(packet.error().object(), AllOf(HasSubstr("8"), HasSubstr("16"), HasSubstr("'p'")));
  auto wish = wire::make<wire::PipeOpen>(0);
  wire::put_text(wish.name, "p");
  wish.has_delivery = 1;
  wish.delivery = 1;
  EXPECT_EQ(client.ask(wish).code(), Error::option_mismatch);
  EXPECT_EQ(opened(client.open_pipe("p", 8)).slot_count, 8u);
  EXPECT_EQ(opened(client.open_pipe("p")).slot_count, 8u);
}

TEST_F(PipesTest, ModesSayWhatMayBeThere) {
  Client client = session();
  EXPECT_EQ(client.open_pipe("p", 0, OpenMode::open_only).code(), Error::not_found);
  EXPECT_EQ(opened(client.open_pipe("p", 0, OpenMode::create_only)).created, 1u);
  EXPECT_EQ(client.open_pipe("p", 0, OpenMode::create_only).code(), Error::exists);
  EXPECT_EQ(opened(client.open_pipe("p", 0, OpenMode::open_only)).created, 0u);
}

TEST_F(PipesTest, CreationAskedAgainWithItsNonceIsTheSame) {
  Client client = session();
  auto wish = wire::make<wire::PipeOpen>(0);
  wire::put_text(wish.name, "p");
  wish.mode = OpenMode::create_only;
  wish.nonce = 4711;
  const auto first = opened(client.ask(wish));
  kill_worker();
  ASSERT_TRUE(client.come_back());
  const auto second = opened(client.ask(wish));
  EXPECT_EQ(second.pipe_id, first.pipe_id);
  EXPECT_EQ(second.created, 1u);
  wish.nonce = 4712;
  EXPECT_EQ(client.ask(wish).code(), Error::exists);
}

TEST_F(PipesTest, RemovalEndsTheNameAndTheLastUserEndsThePipe) {
  Client client = session();
  Client other = session();
  MappedPipe old(client.open_pipe("p"));
  MappedPipe old_too(other.open_pipe("p"));
  ASSERT_EQ(old.push_text(1, "m"), SlotPush::ok);
  EXPECT_EQ(observer().remove_pipe("p").type(), wire::MessageType::done);
  EXPECT_EQ(client.remove_pipe("p").code(), Error::not_found);
  EXPECT_TRUE(old.view.is_closed());
  EXPECT_FALSE(old.view.is_drained()) << "those who have it open may drain it";
  EXPECT_TRUE(client.pipes().empty());
  const auto fresh = opened(client.open_pipe("p"));
  EXPECT_GT(fresh.pipe_id, old.id);
  EXPECT_EQ(client.status().pipes, 2u);
  client.leave_pipe(old.id);
  EXPECT_EQ(client.status().pipes, 2u);
  EXPECT_FALSE(old.view.is_drained());
  other.leave_pipe(old.id);
  EXPECT_EQ(client.status().pipes, 1u);
  EXPECT_TRUE(old.view.is_drained());
}

TEST_F(PipesTest, ClosedAndDrainedPipeGoesWithItsLastUser) {
  Client client = session();
  MappedPipe pipe(client.open_pipe("p"));
  ASSERT_EQ(pipe.push_text(1, "m"), SlotPush::ok);
  pipe.view.close();
  client.leave_pipe(pipe.id);
  EXPECT_EQ(client.pipes().size(), 1u) << "a message is still in it";
  MappedPipe again(client.open_pipe("p"));
  EXPECT_EQ(again.id, pipe.id);
  Peeked found;
  ASSERT_EQ(again.view.peek(found), SlotPop::ok);
  ASSERT_TRUE(again.view.take(1, found));
  client.leave_pipe(pipe.id);
  EXPECT_TRUE(client.pipes().empty());
  EXPECT_GT(opened(client.open_pipe("p")).pipe_id, pipe.id);
}

TEST_F(PipesTest, OpenPipeStaysWithoutUsers) {
  Client client = session();
  const auto pipe = opened(client.open_pipe("p", 3));
  client.leave_pipe(pipe.pipe_id);
  EXPECT_EQ(opened(client.open_pipe("p")).pipe_id, pipe.pipe_id);
}

TEST_F(PipesTest, ClosedDrainedPipeThatOthersHaveOpenIsNotReplaced) {
  Client client = session();
  Client other = session();
  MappedPipe pipe(client.open_pipe("p"));
  pipe.view.close();
  EXPECT_EQ(opened(other.open_pipe("p")).pipe_id, pipe.id);
}

TEST_F(PipesTest, ListComesInPages) {
  Client client = session();
  for (int i = 0; i < 70; ++i) opened(client.open_pipe("pipe " + std::to_string(i), 1));
  const auto pipes = client.pipes();
  ASSERT_EQ(pipes.size(), 70u);
  for (std::size_t i = 0; i < pipes.size(); ++i) {
    EXPECT_EQ(wire::get_text(pipes[i].name), "pipe " + std::to_string(i));
  }
  auto wish = wire::make<wire::PipeList>(0);
  wire::put_text(wish.name, "pipe 33");
  const auto page = client.ask(wish).as<wire::PipePage>();
  ASSERT_TRUE(page && page->count == 1);
  EXPECT_EQ(page->items[0].id, pipes[33].id);
  wire::put_text(wish.name, "pipe 70");
  EXPECT_EQ(client.ask(wish).code(), Error::not_found);
}

TEST_F(PipesTest, CountersOutliveThoseWhoCounted) {
  Client client = session();
  Client watcher = observer();
  MappedPipe pipe(client.open_pipe("p", 4));
  auto end = client.record->add_end(pipe.id);
  ASSERT_TRUE(end);
  (*end)->pushed.store(7);
  (*end)->pushed_bytes.store(700);
  const auto check = [&](std::uint32_t producers) {
    const auto pipes = watcher.pipes();
    ASSERT_EQ(pipes.size(), 1u);
    EXPECT_EQ(pipes[0].pushed, 7u);
    EXPECT_EQ(pipes[0].pushed_bytes, 700u);
    EXPECT_EQ(pipes[0].producers, producers);
    EXPECT_EQ(pipes[0].consumers, 0u);
    EXPECT_EQ(pipes[0].sessions, producers);
    EXPECT_EQ(pipes[0].capacity, 4);
  };
  check(1);
  client.leave_pipe(pipe.id);
  check(0);
  client.leave_pipe(pipe.id);  // once more is no more
  check(0);
  client.record->remove_end(*end);
  kill_worker();
  watcher = observer();
  check(0);
}

TEST_F(PipesTest, DomainLimitCountsPipesToo) {
  daemon_.reset();
  start({"--limit", "1MiB"});
  Client client = session();
  opened(client.open_pipe("small", 1000));
  const Packet packet = client.open_pipe("large", 1 << 20);
  EXPECT_EQ(packet.code(), Error::domain_full);
  EXPECT_THAT(packet.error().object(),
              AllOf(HasSubstr("limit is 1.0 MiB"), HasSubstr("in use 64.0 KiB"),
                    HasSubstr("asked 64.0 MiB"), HasSubstr("held by pipes")));
  EXPECT_EQ(client.remove_pipe("small").type(), wire::MessageType::done);
  EXPECT_EQ(client.leave_pipe(1).type(), wire::MessageType::done);
  EXPECT_EQ(client.status().used_bytes, 0u);
}

TEST_F(PipesTest, DeadProducersClaimIsSkippedAndItsMessagesStay) {
  Client client = session();
  MappedPipe pipe(client.open_pipe("p"));
  Victim victim([&] {
    Client own(socket_path());
    own.begin_session();
    MappedPipe mine(own.open_pipe("p"));
    const auto self = own.welcome.session_index;
    mine.push_text(self, "before");
    // A claim that is never published, as if killed in the middle of a push.
    const auto slot = mine.segment.at<layout::Slot>(layout::kSlotsOffset + sizeof(layout::Slot));
    (*slot)->word.store(
        SlotWord(0, layout::SlotPhase::claimed, static_cast<std::uint16_t>(self), false).bits());
  });
  ASSERT_TRUE(victim.lived());
  EXPECT_EQ(client.sessions().size(), 2u);
  victim.kill();
  EXPECT_TRUE(eventually([&] { return client.sessions().size() == 1; }));
  EXPECT_EQ(client.pipes().at(0).skipped, 1u);
  EXPECT_EQ(client.status().recovered_sessions, 1u);
  Peeked found;
  EXPECT_EQ(pipe.view.peek(found), SlotPop::ok);
  EXPECT_TRUE(pipe.view.take(1, found));
  EXPECT_EQ(pipe.view.peek(found), SlotPop::empty);
}

}  // namespace
}  // namespace tarn::raw
