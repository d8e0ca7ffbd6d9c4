// Deaths that take their time, and nodes that have to do without the quickest notice.

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

#include <optional>

#include "tests/crash/death_rig.h"

namespace tarn::raw {
namespace {

// A process of two threads in its end. What it had is not free before the second one is gone, and
// the test holds that one. A child has the socket, so that this does not tell either.
class SlowDeathTest : public DeathTest {
 protected:
  void begin(long options) {
    client_.emplace(session());
    pipe_.emplace(client_->open_pipe("p"));
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    victim_ = ::fork();
    if (victim_ == 0) live(ends[1]);
    EXPECT_EQ(::read(ends[0], &second_, sizeof second_), static_cast<ssize_t>(sizeof second_));
    ::close(ends[0]);
    ::close(ends[1]);
    ASSERT_EQ(::ptrace(PTRACE_SEIZE, second_, nullptr, options), 0);
    ::kill(victim_, SIGKILL);
  }
  // As its tracer we alone hear of the second thread's end; then its process can end.
  void let_go() {
    while (::waitpid(second_, nullptr, __WALL) == second_) {
      if (::ptrace(PTRACE_CONT, second_, nullptr, nullptr) != 0) break;
    }
    ::waitpid(victim_, nullptr, 0);
    EXPECT_TRUE(eventually([&] { return client_->status().sessions == 1; }));
    EXPECT_EQ(client_->status().recovered_sessions, 1u);
    over_.give();
  }

  std::optional<Client> client_;
  std::optional<MappedPipe> pipe_;
  pid_t second_ = 0;

 private:
  [[noreturn]] void live(int said) const {
    ::alarm(kWatchdogSeconds);
    const Claimant claimant(socket_path());
    if (::fork() == 0) {
      ::alarm(kWatchdogSeconds);
      over_.await();
      ::_exit(0);
    }
    std::thread([said] {
      const pid_t self = ::gettid();
      if (::write(said, &self, sizeof self) != static_cast<ssize_t>(sizeof self)) ::_exit(4);
      for (;;) ::pause();
    }).detach();
    for (;;) ::pause();
  }

  pid_t victim_ = 0;
  const testing::Turn over_;
};

TEST_F(SlowDeathTest, ClaimGoesBeforeTheMemoryIsFree) {
  begin(0);
  EXPECT_TRUE(eventually([&] { return word_of(*pipe_, kClaimed) == kFreed; }));
  EXPECT_EQ(client_->status().sessions, 2u);
  EXPECT_EQ(client_->pipes().at(0).sessions, 2u);
  let_go();
}

TEST_F(SlowDeathTest, ClaimStaysWhileAThreadHasYetToEnd) {
  begin(PTRACE_O_TRACEEXIT);
  // Held at the first step of its exit, with all its memory.
  int status = 0;
  ASSERT_EQ(::waitpid(second_, &status, __WALL), second_);
  ASSERT_EQ(status >> 8, SIGTRAP | (PTRACE_EVENT_EXIT << 8));
  std::this_thread::sleep_for(500ms);  // longer than the node looks without asking what is mapped
  const SlotWord word(word_of(*pipe_, kClaimed).load());
  EXPECT_EQ(word.phase(), layout::SlotPhase::claimed);
  EXPECT_EQ(client_->status().sessions, 2u);
  ASSERT_EQ(::ptrace(PTRACE_CONT, second_, nullptr, nullptr), 0);
  EXPECT_TRUE(eventually([&] { return word_of(*pipe_, kClaimed) == kFreed; }));
  let_go();
}

// No thread can be started in the node, so that none can sleep on the life words: the other notices
// have to do.
class ThreadlessNodeTest : public NodeTest {};

TEST_F(ThreadlessNodeTest, ServesAndHearsOfDeaths) {
  start({}, [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = rlim_t{1} << 47;  // each further thread would get the whole address space
    if (::setrlimit(RLIMIT_STACK, &limit) != 0) ::_exit(1);
  });
  Client client = session();
  const MappedPipe pipe(client.open_pipe("p"));
  Victim victim([&] {
    Client own(socket_path());
    own.begin_session();
    word_of(MappedPipe(own.open_pipe("p")), kClaimed) = claimed_by(own);
  });
  ASSERT_TRUE(victim.lived());
  victim.kill();
  EXPECT_TRUE(eventually([&] { return client.status().sessions == 1; }));
  EXPECT_EQ(word_of(pipe, kClaimed).load(), kFreed);
  EXPECT_EQ(client.status().worker_starts, 1u);
}

}  // namespace
}  // namespace tarn::raw
