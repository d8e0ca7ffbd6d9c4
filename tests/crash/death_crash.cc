// How sessions end without a word: killed, stopped, as another program, or pretending.

#include <gtest/gtest.h>

#include "tests/e2e/node_fixture.h"

namespace tarn::raw {
namespace {

using wire::MessageType;

class DeathTest : public NodeTest {
 protected:
  void SetUp() override {
    NodeTest::SetUp();
    start();
  }
  static os::FutexWord& life_of(Client& client) { return client.record->life(); }
};

// Its descriptors close at exec, and the word was marked before: no process has to die.
TEST_F(DeathTest, ProcessThatExecutesAnotherProgramKeepsNothing) {
  Client client = session();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kWatchdogSeconds);
    Client own(socket_path());
    own.begin_session();
    own.open_pipe("p");
    os::RobustHold life;
    life.take(life_of(own));
    ::close(ends[0]);
    ::execlp("sleep", "sleep", "100", nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  EXPECT_TRUE(eventually([&] {
    const auto now = client.status();
    return now.recovered_sessions == 1 && now.sessions == 1;
  }));
  EXPECT_EQ(::kill(child, 0), 0) << "it lives";
  EXPECT_EQ(client.pipes().at(0).sessions, 0u);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
}

TEST_F(DeathTest, StoppedProcessIsAlive) {
  Client client = session();
  Victim victim([&] {
    auto* own = new Client(socket_path());  // outlives this function
    own->begin_session();
    own->open_pipe("p");
  });
  ASSERT_TRUE(victim.lived());
  ::kill(victim.pid(), SIGSTOP);
  kill_worker();
  ASSERT_TRUE(client.come_back());
  std::this_thread::sleep_for(1s);
  EXPECT_EQ(client.status().sessions, 2u);
  EXPECT_EQ(client.pipes().at(0).sessions, 1u);
  ::kill(victim.pid(), SIGCONT);
}

// A marked word alone permits nothing: its process runs, and its socket is open.
TEST_F(DeathTest, SessionThatPlaysDeadKeepsWhatItHas) {
  Client client = session();
  Client player = session();
  MappedPipe pipe(player.open_pipe("p"));
  const std::uint32_t announced = announce_sleep(pipe.view.items_bell());
  life_of(player) = os::kOwnerDied;
  os::futex_wake(life_of(player), 1);
  // The node has seen the mark once it wakes those who wait in the pipe.
  ASSERT_TRUE(eventually([&] { return pipe.view.items_bell().load() != announced; }));
  std::this_thread::sleep_for(300ms);  // longer than it goes on looking at the process
  EXPECT_EQ(client.status().sessions, 2u);
  EXPECT_EQ(client.pipes().at(0).sessions, 1u);
  EXPECT_EQ(player.status().worker_starts, 1u);
  // With the socket's end it is gone: that it plays is its own loss.
  player.disconnect();
  EXPECT_TRUE(eventually([&] { return client.status().sessions == 1; }));
}

TEST_F(DeathTest, WordThatNeverRestsCostsTheNodeNothing) {
  Client client = session();
  Client player = session();
  for (std::uint32_t i = 1; i < 10'000; ++i) {
    life_of(player) = i;
    os::futex_wake(life_of(player), 1);
  }
  EXPECT_EQ(client.status().sessions, 2u);
  Victim victim([&] { Client(socket_path()).begin_session(); });
  victim.kill();
  EXPECT_TRUE(eventually([&] { return client.status().sessions == 2; }));
}

// More than one thread of the node can watch.
TEST_F(DeathTest, ThreeHundredSessionsDieAtOnce) {
  Client client = session();
  Victim victim([&] {
    std::vector<Client> many;
    for (int i = 0; i < 300; ++i) {
      many.emplace_back(socket_path());
      if (many.back().begin_session().type() != MessageType::welcome) ::_exit(1);
      many.back().open_pipe("p");
    }
    ::raise(SIGKILL);
  });
  EXPECT_FALSE(victim.lived());
  EXPECT_TRUE(eventually([&] { return client.status().sessions == 1; }));
  EXPECT_EQ(client.status().recovered_sessions, 300u);
  EXPECT_EQ(client.pipes().at(0).sessions, 0u);
}

}  // namespace
}  // namespace tarn::raw
