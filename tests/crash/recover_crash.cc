// tarn-recover dies: at every crash point of its own, by hand a hundred times, and by itself
// whenever it looks at one pipe, or before it is ready. Whatever happens to it, the end is that of
// one clean recovery, or a verdict.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <fstream>
#include <sstream>

#include "os/life/process_stat.h"
#include "testing/pattern.h"
#include "testing/swept_points.h"
#include "tests/e2e/node_fixture.h"

namespace tarn::raw {
namespace {

using ::testing::HasSubstr;
using wire::MessageType;

constexpr std::uint32_t kClaims = 5;
constexpr std::uint32_t kTaken = 3;
constexpr int kRecoverSocket = 3;

class RecoverCrashTest : public NodeTest {
 protected:
  static wire::PipeOpen wish(const char* name, std::int64_t capacity, std::uint32_t delivery) {
    auto wish = wire::make<wire::PipeOpen>(0);
    wire::put_text(wish.name, name);
    wish.has_capacity = 1;
    wish.capacity = capacity;
    wish.has_delivery = 1;
    wish.delivery = delivery;
    return wish;
  }
  static layout::Slot& slot_of(const MappedPipe& pipe, std::uint32_t index) {
    return **pipe.segment.at<layout::Slot>(layout::kSlotsOffset + index * sizeof(layout::Slot));
  }

