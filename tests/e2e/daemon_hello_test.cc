// Who may join, and what becomes of those who say something else than they should.

#include <gmock/gmock.h>

#include "tests/e2e/node_fixture.h"

namespace tarn::raw {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class HelloTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    start();
    witness_.emplace(session());
  }
  void TearDown() override {
    // Whatever the others did: nobody else noticed.
    EXPECT_EQ(witness_->status().worker_starts, 1u);
    witness_.reset();
    NodeTest::TearDown();
  }
  // The answer to a first message, after which the connection must end.
  Error refused(Client& client, const wire::Hello& hello) {
    const Packet packet = client.ask(hello);
    EXPECT_TRUE(packet.descriptors.empty());
    EXPECT_TRUE(client.receive().ended());
    return packet.error();
  }
  std::optional<Client> witness_;
};

TEST_F(HelloTest, WelcomeSaysWhoOneIs) {
  Client client = session();
  EXPECT_EQ(client.welcome.session_index, 2u);
  EXPECT_NE(client.welcome.session_generation, 0u);
  EXPECT_NE(client.welcome.node_id, 0u);
  EXPECT_GT(client.welcome.limit_bytes, 0u);
  auto table = map_foreign(client.node_table.get(), layout::kNodeBytes, true, false);
  ASSERT_TRUE(table);
  const auto node = NodeTable::attach(*table);
  ASSERT_TRUE(node);
  EXPECT_EQ(node->node_id(), client.welcome.node_id);
  EXPECT_EQ(node->entry(2).generation.load(), client.welcome.session_generation);
  const auto sessions = client.sessions();
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(wire::get_text(sessions[1].name), "raw");
  EXPECT_EQ(sessions[1].pid, ::getpid());
  EXPECT_EQ(sessions[1].connected, 1u);
}

TEST_F(HelloTest, NodeTableCannotBeMappedWritable) {
  Client client = session();
  EXPECT_FALSE(os::map_writable(client.node_table.get(), layout::kNodeBytes));
}

TEST_F(HelloTest, OtherProtocolVersionIsRefusedByName) {
  Client client(socket_path());
  auto hello = client.hello();
  hello.protocol_version = 77;
  const Error error = refused(client, hello);
  EXPECT_EQ(error.code(), Error::version_mismatch);
  EXPECT_THAT(error.object(), AllOf(HasSubstr("protocol"), HasSubstr("77"),
                                    HasSubstr(std::to_string(wire::kProtocolVersion))));
}

TEST_F(HelloTest, OtherLayoutIsRefusedByName) {
  Client client(socket_path());
  auto hello = client.hello();
  hello.layout_version = 99;
  const Error error = refused(client, hello);
  EXPECT_EQ(error.code(), Error::version_mismatch);
  EXPECT_THAT(error.object(), AllOf(HasSubstr("layout"), HasSubstr("99")));
}

TEST_F(HelloTest, OtherByteOrderIsRefusedByName) {
  Client client(socket_path());
  auto hello = client.hello();
  hello.byte_order = 0x0403'0201;
  EXPECT_THAT(refused(client, hello).object(), HasSubstr("byte order"));
  client.reconnect();
  hello = client.hello();
  hello.magic = __builtin_bswap32(wire::kHelloMagic);
  EXPECT_EQ(refused(client, hello).code(), Error::version_mismatch);
}

TEST_F(HelloTest, LongerHelloOfAFutureVersionIsRefusedByItsVersion) {
  Client client(socket_path());
  auto hello = client.hello();
  hello.protocol_version = wire::kProtocolVersion + 1;
  std::vector<std::byte> longer(sizeof hello + 100);
  hello.header.size_bytes = static_cast<std::uint32_t>(longer.size());
  std::memcpy(longer.data(), &hello, sizeof hello);
  client.send_bytes(longer);
  EXPECT_EQ(client.receive().code(), Error::version_mismatch);
  EXPECT_TRUE(client.receive().ended());
}

