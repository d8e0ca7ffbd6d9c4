// Keeper and worker are killed: what is in memory goes on, everything else gets one clear error in
// bounded time, and the same programs have a new node by connecting anew.

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <thread>

#include "tarn/tarn.h"
#include "testing/clean_node.h"
#include "testing/node_test.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;

// Longer than a session waits for its node to come back.
constexpr auto kPatience = 30s;

// The first client starts the node, which is nobody's child then.
class NodeDeathTest : public testkit::NodeTest {
 protected:
  // The worker ends with its keeper.
  static void kill_node(Session& session) {
    ASSERT_EQ(::kill(session.status().keeper_pid, SIGKILL), 0);
  }
};

TEST_F(NodeDeathTest, WhoWaitsIsToldAndANewNodeServes) {
  Session producer = connect({.name = "producer"});
  Session consumer = connect({.name = "consumer"});
  Pipe out = producer.pipe("p", {.capacity = 2});
  Pipe in = consumer.pipe("p");
  Pipe quiet = consumer.pipe("quiet");
  const int descriptor = quiet.readable_descriptor();
  ASSERT_EQ(out.push(std::string(1000, 'x')), PushStatus::ok);
  ASSERT_TRUE(in.pop());
  PopStatus waited = PopStatus::ok;
  std::thread waiter([&] { waited = quiet.pop().status; });
  kill_node(producer);
  const auto exchange = [&] {
    EXPECT_EQ(out.push(std::string(1000, 'y')), PushStatus::ok);
    EXPECT_EQ(in.pop(kPatience).message.text(), std::string(1000, 'y'));
  };
  exchange();
  waiter.join();
  EXPECT_EQ(waited, PopStatus::node_lost);
  exchange();  // what needs no waiting still works
  EXPECT_EQ(out.push("one"), PushStatus::ok);
  EXPECT_EQ(out.push("two"), PushStatus::ok);
  EXPECT_EQ(out.push("one too many", kPatience), PushStatus::node_lost);
  EXPECT_EQ(out.push(std::string(100'000, 'z')), PushStatus::no_memory) << "no new slab";
  EXPECT_EQ(producer.last_refusal()->code(), Error::node_lost);
  EXPECT_EQ(quiet.try_pop().status, PopStatus::node_lost);
  pollfd watched{descriptor, POLLIN, 0};
  EXPECT_EQ(::poll(&watched, 1, 60'000), 1) << "an event loop is told, too";
  EXPECT_THROW(producer.pipe("another"), Error);

  Session anew = connect({.name = "anew"});
  Pipe again = anew.pipe("p");
  EXPECT_EQ(again.push("hello"), PushStatus::ok);
  EXPECT_EQ(again.pop().message.text(), "hello");
  testing::expect_clean_node();
  EXPECT_TRUE(stop_node({}, true));
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }
