// picklingtools_deaths_test.cc - what the death of a producer or consumer costs: the packet in
// hand.
#include <set>

#include "tests/e2e/picklingtools/region_fixture.h"

namespace tarn {
namespace {

using testkit::Arguments;
using testkit::Child;
using testkit::kRegion;

// Roles. Both go on until they are killed.
int produce(const Arguments& arguments) {
  ServerSide server(kRegion, "work", 4);
  server.start();
  for (int_8 n = atoll(arguments.at(1).c_str());; ++n) {
    Val packet = Shared(server.pool(), Tab());
    packet["n"] = n;
    packet["text"] = string(200, 'x');
    server.pipe().enq(packet);
  }
}
int consume(const Arguments&) {
  ClientSide client(kRegion, "work");
  client.start();
  ClientSide back(kRegion, "done");
  back.start();
  for (;;) {
    Val packet = client.pipe().deq();
    if (string(packet["text"]) == string(200, 'x')) back.pipe().enq(packet);
  }
}

class PicklingToolsDeathTest : public testkit::RegionTest {
 protected:
  PicklingToolsDeathTest()
      : main_(kRegion, 1000000), work_(kRegion, "work", 4), done_(kRegion, "done", 4) {
    main_.start();
    work_.start();
    done_.start();
  }
  // Takes so many of the packets that came through, and looks whether any comes twice.
  void take(int count) {
    for (int i = 0; i < count; ++i) {
      Val packet;
      ASSERT_TRUE(done_.pipe().dequeue(60, packet));
      EXPECT_TRUE(seen_.insert(int_8(packet["n"])).second) << "twice: " << packet["n"];
    }
  }
  void drain_done() {
    for (Val packet; done_.pipe().dequeue(0, packet);) {
      if (packet.contains("n")) seen_.insert(int_8(packet["n"]));
    }
  }
  void drain() {
    for (Val packet; work_.pipe().dequeue(0, packet) || done_.pipe().dequeue(0, packet);) {
      if (packet.contains("n")) seen_.insert(int_8(packet["n"]));
    }
  }

  SHMMain main_;
  ServerSide work_;
  ServerSide done_;
  std::set<int_8> seen_;
};

TEST_F(PicklingToolsDeathTest, AKilledProducerLosesAtMostThePacketInHand) {
  Child consumer = play("consume");
  for (int round = 0; round < 10; ++round) {
    Child producer = play("produce", {std::to_string(round * 1000000)});
    take(20 + 7 * round);
    producer.kill();
    // Usable at once; the consumer makes room only while somebody takes what it passes on.
    while (!work_.pipe().enqueue(Tab("{'n':-1,'text':''}"), .01)) drain_done();
  }
  consumer.signal(SIGCONT);
  // What each producer had enqueued came without a gap, as far as it came.
  int_8 expected = 0;
  for (const int_8 n : seen_) {
    if (n % 1000000 == 0) expected = n;
    EXPECT_EQ(n, expected++);
  }
}

TEST_F(PicklingToolsDeathTest, AKilledConsumerLosesAtMostThePacketInHand) {
  Child producer = play("produce", {"0"});
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    Child consumer = play("consume");
    take(20 + 7 * round);
    consumer.kill();
  }
  producer.kill();
  drain();
  const int_8 last = *seen_.rbegin();
  const auto missing = last + 1 - static_cast<int_8>(seen_.size());
  EXPECT_LE(missing, kRounds);
}

TEST_F(PicklingToolsDeathTest, MemoryIsBackAtItsBase) {
  Child consumer = play("consume");
  Child producer = play("produce", {"0"});
  take(50);
  producer.kill();
  consumer.kill();
  drain();
  Session looking = observer();
  testkit::await([&] {
    const NodeStatus status = looking.status();
    return status.sessions == 1 && status.orphan_segments == 0;
  });
  const auto pass_some = [&](int count) {
    for (; count > 0; --count) {
      work_.pipe().enq(Tab("{'n':1}"));
      work_.pipe().deq();
    }
  };
  pass_some(1);  // this process has memory of its own from here on
  const std::uint64_t base = looking.status().used_bytes;
  pass_some(1000);
  EXPECT_EQ(looking.status().sessions, 1u);
  EXPECT_EQ(looking.sessions().at(0).holds, 0u);
  EXPECT_EQ(looking.pipe_status("work").depth, 0);
  Val held;
  work_.pipe().enq(
      Tab("{'n':1,'text':'long enough to stand in a segment of its own, by reference'}"));
  held = work_.pipe().deq();
  EXPECT_EQ(looking.sessions().at(0).holds, 1u);  // holding on too long is seen
  held = None;
  EXPECT_EQ(looking.sessions().at(0).holds, 0u);
  EXPECT_EQ(looking.status().used_bytes, base);
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, {{"produce", tarn::produce}, {"consume", tarn::consume}});
}
