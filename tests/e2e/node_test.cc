// node_test.cc - a node's life with several clients: begun by them, seen by them, outlived by them.
#include "testing/node_test.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tarn/tarn.h"
#include "testing/shared_board.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;

using testkit::Arguments;
using testkit::await;
using testkit::Child;

constexpr int kClients = 10;

struct Board {
  std::atomic<std::uint32_t> go;
  std::atomic<std::uint32_t> waiting;
  std::atomic<std::uint32_t> joined;
  std::atomic<std::int32_t> keepers[kClients];
};

// Joins together with the others, and leaves when all are there.
int join(const Arguments& arguments) {
  testkit::SharedBoard<Board> board(std::filesystem::path(arguments.at(0)) / "board");
  ++board->waiting;
  while (board->go == 0) {
  }
  Session session = connect({.name = "client"});
  board->keepers[std::stoi(arguments.at(1))] = session.status().keeper_pid;
  ++board->joined;
  await([&] { return board->joined == kClients; });
  return 0;
}

// Every process that runs the tested daemon for this domain, but for its workers' own children.
std::set<pid_t> daemons_of(const testkit::PrivateDomain& domain) {
  std::set<pid_t> found;
  for (const auto& each : std::filesystem::directory_iterator("/proc")) {
    const std::string name = each.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code error;
    if (std::filesystem::read_symlink(each.path() / "exe", error) != domain.daemon_path()) continue;
    std::ifstream environment(each.path() / "environ");
    const std::string text(std::istreambuf_iterator<char>(environment), {});
    if (text.find("XDG_RUNTIME_DIR=" + domain.folder().string()) == std::string::npos) continue;
    std::string program;
    // In the middle of exec it has no words.
    while (program.empty() && std::filesystem::exists(each.path() / "exe", error)) {
      std::ifstream words(each.path() / "cmdline");
      std::getline(words, program, '\0');
    }
    if (!program.empty() && program != "tarn-recover") found.insert(std::stoi(name));
  }
  return found;
}

class NodeLifeTest : public testkit::NodeTest {
 protected:
  NodeLifeTest() : board_(board_file()) {}
  testkit::SharedBoard<Board> board_;
};

TEST_F(NodeLifeTest, TenClientsAtOnceLeaveExactlyOneDaemon) {
  for (int round = 0; round < 5; ++round) {
    std::vector<Child> clients;
    board_->go = 0;
    board_->waiting = 0;
    board_->joined = 0;
    for (int i = 0; i < kClients; ++i) clients.push_back(play("join", {std::to_string(i)}));
    await([&] { return board_->waiting == kClients; });
    board_->go = 1;
    for (Child& each : clients) expect_success(each);
    const std::int32_t keeper = board_->keepers[0];
    for (const auto& each : board_->keepers) EXPECT_EQ(each, keeper);
    Session observer = connect({.observer = true});
    const NodeStatus status = observer.status();
    EXPECT_EQ(status.keeper_pid, keeper);
    EXPECT_EQ(status.worker_starts, 1u);
    EXPECT_TRUE(status.ends_when_idle);
    EXPECT_EQ(daemons_of(domain_), (std::set<pid_t>{status.keeper_pid, status.worker_pid}));
    EXPECT_TRUE(stop_node({}, true));
    EXPECT_EQ(daemons_of(domain_), std::set<pid_t>());
    EXPECT_EQ(testkit::names_below(domain_.folder() / "tarn"), std::set<std::string>());
    EXPECT_FALSE(stop_node({}, true));
  }
}

