// Files that cannot be closed before somebody else allows it, and who must not wait for that.

#include <gtest/gtest.h>

#include "os/life/robust.h"
#include "tarn/pipe.h"
#include "tarn/session.h"
#include "testing/closing/stuck_to_close.h"
#include "testing/turn.h"
#include "tests/e2e/access/access_fixture.h"
#include "tests/e2e/access/send_raw.h"

namespace tarn::raw {
namespace {

using testing::StuckToClose;
using wire::MessageType;

// The node serves its owner, whatever hangs meanwhile.
void expect_served(Client& owner) {
  for (int i = 0; i < 20; ++i) ASSERT_GE(owner.status().sessions, 1u);
}

class StuckTest : public AccessTest {
 protected:
  void SetUp() override {
    AccessTest::SetUp();
    if (IsSkipped()) return;
    if (!file_) GTEST_SKIP() << "this kernel has no FUSE";
    start();
    allow(user_rule(kBob, kWrite));
    allow(user_rule(kCarol, kWrite));
  }
  // Beside nonsense, so many times; whoever called has to be let go of before it can end.
  void send_stuck(Client& client, std::size_t times) const {
    const int own = ::open(file_.path().c_str(), O_RDWR | O_CLOEXEC);
    if (send_raw(client.socket(), 16, std::vector<int>(times, own)) < 0) ::_exit(1);
  }
  // Bob's process, with a session and so many descriptors that the node cannot close.
  pid_t start_bob(std::size_t times) {
    const pid_t bob = ::fork();
    if (bob != 0) return bob;
    ::alarm(kWatchdogSeconds);
    become(kBob);
    Client client(door().socket);
    if (client.begin_session().type() != MessageType::welcome) ::_exit(2);
    send_stuck(client, times);
    ::_exit(0);
  }

  StuckToClose file_;
};

// Its end has begun, as the kernel tells; it is not over before the program runs.
TEST_F(StuckTest, AProcessThatHangsInExecHoldsUpNobody) {
  Client owner = session();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kWatchdogSeconds);
    Client own(socket_path());
    if (own.begin_session().type() != MessageType::welcome) ::_exit(1);
    os::RobustHold life;
    if (!life.take(own.record->life())) ::_exit(2);
    file_.hang_in_exec();
  }
  file_.await_close();
  std::this_thread::sleep_for(500ms);  // longer than the node looks without asking what is mapped
  expect_served(owner);
  file_.release();
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(eventually([&] { return owner.status().sessions == 1; }));
}

// The kernel does not say who it is, or whether it runs: a session of another account's, and one
// that would begin a session.
TEST_F(StuckTest, AGuestThatHangsInExecHoldsUpNobody) {
  Client owner = session();
  const testing::Turn turn;
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kWatchdogSeconds);
    become(kBob);
    Client own(door().socket);
    if (own.begin_session().type() != MessageType::welcome) ::_exit(1);
    os::RobustHold life;
    if (!life.take(own.record->life())) ::_exit(2);
    // A connection of this process, at which its child says hello once it hangs.
    Client other(door().socket);
    other.knock();
    if (::fork() == 0) {
      turn.await();
      const int fd = own.record->fd();
      other.send(other.hello(), std::span(&fd, 1));
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) ::pause();
    }
    file_.hang_in_exec();
  }
  file_.await_close();
  turn.give();
  std::this_thread::sleep_for(500ms);
  expect_served(owner);
  file_.release();
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(eventually([&] { return owner.status().sessions == 1; }));
}

TEST_F(StuckTest, WhoMakesTheNodeUnableToCloseIsKeptOutAlone) {
  constexpr std::size_t kMany = 100;
  Client owner = session();
  const pid_t bob = start_bob(kMany);
  file_.await_close();
  file_.await_close();  // one of them is the node's
  ASSERT_TRUE(eventually([&] {
    const auto page = access();
    for (std::size_t i = 0; i < page.account_count; ++i) {
      if (page.accounts[i].uid == kBob.uid) return page.accounts[i].used.descriptors >= kMany;
    }
    return false;
  })) << "they count as his";
  EXPECT_EQ(as(kBob,
               [&] {
                 Client client(door().socket);
                 return client.knock().code() == Error::quota_exceeded ? 0 : 1;
               }),
            0);
  EXPECT_EQ(as(kCarol,
               [&] {
                 Client client(door().socket);
                 return client.begin_session().type() == MessageType::welcome ? 0 : 1;
               }),
            0);
  expect_served(owner);
  file_.release();
  ::waitpid(bob, nullptr, 0);
  EXPECT_TRUE(eventually([&] {
    return as(kBob, [&] {
             Client client(door().socket);
             return client.knock().type() == MessageType::done ? 0 : 1;
           }) == 0;
  }));
}

// A program begins with a copy of what is open, and waits until it has closed what is not for it.
TEST_F(StuckTest, ProgramsAreStartedWhateverHangs) {
  constexpr std::size_t kMany = 100;
  Client owner = session();
  ASSERT_TRUE(eventually([&] { return owner.status().recover_pid != 0; }));
  const pid_t bob = start_bob(kMany);
  file_.await_close();
  file_.await_close();
  const auto before = owner.status();
  ASSERT_EQ(::kill(before.recover_pid, SIGKILL), 0);
  EXPECT_TRUE(eventually([&] {
    const auto now = owner.status();
    return now.recover_starts > before.recover_starts && now.recover_pid != 0;
  }));
  expect_served(owner);
  EXPECT_EQ(owner.status().worker_pid, before.worker_pid);
  file_.release();
  ::waitpid(bob, nullptr, 0);
}

// Not even by SIGKILL: a thread of it closes Bob's file. Its end of every line stays open
// meanwhile.
TEST_F(StuckTest, AWorkerThatTheKernelDoesNotLetDieIsReplaced) {
  ::setenv("XDG_RUNTIME_DIR", place_.path().c_str(), 1);
  Session owner = connect({.application = "test", .user = "tester", .start_node = false});
  const Pipe before = owner.pipe("before");
  const pid_t bob = start_bob(1);
  file_.await_close();
  file_.await_close();  // his own, and the node's
  kill_worker();
  const Pipe after = owner.pipe("after");
  EXPECT_EQ(after.name(), "after");
  EXPECT_EQ(as(kCarol,
               [&] {
                 Client client(door().socket);
                 return client.begin_session().type() == MessageType::welcome ? 0 : 1;
               }),
            0);
  file_.release();
  ::waitpid(bob, nullptr, 0);
}

TEST_F(StuckTest, ANodeEndsThoughItsWorkerDoesNot) {
  const pid_t bob = start_bob(1);
  file_.await_close();
  file_.await_close();
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0);
  file_.release();
  ::waitpid(bob, nullptr, 0);
}

}  // namespace
}  // namespace tarn::raw
