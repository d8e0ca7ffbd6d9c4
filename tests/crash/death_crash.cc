// How sessions end without a word: killed, stopped, as another program, or pretending.

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/crash/death_rig.h"

namespace tarn::raw {
namespace {

using wire::MessageType;

// Its descriptors close at exec, and the word was marked before: no process has to die.
TEST_F(DeathTest, ProcessThatExecutesAnotherProgramKeepsNothing) {
  Client client = session();
  const MappedPipe pipe(client.open_pipe("p"));
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kWatchdogSeconds);
    const Claimant claimant(socket_path());
    become_another_program();
  }
  await_program(child, "sleep");
  expect_resolved(client, pipe);
  EXPECT_EQ(client.status().recovered_sessions, 1u);
  EXPECT_EQ(::kill(child, 0), 0) << "it lives";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// Nobody sees its socket end; the next worker has only the word, and a process that lives on.
TEST_F(DeathTest, ProcessThatExecutesAnotherProgramWhileNoWorkerIsThereKeepsNothing) {
  Client client = session();
  const MappedPipe pipe(client.open_pipe("p"));
  const testing::Turn ready;
  const testing::Turn go;
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kWatchdogSeconds);
    const Claimant claimant(socket_path());
    ready.give();
    go.await();
    become_another_program();
  }
  ready.await();
  stop_keeper_and_kill_worker(client);
  go.give();
  await_program(child, "sleep");
  daemon_->signal(SIGCONT);
  ASSERT_TRUE(client.come_back());
  expect_resolved(client, pipe);
  EXPECT_EQ(::kill(child, 0), 0) << "it lives";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// The child has the socket, but nothing of the session's memory.
TEST_F(DeathTest, ProcessThatExecutesAnotherProgramBesideItsChildKeepsNothing) {
  Client client = session();
  const MappedPipe pipe(client.open_pipe("p"));
  const testing::Turn end;
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kWatchdogSeconds);
    const Claimant claimant(socket_path());
    if (::fork() == 0) {
      ::alarm(kWatchdogSeconds);
      end.await();
      ::_exit(0);
    }
    become_another_program();
  }
  await_program(child, "sleep");
  expect_resolved(client, pipe);
  EXPECT_EQ(::kill(child, 0), 0) << "it lives";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  end.give();
}

// The node looks into no session that is in quarantine, but its word tells all the same.
TEST_F(DeathTest, SessionInQuarantineThatExecutesAnotherProgramKeepsNothing) {
  Client client = session();
  const MappedPipe pipe(client.open_pipe("p"));
  const testing::Turn ready;
  const testing::Turn go;
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kWatchdogSeconds);
    Claimant claimant(socket_path());
    (*claimant.own.record->segment().at<layout::SegmentHeader>(0))->magic = 0;
    ready.give();
    go.await();
    if (!claimant.own.come_back()) ::_exit(4);
    become_another_program();
  }
  ready.await();
  kill_worker();
  ASSERT_TRUE(client.come_back());
  EXPECT_EQ(client.status().quarantined, 1u);
  go.give();
  await_program(child, "sleep");
  expect_resolved(client, pipe);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
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
  ASSERT_EQ(pipe.push_text(client.welcome.session_index, "to be taken"), SlotPush::ok);
  Peeked found;
  ASSERT_EQ(pipe.view.peek(found), SlotPop::ok);
  ASSERT_TRUE(pipe.view.take(static_cast<std::uint16_t>(player.welcome.session_index), found));
  word_of(pipe, kClaimed) = claimed_by(player);
  const std::uint64_t taken = word_of(pipe, 0);
  const std::uint32_t announced = announce_sleep(pipe.view.items_bell());
  life_of(player) = os::kOwnerDied;
  os::futex_wake(life_of(player), 1);
  // The node has seen the mark once it wakes those who wait in the pipe.
  ASSERT_TRUE(eventually([&] { return pipe.view.items_bell().load() != announced; }));
  std::this_thread::sleep_for(500ms);  // longer than it looks without asking what is mapped
  EXPECT_EQ(client.status().sessions, 2u);
  EXPECT_EQ(client.pipes().at(0).sessions, 1u);
  EXPECT_EQ(word_of(pipe, kClaimed).load(), claimed_by(player));
  EXPECT_EQ(word_of(pipe, 0).load(), taken);
  EXPECT_EQ(player.status().worker_starts, 1u);
  // With the socket's end it is gone: that it plays is its own loss.
  player.disconnect();
  EXPECT_TRUE(eventually([&] { return client.status().sessions == 1; }));
  EXPECT_EQ(word_of(pipe, kClaimed).load(), kFreed);
}

TEST_F(DeathTest, WordThatNeverRestsIsLeftToItsOtherNotices) {
  Client client = session();
  Client player = session();
  const auto is_given_up = [&] {
    std::ostringstream log;
    log << std::ifstream(place_.paths().log_file).rdbuf();
    return log.str().find("plays with its life word") != std::string::npos;
  };
  // The node may see several changes as one.
  ASSERT_TRUE(eventually([&] {
    ++life_of(player);
    os::futex_wake(life_of(player), 1);
    return is_given_up();
  }));
  EXPECT_EQ(client.status().sessions, 2u);
  Victim victim([&] { Client(socket_path()).begin_session(); });
  victim.kill();
  EXPECT_TRUE(eventually([&] { return client.status().sessions == 2; }));
  // From now on nobody sleeps on the word, but it is read when the socket ends.
  life_of(player) = os::kOwnerDied;
  player.disconnect();
  EXPECT_TRUE(eventually([&] { return client.status().sessions == 1; }));
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
