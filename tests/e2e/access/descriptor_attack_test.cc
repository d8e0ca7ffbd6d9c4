// Accounts that send the node descriptors which whoever closes them waits for.

#include <gtest/gtest.h>

#include "testing/closing/slow_to_close.h"
#include "tests/e2e/access/access_fixture.h"
#include "tests/e2e/access/send_raw.h"

namespace tarn::raw {
namespace {

using testing::SlowToClose;
using wire::MessageType;

bool can_keep_descriptors_out() {
  const auto ends = os::socket_pair();
  return ends && os::allow_descriptors(ends->first.get(), false);
}

// The node serves its owner, whatever it closes for others meanwhile.
void expect_served(Client& owner, int times = 20) {
  for (int i = 0; i < times; ++i) ASSERT_GE(owner.status().sessions, 1u);
}

TEST_F(AccessTest, WhoHasNoRightCannotSendDescriptors) {
  if (!can_keep_descriptors_out()) GTEST_SKIP() << "this kernel cannot keep descriptors out";
  start();
  allow(user_rule(kBob, kRead));
  for (const Account& each : {kMallory, kBob}) {
    EXPECT_EQ(as(each,
                 [&] {
                   SlowToClose trap;
                   Client visitor(door().socket);
                   const auto fd = trap.slow.get();
                   // Without any right the visit may be over already.
                   if (send_raw(visitor.socket(), 144, {fd}) >= 0) return 1;
                   if (errno != EPERM && errno != EPIPE) return 1;
                   if (visitor.knock().code() != Error::access_denied) return 2;
                   return send_raw(visitor.socket(), 144, {fd}) < 0 ? 0 : 3;
                 }),
              0)
        << "uid " << each.uid;
  }
  EXPECT_EQ(as(kBob,
               [&] {
                 Client observer(door().socket);
                 return observer.observe().type() == MessageType::welcome ? 0 : 1;
               }),
            0)
      << "who brings nothing need not knock";
}

TEST_F(AccessTest, WhatIsSlowToCloseKeepsNobodyElseWaiting) {
  start();
  allow(user_rule(kBob, kWrite));
  allow(user_rule(kCarol, kWrite));
  Client owner = session();
  // Each with another way to make the node close what came along.
  const Victim bob([&] {
    become(kBob);
    static std::vector<SlowToClose> traps(3);
    const auto send = [&](Client& client, std::size_t bytes, std::size_t trap, std::size_t times) {
      const std::vector<int> fds(times, traps[trap].slow.get());
      if (send_raw(client.socket(), bytes, fds) < 0) ::_exit(1);
      // Elsewhere: where the node was quicker, the last to close it is Bob, who has to wait
      // himself.
      std::thread([mine = std::move(traps[trap].slow)]() mutable { mine.reset(); }).detach();
    };
    // In place of a session's segment.
    Client stranger(door().socket);
    stranger.knock();
    send(stranger, sizeof(wire::Hello), 0, 1);
    if (stranger.receive().type() != MessageType::error) ::_exit(2);
    // Beside nonsense, of a session.
    Client session(door().socket);
    if (session.begin_session().type() != MessageType::welcome) ::_exit(3);
    send(session, 16, 2, 5);
    if (session.receive().type() != MessageType::error) ::_exit(4);
    // Beside nothing at all, as many as the kernel takes: then he has to wait himself.
    Client silent(door().socket);
    silent.knock();
    send(silent, 0, 1, os::kMostDescriptorsOfAnybody);
  });
  ASSERT_TRUE(bob.lived());
  expect_served(owner);
  EXPECT_EQ(as(kCarol,
               [&] {
                 Client carol(door().socket);
                 return carol.begin_session().type() == MessageType::welcome ? 0 : 1;
               }),
            0)
      << "the door is open";
}

}  // namespace
}  // namespace tarn::raw
