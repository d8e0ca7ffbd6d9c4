// Producers and consumers go on while the keepers of their node are killed, one after another:
// every message comes once, whole and in its producer's order, and no session ends.
//
// The same programs are run under systemd by systemd_test.py:
//   e2e_keeper_ledger_test --role=producer NUMBER | --role=consumer
// each until its standard input ends. A consumer prints what it counted, as JSON.

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <cstdio>
#include <map>

#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "tests/e2e/supervision/service_manager.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::size_t, 4> kSizes = {16, 1'000, 20'000, 300'000};
constexpr auto kPatience = 60s;

struct Stamp {
  std::uint64_t producer;
  std::uint64_t number;
};

bool input_has_ended() {
  pollfd watched{0, POLLIN, 0};
  return ::poll(&watched, 1, 0) == 1;
}

char filling(const Stamp& stamp) {
  return static_cast<char>('a' + (stamp.producer + stamp.number) % 26);
}

int fail(const Session& session, const char* what) {
  const auto refusal = session.last_refusal();
  std::fprintf(stderr, "%s: %s\n", what, refusal ? refusal->what() : "no refusal");
  return 1;
}

int produce(const testkit::Arguments& arguments) {
  Session session = connect({.name = "producer"});
  Pipe out = session.pipe("ledger", {.capacity = 8});
  Stamp stamp{std::strtoull(arguments.at(0).c_str(), nullptr, 10), 0};
  for (; !input_has_ended(); ++stamp.number) {
    std::string text(kSizes[stamp.number % kSizes.size()], filling(stamp));
    std::memcpy(text.data(), &stamp, sizeof stamp);
    if (out.push(text, kPatience) != PushStatus::ok) return fail(session, "push");
  }
  std::printf("{\"producer\": %llu, \"pushed\": %llu, \"session\": %u}\n",
              static_cast<unsigned long long>(stamp.producer),
              static_cast<unsigned long long>(stamp.number), session.id());
  return 0;
}

// What a consumer may say of a message: nothing else than that it is whole.
bool is_whole(std::string_view text, Stamp& stamp) {
  if (text.size() < sizeof stamp) return false;
  std::memcpy(&stamp, text.data(), sizeof stamp);
  return text.size() == kSizes[stamp.number % kSizes.size()] &&
         text.find_first_not_of(filling(stamp), sizeof stamp) == std::string_view::npos;
}

struct Count {
  std::uint64_t messages = 0;
  std::uint64_t sum = 0;  // of their numbers
  std::uint64_t next = 0;
};

int consume(const testkit::Arguments&) {
  Session session = connect({.name = "consumer"});
  Pipe in = session.pipe("ledger", {.capacity = 8});
  std::map<std::uint64_t, Count> counts;
  Message held;
  for (bool ending = false;;) {
    ending = ending || input_has_ended();
    Popped popped = in.pop(ending ? 0ms : 100ms);
    if (!popped && popped.status == PopStatus::timed_out) {
      if (ending) break;
      continue;
    }
    if (!popped) return fail(session, "pop");
    Stamp stamp{};
    if (!is_whole(popped->text(), stamp)) return fail(session, "a torn message");
    Count& count = counts[stamp.producer];
    if (stamp.number < count.next) return fail(session, "out of order, or twice");
    count.next = stamp.number + 1;
    ++count.messages;
    count.sum += stamp.number;
    if (held.size() == 0 && popped->size() > 200'000) held = std::move(popped.message);
  }
  // Held over the deaths of keepers, while its producer looked for free memory.
  Stamp stamp{};
  if (held.size() > 0 && !is_whole(held.text(), stamp)) return fail(session, "a torn held message");
  std::printf("{\"held\": %zu, \"session\": %u, \"counts\": [", held.size(), session.id());
  const char* comma = "";
  for (const auto& [producer, count] : counts) {
    std::printf("%s{\"producer\": %llu, \"messages\": %llu, \"sum\": %llu}", comma,
                static_cast<unsigned long long>(producer),
                static_cast<unsigned long long>(count.messages),
                static_cast<unsigned long long>(count.sum));
    comma = ", ";
  }
  std::printf("]}\n");
  return 0;
}

class KeeperLedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::alarm(raw::kWatchdogSeconds);
    ::setenv("XDG_RUNTIME_DIR", place_.path().c_str(), 1);
    ::setenv("TARN_APPLICATION", "test", 1);
    ::setenv("TARN_USER", "tester", 1);
  }
  Session connect_when_served() {
    for (;;) {
      try {
        return connect({.name = "test", .start_node = false});
      } catch (const Error&) {
        std::this_thread::sleep_for(1ms);
      }
    }
  }
  // Kills the keeper and returns once another one's worker has let `session` in again.
  void kill_keeper(Session& session) {
    const NodeStatus before = session.status();
    ASSERT_EQ(::kill(before.keeper_pid, SIGKILL), 0);
    ASSERT_TRUE(raw::eventually([&] { return session.status().keeper_pid != before.keeper_pid; }));
    EXPECT_EQ(session.status().sessions, before.sessions);
    EXPECT_EQ(session.status().pipes, before.pipes);
  }

  raw::RuntimeDirectory place_;
};