  // In the process that will be killed: it claims slots and takes messages in both pipes.
  void take_and_claim(std::int64_t capacity) {
    Client own(socket_path());
    if (own.begin_session().type() != MessageType::welcome) ::_exit(1);
    const auto self = static_cast<std::uint16_t>(own.welcome.session_index);
    for (const char* name : {"p", "q"}) {
      MappedPipe pipe(own.ask(wish(name, capacity, 1)));
      if (!pipe.view) ::_exit(2);
      for (std::uint32_t i = 0; i < kTaken; ++i) {
        Peeked found;
        if (pipe.view.peek(found) != SlotPop::ok || !pipe.view.take(self, found)) ::_exit(3);
      }
      const auto last = static_cast<std::uint32_t>(capacity);
      for (std::uint32_t i = last - kClaims; i < last; ++i) {
        slot_of(pipe, i).word.store(SlotWord(0, layout::SlotPhase::claimed, self, false).bits());
      }
    }
  }
  void push_some(Client& client, std::int64_t capacity) {
    for (const char* name : {"p", "q"}) {
      MappedPipe pipe(client.ask(wish(name, capacity, 1)));
      for (std::uint32_t i = 0; i < kTaken; ++i) {
        pipe.push_text(client.welcome.session_index, "to be taken");
      }
    }
  }
  // Until only this client is left.
  void kill_one_at_work(Client& client) {
    push_some(client, 32);
    {
      Victim victim([&] { take_and_claim(32); });
      ASSERT_TRUE(victim.lived());
    }
    ASSERT_TRUE(eventually([&] { return client.status().sessions == 1; }));
  }
  // A descriptor of the program that stands by; none while there is none.
  static os::UniqueFd recover_process(Client& client) {
    const std::int32_t pid = client.status().recover_pid;
    if (pid == 0) return {};
    auto process = os::open_pidfd(pid);
    // Its number may have become somebody else's before we had the descriptor.
    if (!process || client.status().recover_pid != pid) return {};
    return std::move(*process);
  }
  std::string log() const {
    std::ostringstream text;
    text << std::ifstream(place_.paths().log_file).rdbuf();
    return text.str();
  }
  static wire::PipeFacts facts_of(Client& client, const char* name) {
    for (const auto& each : client.pipes()) {
      if (wire::get_text(each.name) == name) return each;
    }
    return {};
  }
  // The slots are exact. A statistic may lack one for each death between a slot and its counting.
  void expect_clean(Client& client, const char* name, std::uint32_t deaths) {
    const auto facts = facts_of(client, name);
    EXPECT_LE(facts.skipped, kClaims) << name;
    EXPECT_GE(facts.skipped + deaths, kClaims) << name;
    EXPECT_LE(facts.redelivered, kTaken) << name;
    EXPECT_GE(facts.redelivered + deaths, kTaken) << name;
    EXPECT_EQ(facts.sessions, 1u) << name;
    const MappedPipe pipe(client.open_pipe(name));
    const std::uint32_t slots = pipe.view.slot_count();
    for (std::uint32_t i = 0; i < slots; ++i) {
      const SlotWord word(slot_of(pipe, i).word.load());
      const bool was_taken = i < kTaken;
      const bool was_claimed = i >= slots - kClaims;
      const SlotWord expected =
          was_taken ? SlotWord(0, layout::SlotPhase::ready, 0, true)
                    : SlotWord(was_claimed ? 1 : 0, layout::SlotPhase::free, 0, false);
      ASSERT_EQ(word.bits(), expected.bits()) << name << ", slot " << i;
    }
  }
  // Lives and dies as a whole; returns how often tarn-recover was started.
  std::uint32_t one_life(std::uint64_t crash_at) {
    const std::string point = std::to_string(crash_at);
    start({}, [&] { ::setenv("TARN_RECOVER_CRASH_AT", point.c_str(), 1); });
    Client client = session();
    kill_one_at_work(client);
    const auto after = client.status();
    expect_clean(client, "p", after.recover_starts - 1);
    expect_clean(client, "q", after.recover_starts - 1);
    EXPECT_EQ(after.worker_starts, 1u);
    EXPECT_EQ(after.quarantined, 0u);
    client.ask<wire::Goodbye>();
    daemon_.reset();
    EXPECT_TRUE(place_.is_empty());
    return after.recover_starts;
  }
};

#ifdef TARN_CRASH_POINTS
TEST_F(RecoverCrashTest, EveryPointEndsAsOneCleanRecovery) {
  const testing::SweptPoints points;
  std::uint64_t crash_at = 1;
  for (;; ++crash_at) {
    SCOPED_TRACE("crash point " + std::to_string(crash_at));
    ::alarm(kWatchdogSeconds);
    const std::uint32_t starts = one_life(crash_at);
    if (HasFailure() || starts == 1) break;
  }
  EXPECT_GT(crash_at, 2 * (kClaims + kTaken)) << "each slot has a point of its own";
  points.expect_all({"recover.begun", "recover.job.taken", "recover.job.mapped",
                     "pipe.recover.claimed", "pipe.recover.taken", "pipe.recover.resolved",
                     "recover.job.resolved", "recover.job.answered"});
}

TEST_F(RecoverCrashTest, PipeOnWhichItFailsComesIntoQuarantine) {
  start({}, [] { ::setenv("TARN_RECOVER_FAILS_ON", "1", 1); });
  Client client = session();
  ASSERT_NO_FATAL_FAILURE(kill_one_at_work(client));
  const auto status = client.status();
  EXPECT_EQ(status.worker_starts, 1u);
  EXPECT_EQ(status.recover_starts, 4u);
  ASSERT_EQ(status.quarantined, 1u);
  EXPECT_EQ(wire::get_text(status.verdicts[0].object), "pipe 'p'");
  EXPECT_THAT(std::string(wire::get_text(status.verdicts[0].text)), HasSubstr("signal 6"));
  const Packet refused = client.open_pipe("p");
  EXPECT_EQ(refused.code(), Error::corrupt);
  EXPECT_THAT(refused.error().object(), HasSubstr("in quarantine"));
  expect_clean(client, "q", 0);
  EXPECT_EQ(client.remove_pipe("p").type(), MessageType::done);
  auto leave = wire::make<wire::PipeLeave>(0);
  leave.pipe_id = 1;
  client.ask(leave);
  EXPECT_EQ(client.status().quarantined, 0u);
  EXPECT_EQ(client.open_pipe("p").type(), MessageType::pipe_opened);
}

// Those who wait in it have to learn that nothing comes any more, also when the worker dies between
// its verdict and the closing.
TEST_F(RecoverCrashTest, PipeInQuarantineIsClosedByTheNextWorker) {
  start({}, [] {
    ::setenv("TARN_RECOVER_FAILS_ON", "1", 1);
    ::setenv("TARN_CRASH_AT", "node.quarantine.stored:1", 1);
  });
  Client client = session();
  push_some(client, 32);
  const MappedPipe pipe(client.open_pipe("p"));
  {
    Victim victim([&] { take_and_claim(32); });
    ASSERT_TRUE(victim.lived());
  }
  ASSERT_TRUE(eventually([&] {
    const auto now = client.insist(wire::make<wire::StatusGet>(0)).as<wire::StatusReply>();
    return now && now->worker_starts == 2 && now->sessions == 1;
  }));
  EXPECT_EQ(client.status().quarantined, 1u);
  EXPECT_TRUE(pipe.view.is_closed());
}

// No pipe is at fault, and nobody waits for it: the worker does the work itself.
TEST_F(RecoverCrashTest, ProgramThatNeverComesUpCostsNoPipe) {
  start({}, [] { ::setenv("TARN_RECOVER_NEVER_READY", "1", 1); });
  Client client = session();
  ASSERT_NO_FATAL_FAILURE(kill_one_at_work(client));
  expect_clean(client, "p", 0);
  expect_clean(client, "q", 0);
  const std::int64_t began_ns = monotonic_ns();
  const std::uint32_t before = client.status().recover_starts;
  std::this_thread::sleep_for(1s);
  const auto status = client.status();
  EXPECT_EQ(status.quarantined, 0u);
  EXPECT_EQ(status.worker_starts, 1u);
  EXPECT_EQ(status.recover_pid, 0);
  // It is tried again, ever more slowly.
  const auto seconds = static_cast<std::uint32_t>((monotonic_ns() - began_ns) / 1'000'000'000);
  EXPECT_LE(status.recover_starts - before, 6 + seconds);
}

// It would never be ready, and never end: another one is started.
TEST_F(RecoverCrashTest, ProgramThatHangsBeforeItIsReadyIsReplaced) {
  start({}, [] { ::setenv("TARN_RECOVER_FIRST_HANGS", "1", 1); });
  Client client = session();
  ASSERT_NO_FATAL_FAILURE(kill_one_at_work(client));
  expect_clean(client, "p", 0);
  expect_clean(client, "q", 0);
  EXPECT_EQ(client.status().recover_starts, 2u);
  EXPECT_EQ(client.status().worker_starts, 1u);
}
#endif

// A claim that stayed would be that of the next session with the same index.
TEST_F(RecoverCrashTest, ProgramThatCannotMapAPipeLeavesNoClaim) {
  start();
  Client client = session();
  push_some(client, 32);
  ASSERT_TRUE(eventually([&] { return client.status().recover_pid != 0; }));
  {
    Victim victim([&] { take_and_claim(32); });
    ASSERT_TRUE(victim.lived());
    const rlimit nothing_more{1, 1};
    ASSERT_EQ(::prlimit(client.status().recover_pid, RLIMIT_AS, &nothing_more, nullptr), 0);
  }
  ASSERT_TRUE(eventually([&] { return client.status().sessions == 1; }));
  // Where it needs memory even to read its job, it dies, and the next one has no such limit.
  EXPECT_TRUE(client.status().recover_starts > 1 ||
              log().find("could not map pipe") != std::string::npos);
  expect_clean(client, "p", 0);
  expect_clean(client, "q", 0);
  EXPECT_EQ(client.status().quarantined, 0u);
}

TEST_F(RecoverCrashTest, NodeThatCanStartNoProgramResolvesClaimsItself) {
  start();
  Client client = session();
  push_some(client, 32);
  const std::int32_t worker = client.status().worker_pid;
  rlimit before{};
  {
    Victim victim([&] { take_and_claim(32); });
    ASSERT_TRUE(victim.lived());
    ASSERT_TRUE(eventually([&] { return client.status().recover_pid != 0; }));
    const os::UniqueFd process = recover_process(client);
    ASSERT_EQ(::prlimit(worker, RLIMIT_NOFILE, nullptr, &before), 0);
    const rlimit none{0, before.rlim_max};
    ASSERT_EQ(::prlimit(worker, RLIMIT_NOFILE, &none, nullptr), 0);
    os::signal_process(process.get(), SIGKILL);
  }
  EXPECT_TRUE(eventually([&] { return client.status().sessions == 1; }));
  EXPECT_EQ(client.status().recover_pid, 0);
  ASSERT_EQ(::prlimit(worker, RLIMIT_NOFILE, &before, nullptr), 0);
  expect_clean(client, "p", 0);
  expect_clean(client, "q", 0);
  EXPECT_TRUE(eventually([&] { return client.status().recover_pid != 0; }));
  EXPECT_EQ(client.status().worker_starts, 1u);
}

// The node knows what has to stand there, and those who use the pipe go on.
TEST_F(RecoverCrashTest, OverwrittenHeaderIsWrittenAnewAndTheJobDoneAgain) {
  start();
  Client client = session();
  push_some(client, 32);
  {
    Victim victim([&] { take_and_claim(32); });
    ASSERT_TRUE(victim.lived());
    const MappedPipe pipe(client.open_pipe("p"));
    const auto header = pipe.segment.at<layout::PipeHeader>(0);
    (*header)->slot_count = 0xffff'ffff;
    (*header)->segment.magic = 0;
  }
  ASSERT_TRUE(eventually([&] { return client.status().sessions == 1; }));
  EXPECT_EQ(client.status().quarantined, 0u);
  expect_clean(client, "p", 0);
  expect_clean(client, "q", 0);
}

// It may be in the middle of a pipe, and would take the next session of that index for the dead
// one.
TEST_F(RecoverCrashTest, NoSessionEndsBeforeTheLastWorkersProgramHas) {
  start();
  Client client = session();
  push_some(client, 32);
  ASSERT_TRUE(eventually([&] { return client.status().recover_pid != 0; }));
  const std::int32_t former = client.status().recover_pid;
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, former, nullptr, PTRACE_O_TRACEEXIT), 0);
  Victim victim([&] { take_and_claim(32); });
  ASSERT_TRUE(victim.lived());
  kill_worker();
  ASSERT_TRUE(client.come_back());
  int status = 0;
  ASSERT_EQ(::waitpid(former, &status, __WALL), former);
  ASSERT_EQ(status >> 8, SIGTRAP | (PTRACE_EVENT_EXIT << 8)) << "it is on its way out, and held";
  victim.kill();
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(client.status().sessions, 2u);
  EXPECT_EQ(client.status().recover_pid, 0);
  ASSERT_EQ(::ptrace(PTRACE_CONT, former, nullptr, nullptr), 0);
  EXPECT_TRUE(eventually([&] { return client.status().sessions == 1; }));
  expect_clean(client, "p", 0);
  expect_clean(client, "q", 0);
  ::waitpid(former, nullptr, __WALL);
}

// A large ring, so that its work takes a while. The first kill meets it at a job in any case.
TEST_F(RecoverCrashTest, HundredKillsInItsWork) {
  constexpr std::int64_t kCapacity = 1 << 18;
  start();
  Client client = session();
  push_some(client, kCapacity);
  std::uint32_t kills = 0;
  {
    // It sleeps when it has said that it is ready, and waits for jobs: before that it gets none.
    ASSERT_TRUE(eventually([&] {
      const auto stat = os::stat_of(client.status().recover_pid);
      return stat && stat->state == 'S';
    }));
    const os::UniqueFd first = recover_process(client);
    ASSERT_TRUE(first);
    os::signal_process(first.get(), SIGSTOP);
    Victim victim([&] { take_and_claim(kCapacity); });
    ASSERT_TRUE(victim.lived());
    victim.kill();
    {
      // It is stopped: what its socket has to read are its jobs.
      const os::UniqueFd socket(
          static_cast<int>(::syscall(SYS_pidfd_getfd, first.get(), kRecoverSocket, 0)));
      ASSERT_TRUE(os::wait_readable(socket.get(), Deadline::in(60s)));
    }
    os::signal_process(first.get(), SIGKILL);
    ++kills;
  }
  testkit::Chance chance(testkit::announce_seed());
  while (kills < 100) {
    const os::UniqueFd process = recover_process(client);
    if (!process) continue;
    ::usleep(static_cast<useconds_t>(chance.below(3000)));
    os::signal_process(process.get(), SIGKILL);
    ++kills;
  }
  ASSERT_TRUE(eventually([&] { return client.status().sessions == 1; }));
  expect_clean(client, "p", kills);
  expect_clean(client, "q", kills);
  EXPECT_EQ(client.status().worker_starts, 1u);
  EXPECT_EQ(client.status().quarantined, 0u);
  EXPECT_THAT(log(), HasSubstr("tarn-recover ended by signal 9 (Killed) at pipe"));
}

}  // namespace
}  // namespace tarn::raw