TEST_F(NodeLifeTest, NumbersFollowWhatHappens) {
  start_node();
  Session observer = connect({.observer = true});
  NodeStatus node = observer.status();
  EXPECT_EQ(node.application, "test");
  EXPECT_EQ(node.user, "tester");
  EXPECT_EQ(node.directory, domain_.run_directory());
  EXPECT_EQ(node.version, version());
  EXPECT_EQ(node.keeper_pid, domain_.keeper_pid());
  EXPECT_EQ(node.sessions, 0u);
  EXPECT_EQ(node.used_bytes, 0u);
  {
    Session first = connect({.name = "first", .quota_bytes = 1 << 30});
    Session second = connect({.name = "second"});
    Pipe in = first.pipe("x", {.capacity = 7, .delivery = Delivery::at_least_once});
    Pipe out = second.open_pipe("x");
    const Pipe idle = second.pipe("y");
    for (const std::size_t size_bytes : {10u, 1000u, 100'000u}) {
      EXPECT_EQ(in.push(std::string(size_bytes, 'm')), PushStatus::ok);
    }
    Popped small = out.pop();
    Popped large = out.pop();

    const PipeStatus pipe = observer.pipe_status("x");
    EXPECT_EQ(pipe.name, "x");
    EXPECT_EQ(pipe.capacity, 7);
    EXPECT_EQ(pipe.delivery, Delivery::at_least_once);
    EXPECT_FALSE(pipe.closed);
    EXPECT_EQ(pipe.pushed, 3u);
    EXPECT_EQ(pipe.popped, 2u);
    EXPECT_EQ(pipe.pushed_bytes, 101'010u);
    EXPECT_EQ(pipe.popped_bytes, 1010u);
    EXPECT_EQ(pipe.depth_high_water, 3);
    EXPECT_EQ(pipe.producers, 1u);
    EXPECT_EQ(pipe.consumers, 1u);
    EXPECT_EQ(pipe.sessions, 2u);

    const auto sessions = observer.sessions();
    ASSERT_EQ(sessions.size(), 2u);
    EXPECT_EQ(sessions[0].id, first.id());
    EXPECT_EQ(sessions[0].name, "first");
    EXPECT_EQ(sessions[0].pid, ::getpid());
    EXPECT_EQ(sessions[0].uid, ::getuid());
    EXPECT_TRUE(sessions[0].connected);
    EXPECT_EQ(sessions[0].quota_bytes, 1u << 30);
    EXPECT_EQ(sessions[0].segments, 2u);
    EXPECT_GE(sessions[0].segment_bytes, 101'000u);
    EXPECT_EQ(sessions[0].pipes, 1u);
    EXPECT_EQ(sessions[0].pushed, 3u);
    EXPECT_EQ(sessions[0].holds, 0u);
    EXPECT_EQ(sessions[1].name, "second");
    EXPECT_EQ(sessions[1].pipes, 2u);
    EXPECT_EQ(sessions[1].popped, 2u);
    EXPECT_EQ(sessions[1].holds, 1u) << "the small one needs no hold";

    node = observer.status();
    EXPECT_EQ(node.sessions, 2u);
    EXPECT_EQ(node.pipes, 2u);
    EXPECT_EQ(node.segments, 2u);
    EXPECT_EQ(observer.pipes().size(), 2u);
    observer.remove_pipe("x");
    observer.remove_pipe("y");
  }
  await([&] { return observer.status().sessions == 0; });
  node = observer.status();
  EXPECT_EQ(node.used_bytes, 0u);
  EXPECT_EQ(node.segments, 0u);
  EXPECT_EQ(node.pipes, 0u);
  EXPECT_EQ(node.recovered_sessions, 0u) << "they ended in order";
}

TEST_F(NodeLifeTest, ManyPipesAndSessionsAreListedWhole) {
  start_node();
  Session session = connect();
  std::vector<Pipe> pipes;
  std::vector<Session> sessions;
  for (int i = 0; i < 100; ++i) {
    pipes.push_back(session.pipe("pipe " + std::to_string(i), {.capacity = 1}));
    if (i % 2 == 0) sessions.push_back(connect({.name = "s" + std::to_string(i)}));
  }
  EXPECT_EQ(session.sessions().size(), 51u);
  std::set<std::string> names;
  for (const PipeStatus& each : session.pipes()) names.insert(each.name);
  EXPECT_EQ(names.size(), 100u);
}

TEST_F(NodeLifeTest, AnObserverStartsAndKeepsNothing) {
  EXPECT_THROW(connect({.observer = true}), Error);
  EXPECT_THROW(connect({.start_node = false}), Error);
  EXPECT_EQ(daemons_of(domain_), std::set<pid_t>());
  start_node();
  Session observer = connect({.observer = true});
  EXPECT_EQ(observer.id(), 0u);
  EXPECT_EQ(observer.sessions().size(), 0u);
  EXPECT_THROW(observer.pipe("x"), Error);
  EXPECT_THROW(observer.loan(10), Error);
}

TEST_F(NodeLifeTest, ClientsLearnThatTheirNodeHasEnded) {
  start_node();
  Session session = connect();
  Pipe pipe = session.pipe("x");
  const std::string large(5000, 'm');
  EXPECT_EQ(pipe.push(large), PushStatus::ok);
  EXPECT_EQ(pipe.pop().status, PopStatus::ok);
  EXPECT_EQ(pipe.push(large), PushStatus::ok);
  EXPECT_TRUE(domain_.stop().is_success());
  // What both ends have mapped stays usable.
  EXPECT_EQ(pipe.push("drop"), PushStatus::ok);
  EXPECT_EQ(pipe.pop().message.size(), 5000u);
  EXPECT_EQ(pipe.pop().message.text(), "drop");
  try {
    session.status();
    FAIL() << "the node has ended";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Error::node_lost) << error.what();
  }
}

TEST_F(NodeLifeTest, WhoOnlyPollsLearnsThatItsNodeHasEnded) {
  start_node();
  Session session = connect();
  Pipe full = session.pipe("full", {.capacity = 1});
  Pipe empty = session.pipe("empty");
  EXPECT_EQ(full.push("in the way"), PushStatus::ok);
  EXPECT_EQ(full.push("no room", 0ns), PushStatus::timed_out);
  EXPECT_EQ(empty.pop(0ns).status, PopStatus::timed_out);
  EXPECT_FALSE(session.is_lost());
  EXPECT_TRUE(domain_.stop().is_success());
  testkit::await([&] { return session.is_lost(); });
  EXPECT_EQ(full.push("no room", 0ns), PushStatus::node_lost);
  EXPECT_EQ(empty.pop(0ns).status, PopStatus::node_lost);
  EXPECT_EQ(full.pop(0ns).message.text(), "in the way");
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {{"join", tarn::join}}); }