TEST_F(KeeperLedgerTest, WhatIsHeldPushedAndLeftByTheDeadOutlivesFiveKeepers) {
  raw::ManagedNode node(place_, {.crash_at = {}, .daemon = {}});
  Session session = connect_when_served();
  EXPECT_TRUE(session.status().keeps_descriptors);
  Pipe pipe = session.pipe("p", {.capacity = 4});
  const std::uint32_t id = session.id();
  ASSERT_EQ(pipe.push(std::string(100'000, 'h')), PushStatus::ok);
  Popped held = pipe.pop();
  {
    // Its session ends; its message stays.
    Session other = connect({.name = "other"});
    ASSERT_EQ(other.pipe("left", {.capacity = 4}).push(std::string(5'000, 'l')), PushStatus::ok);
  }
  for (int round = 0; round < 5; ++round) {
    const std::string text(1'000 * (static_cast<std::size_t>(round) + 1), 'w');
    ASSERT_EQ(pipe.push(text), PushStatus::ok);
    kill_keeper(session);
    EXPECT_EQ(pipe.pop(kPatience).message.text(), text);
    EXPECT_EQ(held->text(), std::string(100'000, 'h'));
    EXPECT_EQ(session.id(), id);
  }
  EXPECT_EQ(session.pipe("left").pop(kPatience).message.text(), std::string(5'000, 'l'));
  EXPECT_EQ(node.board().starts.load(), 6u);
}

TEST_F(KeeperLedgerTest, NobodyReusesWhatANewcomerOfTheNextKeeperMayHold) {
  raw::ManagedNode node(place_, {.crash_at = {}, .daemon = {}});
  Session owner = connect_when_served();
  Pipe out = owner.pipe("p", {.capacity = 2});
  // A loop of the owner's own, so that it has free chunks and knows of no viewer.
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(out.push(std::string(1'000, 'a')), PushStatus::ok);
    ASSERT_TRUE(out.pop());
  }
  kill_keeper(owner);
  Session viewer = connect({.name = "viewer"});
  Pipe in = viewer.pipe("p");
  ASSERT_EQ(out.push(std::string(1'000, 'b')), PushStatus::ok);
  Popped held = in.pop(kPatience);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(out.push(std::string(1'000, 'c')), PushStatus::ok);
    ASSERT_TRUE(out.pop());
  }
  EXPECT_EQ(held->text(), std::string(1'000, 'b'));
}

TEST_F(KeeperLedgerTest, WhoDiedWithTheKeeperIsRecoveredByTheNext) {
  raw::ManagedNode node(place_, {.crash_at = {}, .daemon = {}});
  Session session = connect_when_served();
  Pipe pipe = session.pipe("p", {.capacity = 4});
  std::optional<Session> own;  // of the victim, until it is killed
  const raw::Victim victim([&] {
    own = connect({.name = "victim"});
    Pipe out = own->pipe("p");
    if (out.push(std::string(1'000, 'v')) != PushStatus::ok) ::_exit(1);
  });
  ASSERT_TRUE(victim.lived());
  const std::int32_t worker = session.status().worker_pid;
  ASSERT_EQ(session.status().sessions, 2u);
  // Stopped, the worker can notice nothing.
  ::kill(worker, SIGSTOP);
  ::kill(victim.pid(), SIGKILL);
  const std::string file = place_.paths().pid_file;
  std::FILE* opened = std::fopen(file.c_str(), "r");
  ASSERT_NE(opened, nullptr);
  int keeper = 0;
  ASSERT_EQ(std::fscanf(opened, "%d", &keeper), 1);
  std::fclose(opened);
  ASSERT_EQ(::kill(keeper, SIGKILL), 0);
  EXPECT_TRUE(raw::eventually([&] { return session.status().sessions == 1; }));
  EXPECT_EQ(pipe.pop(kPatience).message.text(), std::string(1'000, 'v'));
}

TEST_F(KeeperLedgerTest, BeyondTheManagersLimitANewNodeBegins) {
  // Book, channel, a session and a pipe; then the first slab is one too many.
  raw::ManagedNode node(place_, {.crash_at = {}, .keeps = 4, .daemon = {}});
  Session session = connect_when_served();
  Pipe pipe = session.pipe("p", {.capacity = 4});
  kill_keeper(session);
  ASSERT_EQ(pipe.push(std::string(1'000, 'x')), PushStatus::ok);
  // One clear error, and no hanging. A keeper that gets the slab out of the channel still has it;
  // the one after that has not.
  EXPECT_TRUE(raw::eventually([&] {
    try {
      ::kill(session.status().keeper_pid, SIGKILL);
    } catch (const Error& error) {
      return error.code() == Error::node_lost;
    }
    return false;
  }));
  EXPECT_EQ(connect_when_served().status().sessions, 1u);
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, {{"producer", tarn::produce}, {"consumer", tarn::consume}});
}