TEST_F(HelloTest, GarbageHalfAMessageAndAnotherMessageAreRefused) {
  for (const std::size_t size : {1u, 15u, 31u, 32u, 143u, 145u, 8192u}) {
    Client client(socket_path());
    std::vector<std::byte> garbage(size, std::byte{0xa5});
    client.send_bytes(garbage);
    EXPECT_EQ(client.receive().code(), Error::invalid_argument) << size;
    EXPECT_TRUE(client.receive().ended()) << size;
  }
  Client half(socket_path());
  const auto hello = half.hello();
  half.send_bytes(wire::bytes_of(hello).first(100));
  EXPECT_EQ(half.receive().code(), Error::corrupt);
  Client early(socket_path());
  EXPECT_EQ(early.ask<wire::StatusGet>().code(), Error::invalid_argument);
}

TEST_F(HelloTest, OversizedMessageIsRefused) {
  Client client(socket_path());
  client.send_bytes(std::vector<std::byte>(100'000));
  EXPECT_EQ(client.receive().code(), Error::invalid_argument);
  EXPECT_TRUE(client.receive().ended());
}

TEST_F(HelloTest, BadMessageAfterHelloEndsTheConnectionNotTheSession) {
  Client client = session();
  client.send_bytes(std::vector<std::byte>(20, std::byte{1}));
  EXPECT_EQ(client.receive().code(), Error::corrupt);
  EXPECT_TRUE(client.receive().ended());
  EXPECT_TRUE(eventually([&] { return witness_->sessions().at(1).connected == 0; }));
  EXPECT_TRUE(client.come_back());
  EXPECT_EQ(witness_->sessions().at(1).connected, 1u);
}

TEST_F(HelloTest, UnknownMessageTypeIsAnErrorAndNoMore) {
  Client client = session();
  auto odd = wire::make<wire::StatusGet>(0);
  odd.header.type = static_cast<wire::MessageType>(999);
  EXPECT_EQ(client.ask(odd).code(), Error::invalid_argument);
  auto hello_again = client.hello();
  EXPECT_EQ(client.ask(hello_again).code(), Error::invalid_argument);
  EXPECT_EQ(client.status().sessions, 2u);
}

TEST_F(HelloTest, WhoSaysNothingIsClosed) {
  Client silent(socket_path());
  EXPECT_EQ(silent.receive().code(), Error::invalid_argument);  // after the node's patience
  EXPECT_TRUE(silent.receive().ended());
}

TEST_F(HelloTest, ManySilentOnesDoNotKeepOthersOut) {
  std::vector<Client> silent;
  for (int i = 0; i < 1200; ++i) silent.emplace_back(socket_path());
  Client client = session();
  EXPECT_EQ(client.status().sessions, 2u);
  // The first ones had to make place.
  EXPECT_EQ(silent.front().receive().code(), Error::invalid_argument);
}

TEST_F(HelloTest, SegmentThatIsNoneIsRefused) {
  Client client(socket_path());
  EXPECT_EQ(refused(client, client.hello()).code(), Error::invalid_argument);  // no descriptor
  client.reconnect();
  const int not_memory = 0;
  EXPECT_NE(client.ask(client.hello(), std::span(&not_memory, 1)).code(), Error::none);
  client.reconnect();
  auto unsealed = os::create_memory("test", layout::kSessionBytes);
  const int fd = unsealed->get();
  EXPECT_EQ(client.ask(client.hello(), std::span(&fd, 1)).code(), Error::corrupt);
  client.reconnect();
  auto empty = create_segment("test", layout::kSessionBytes, kPage, true);
  const int empty_fd = empty->fd.get();
  EXPECT_EQ(client.ask(client.hello(), std::span(&empty_fd, 1)).code(), Error::corrupt);
}

TEST_F(HelloTest, ObserversLookOnly) {
  Client client = observer();
  EXPECT_EQ(client.welcome.session_index, 0u);
  EXPECT_FALSE(client.node_table);
  EXPECT_EQ(client.sessions().size(), 1u);
  EXPECT_TRUE(client.pipes().empty());
  EXPECT_EQ(client.open_pipe("p").code(), Error::invalid_argument);
}

TEST_F(HelloTest, TokenResumesItsSessionAlone) {
  Client client = session();
  const auto welcome = client.welcome;
  client.disconnect();
  EXPECT_TRUE(eventually([&] { return witness_->sessions().at(1).connected == 0; }));
  const auto try_with = [&](const std::function<void(wire::Welcome&)>& change) {
    client.reconnect();
    client.welcome = welcome;
    change(client.welcome);
    return client.resume().code();
  };
  EXPECT_EQ(try_with([](auto& w) { w.token[5] ^= 1; }), Error::access_denied);
  EXPECT_EQ(try_with([](auto& w) { ++w.session_generation; }), Error::access_denied);
  EXPECT_EQ(try_with([](auto& w) { w.session_index = 1; }), Error::access_denied);
  EXPECT_EQ(try_with([](auto& w) { w.session_index = 4'000'000; }), Error::access_denied);
  EXPECT_EQ(try_with([](auto& w) { w.node_id ^= 1; }), Error::access_denied);
  EXPECT_EQ(try_with([](auto&) {}), Error::none);
  EXPECT_EQ(client.welcome.session_index, welcome.session_index);
  EXPECT_EQ(witness_->sessions().size(), 2u);
}

TEST_F(HelloTest, AnotherProcessCannotResumeWithAStolenToken) {
  Client client = session();
  client.disconnect();
  Victim thief([&] {
    client.reconnect();
    if (client.resume().code() != Error::access_denied) ::_exit(1);
  });
  EXPECT_TRUE(thief.lived());
}

TEST_F(HelloTest, HelloSentAgainAfterALostWelcomeIsTheSameSession) {
  Client client = session();
  const auto first = client.welcome;
  client.disconnect();
  EXPECT_TRUE(eventually([&] { return witness_->sessions().at(1).connected == 0; }));
  client.reconnect();
  EXPECT_EQ(client.begin_session().type(), wire::MessageType::welcome);
  EXPECT_EQ(client.welcome.session_index, first.session_index);
  EXPECT_EQ(client.welcome.token, first.token);
}

TEST_F(HelloTest, OtherUidIsDenied) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  for (std::string path = socket_path(); path.size() > 4; path.erase(path.rfind('/'))) {
    ::chmod(path.c_str(), 0777);  // so that only the check of the uid is in the way
  }
  Victim stranger([&] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(1);
    Client client(socket_path());
    client.send(client.hello(wire::kHelloObserver));
    const Packet packet = client.receive();
    if (packet.code() != Error::access_denied || !packet.descriptors.empty()) ::_exit(2);
    if (!client.receive().ended()) ::_exit(3);
  });
  EXPECT_TRUE(stranger.lived());
  for (std::string path = socket_path(); path.size() > place_.path().size();
       path.erase(path.rfind('/'))) {
    ::chmod(path.c_str(), 0700);
  }
}

TEST_F(HelloTest, WhoDoesNotReadIsDisconnectedAndNobodyElseWaits) {
  Client deaf = session();
  for (int i = 0; i < 20'000; ++i) {
    const auto wish = wire::make<wire::SessionList>(1);
    if (os::send_message(deaf.socket(), wire::bytes_of(wish), {}, false) != os::SendOutcome::ok) {
      break;
    }
  }
  EXPECT_EQ(witness_->status().sessions, 2u);
  EXPECT_TRUE(eventually([&] { return witness_->sessions().at(1).connected == 0; }));
}

TEST_F(HelloTest, NameIsMadeHarmless) {
  Client client(socket_path());
  client.record.emplace(std::move(*SessionRecord::create(*os::identify(os::own_pid()))));
  auto hello = client.hello();
  wire::put_text(hello.name, "a\x1b[2Jb\nc");
  const int fd = client.record->fd();
  ASSERT_EQ(client.ask(hello, std::span(&fd, 1)).type(), wire::MessageType::welcome);
  EXPECT_EQ(wire::get_text(client.sessions().at(1).name), "a?[2Jb?c");
}

}  // namespace
}  // namespace tarn::raw
