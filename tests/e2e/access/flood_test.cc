// One account uses up what it may have. Nobody else notices.

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>

#include "daemon/worker/access/doorkeeper.h"
#include "tests/e2e/access/access_fixture.h"

namespace tarn::raw {
namespace {

using wire::MessageType;

class FloodTest : public AccessTest {
 protected:
  void SetUp() override {
    AccessTest::SetUp();
    if (IsSkipped()) return;
    start({"--limit", "256MiB"});
    allow(user_rule(kBob, kWrite));
  }
  void limit_bob(const std::function<void(wire::AccessQuota&)>& set) {
    wire::AccessQuota quota{};
    set(quota);
    set_quota(kBob.uid, quota);
  }
  wire::AccessQuota used_by_bob() {
    const auto page = access();
    for (std::size_t i = 0; i < page.account_count; ++i) {
      if (page.accounts[i].uid == kBob.uid) return page.accounts[i].used;
    }
    return {};
  }
};

TEST_F(FloodTest, SilentConnectionsAreFewAndTheOwnerIsServed) {
  EXPECT_EQ(as(kBob,
               [&] {
                 std::vector<Client> silent;
                 for (int i = 0; i < 64; ++i) silent.emplace_back(door().socket);
                 // Some are let in, and hear after a while that they should have said something;
                 // the others hear at once that they are too many.
                 std::uint32_t refused = 0;
                 for (Client& each : silent) {
                   const Error::Code code = each.receive().code();
                   if (code == Error::quota_exceeded) ++refused;
                   if (code != Error::quota_exceeded && code != Error::invalid_argument) return 1;
                 }
                 return refused >= 32 && refused <= 64 - daemon::kMostSilentOfOne ? 0 : 2;
               }),
            0);
  Client owner = session();
  EXPECT_EQ(owner.open_pipe("x").type(), MessageType::pipe_opened);
  EXPECT_TRUE(eventually([&] { return used_by_bob().connections == 0; }));
}

TEST_F(FloodTest, SessionsConnectionsAndPipesHaveTheirQuota) {
  limit_bob([](auto& quota) {
    quota.sessions = 2;
    quota.connections = 4;
    quota.pipes = 2;
  });
  EXPECT_EQ(as(kBob,
               [&] {
                 std::vector<Client> all;
                 for (int i = 0; i < 4; ++i) all.emplace_back(door().socket);
                 if (all[0].begin_session().type() != MessageType::welcome) return 1;
                 if (all[1].begin_session().type() != MessageType::welcome) return 2;
                 if (all[2].begin_session().code() != Error::quota_exceeded) return 3;
                 if (all[3].observe().type() != MessageType::welcome) return 4;
                 Client fourth(door().socket);  // the third was closed with its refusal
                 if (fourth.observe().type() != MessageType::welcome) return 5;
                 if (Client(door().socket).receive().code() != Error::quota_exceeded) return 6;
                 if (all[0].open_pipe("a").type() != MessageType::pipe_opened) return 7;
                 if (all[0].open_pipe("b").type() != MessageType::pipe_opened) return 8;
                 if (all[1].open_pipe("c").code() != Error::quota_exceeded) return 9;
                 if (all[1].open_pipe("a").type() != MessageType::pipe_opened) return 10;
                 if (all[0].remove_pipe("b").type() != MessageType::done) return 11;
                 return 0;
               }),
            0);
  EXPECT_EQ(session().open_pipe("c").type(), MessageType::pipe_opened);
}

TEST_F(FloodTest, MemoryHasItsQuotaAndRefusalsNameNobody) {
  limit_bob([](auto& quota) { quota.bytes = 1 << 20; });
  Client owner = session();
  const MappedPipe pipe(owner.open_pipe("a"));
  Slab large(400);  // more than Bob may see
  large.add.audience = pipe.id;
  const auto added = large.add_to(owner).as<wire::SegmentAdded>();
  ASSERT_TRUE(added);
  const auto names_nobody = [](const Error& error) {
    const std::string text = error.what();
    return text.find("session") == std::string::npos && text.find("pid") == std::string::npos;
  };
  EXPECT_EQ(as(kBob,
               [&] {
                 Client bob(door().socket);
                 bob.begin_session();
                 auto reserve = wire::make<wire::SegmentReserve>(0);
                 reserve.size_bytes = std::uint64_t{2} << 20;
                 const Packet refused = bob.ask(reserve);
                 if (refused.code() != Error::quota_exceeded) return 1;
                 if (!names_nobody(refused.error())) return 2;
                 if (bob.open_pipe("big", 1 << 20).code() != Error::quota_exceeded) return 3;
                 bob.open_pipe("a");
                 auto get = wire::make<wire::SegmentGet>(0);
                 get.index = added->index;
                 get.generation = added->generation;
                 if (bob.ask(get).code() != Error::quota_exceeded) return 4;
                 // Promises pile up neither.
                 reserve.size_bytes = 4096;
                 Packet last;
                 for (int i = 0; i < 20; ++i) last = bob.ask(reserve);
                 if (last.code() != Error::quota_exceeded) return 5;
                 std::uint64_t slabs = 0;
                 while (Slab(16, 1000 + slabs).add_to(bob).type() == MessageType::segment_added) {
                   if (++slabs > 100) return 6;
                 }
                 return slabs > 0 && slabs < 16 ? 0 : 7;
               }),
            0);
  EXPECT_EQ(Slab(400).add_to(owner).type(), MessageType::segment_added);
}

TEST_F(FloodTest, OneSlabRedeemsOnePromise) {
  EXPECT_EQ(as(kBob,
               [&] {
                 Client bob(door().socket);
                 bob.begin_session();
                 const Slab slab(16);
                 auto reserve = wire::make<wire::SegmentReserve>(0);
                 reserve.size_bytes = slab.add.size_bytes;
                 for (int i = 0; i < 3; ++i) {
                   if (bob.ask(reserve).type() != MessageType::done) return 1;
                 }
                 if (slab.add_to(bob).type() != MessageType::segment_added) return 2;
                 return bob.status().used_bytes == 3 * slab.add.size_bytes ? 0 : 3;
               }),
            0);
}

TEST_F(FloodTest, WhatASessionLeftBehindStillCounts) {
  limit_bob([](auto& quota) { quota.bytes = 1 << 20; });
  EXPECT_EQ(
      as(kBob,
         [&] {
           Client keeper(door().socket);
           keeper.begin_session();
           const Packet opened = keeper.open_pipe("a");
           const MappedPipe pipe(opened);
           Client maker(door().socket);
           maker.begin_session();
           maker.open_pipe("a");
           Slab slab(100);
           slab.add.audience = pipe.id;
           const auto added = slab.add_to(maker).as<wire::SegmentAdded>();
           if (!added) return 1;
           // A slot names it, so that the node keeps it when its maker is gone.
           MappedPipe writable(maker.open_pipe("a"));
           writable.push_chunk(maker.welcome.session_index, {added->index, added->generation}, 0);
           maker.ask<wire::Goodbye>();
           Client again(door().socket);
           again.begin_session();
           std::uint64_t slabs = 0;
           while (Slab(100, 5000 + slabs).add_to(again).type() == MessageType::segment_added) {
             if (++slabs > 10) return 2;
           }
           return slabs == 1 ? 0 : 3;
         }),
      0);
}

TEST_F(FloodTest, WhoAsksTooFastWaitsAndTheOwnerDoesNot) {
  limit_bob([](auto& quota) { quota.requests_per_second = 100; });
  void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& answered = *new (memory) std::atomic<std::uint32_t>(0);
  constexpr std::uint32_t kRequests = 400;
  const std::int64_t began_ns = monotonic_ns();
  std::thread flood([&] {
    EXPECT_EQ(as(kBob,
                 [&] {
                   Client bob(door().socket);
                   bob.observe();
                   // All at once, as far as the socket takes them.
                   const auto ask = wire::make<wire::StatusGet>(1);
                   std::uint32_t sent = 0;
                   while (answered < kRequests) {
                     while (sent < kRequests &&
                            os::send_message(bob.socket(), wire::bytes_of(ask), {}, false) ==
                                os::SendOutcome::ok) {
                       ++sent;
                     }
                     if (bob.receive().type() != MessageType::status_reply) return 1;
                     ++answered;
                   }
                   return 0;
                 }),
              0);
  });
  EXPECT_TRUE(eventually([&] { return answered > 0; }));
  Client owner = session();
  for (int i = 0; i < 500; ++i) ASSERT_EQ(owner.status().sessions, 1u);
  flood.join();
  // However fast the machine is: what comes at once after a pause, and then a hundred a second.
  const std::int64_t took_ns = monotonic_ns() - began_ns;
  EXPECT_LE(kRequests, 25 + 100 * took_ns / 1'000'000'000 + 1) << "Bob was served too fast";
  ::munmap(memory, 4096);
}

TEST_F(FloodTest, ConnectingWithoutEndLeavesTheOwnerServed) {
  const pid_t flooder = ::fork();
  if (flooder == 0) {
    ::alarm(kWatchdogSeconds);
    become(kMallory);  // without any right
    const std::string socket = door().socket;
    for (;;) Client each(socket);
  }
  for (int i = 0; i < 50; ++i) {
    Client owner = session();
    EXPECT_EQ(owner.open_pipe("x").type(), MessageType::pipe_opened);
  }
  // Who has a right comes in while the other goes on.
  EXPECT_EQ(as(kBob,
               [&] {
                 Client bob(door().socket);
                 return bob.observe().type() == MessageType::welcome ? 0 : 1;
               }),
            0);
  EXPECT_EQ(::waitpid(flooder, nullptr, WNOHANG), 0) << "the flood has ended by itself";
  ::kill(flooder, SIGKILL);
  ::waitpid(flooder, nullptr, 0);
}

}  // namespace
}  // namespace tarn::raw
