// picklingtools_regions_test.cc - how regions and pipes begin and end, and what a death leaves.
#include <chrono>
#include <set>
#include <thread>

#include "tests/e2e/picklingtools/region_fixture.h"

namespace tarn {
namespace {

using testkit::kRegion;

using std::chrono::steady_clock;
using testkit::Arguments;
using testkit::Child;

class PicklingToolsRegionsTest : public testkit::RegionTest {
 protected:
  template <class Call>
  static std::string message_of(Call&& call) {
    try {
      call();
    } catch (const runtime_error& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
};

bool g_break = false;
bool give_up() { return g_break; }

TEST_F(PicklingToolsRegionsTest, EverythingBeforeStartThrows) {
  SHMMain main(kRegion, 100000);
  EXPECT_EQ(main.state(), STOPPED);
  EXPECT_EQ(message_of([&] { main.pool(); }), "Shared memory not started yet");
  EXPECT_EQ(message_of([&] { main.boot(); }), "Shared memory not started yet");
  ServerSide server(kRegion, "pipe", 4);
  EXPECT_EQ(message_of([&] { server.pipe(); }), "Pipe:mempool_boot/mempool not initialized yet");
  ClientSide client(kRegion, "pipe");
  EXPECT_EQ(message_of([&] { client.pipe(); }), "Pipe:mempool_boot/mempool not initialized yet");
  EXPECT_EQ(main.start(), STARTED);
  EXPECT_EQ(main.start(), STARTED);
  EXPECT_NE(main.pool()->allocate(1000), nullptr);
}

TEST_F(PicklingToolsRegionsTest, BadSizesCapacitiesAndNamesThrow) {
  SHMMain nothing(kRegion, 0);
  EXPECT_EQ(message_of([&] { nothing.start(); }).find("Couldn't create main pool:"), 0u);
  SHMMain negative(kRegion, static_cast<std::size_t>(-5));
  EXPECT_EQ(message_of([&] { negative.start(); }), "Couldn't create main pool:a size of -5 bytes");
  SHMMain nameless("", 1000);
  EXPECT_EQ(message_of([&] { nameless.start(); }).find("Couldn't create boot pool:"), 0u);
  SHMMain bad("not a/name", 1000);
  EXPECT_EQ(message_of([&] { bad.start(); }).find("Couldn't create boot pool:"), 0u);
  SHMMain main(kRegion, 1000);
  main.start();
  for (const int capacity : {0, -1, 1 << 30}) {
    ServerSide server(kRegion, "pipe", capacity);
    EXPECT_THROW(server.start(), runtime_error) << capacity;
  }
  for (const char* name : {"", "with/slash", " "}) {
    ServerSide server(kRegion, name, 4);
    EXPECT_THROW(server.start(), runtime_error) << name;
  }
}

TEST_F(PicklingToolsRegionsTest, OldSwitchesAreAcceptedAndChangeNothing) {
  SHMMain main("/" + std::string(kRegion), 1000, false, reinterpret_cast<void*>(0x700000000000));
  EXPECT_TRUE(main.warning(false));
  EXPECT_FALSE(main.warning(true));
  EXPECT_EQ(main.addressRandomization(), testkit::has_random_addresses());
  main.start();
  ServerSide server(kRegion, "pipe", 4, false, reinterpret_cast<void*>(0x700000000000));
  EXPECT_EQ(server.start(), STARTED);
  EXPECT_EQ(server.state(), STARTED);
  EXPECT_EQ(server.boot()->main_pool, server.pool());
  server.pipe().enq(1);
  // One region, one session, with and without the slash.
  EXPECT_EQ(observer().sessions().size(), 1u);
}

TEST_F(PicklingToolsRegionsTest, ABreakCheckerEndsTheWaiting) {
  g_break = true;
  ClientSide nobody(kRegion, "pipe", false, nullptr, give_up, 1000);
  EXPECT_EQ(message_of([&] { nobody.start(); }).find("External break caused"), 0u);
  SHMMain main(kRegion, 1000);
  main.start();
  EXPECT_EQ(message_of([&] { nobody.start(); }).find("External break caused"), 0u);
  g_break = false;
  ServerSide server(kRegion, "pipe", 4);
  server.start();
  nobody.start();
  server.pipe().enq(17);
  EXPECT_EQ(nobody.pipe().deq(), 17);
}

TEST_F(PicklingToolsRegionsTest, ASecondServerSideTakesPartInThePipe) {
  SHMMain main(kRegion, 1000);
  main.start();
  ServerSide first(kRegion, "pipe", 4);
  first.start();
  ClientSide client(kRegion, "pipe");
  client.start();
  ServerSide second(kRegion, "pipe", 9);
  second.start();
  first.pipe().enq(1);
  second.pipe().enq(2);
  EXPECT_EQ(client.pipe().deq(), 1);
  EXPECT_EQ(client.pipe().deq(), 2);
  EXPECT_EQ(observer().pipe_status("pipe").capacity, 4);
}

TEST_F(PicklingToolsRegionsTest, ARestartedSHMMainIsSaidToEverybody) {
  auto main = std::make_unique<SHMMain>(kRegion, 1000);
  main->start();
  ServerSide server(kRegion, "pipe", 4);
  server.start();
  ClientSide client(kRegion, "pipe");
  client.start();
  std::string heard;
  std::thread waiting([&] { heard = message_of([&] { client.pipe().deq(); }); });
  SHMMain again(kRegion, 1000);
  waiting.join();
  EXPECT_NE(heard.find("was started anew"), std::string::npos) << heard;
  EXPECT_NE(message_of([&] { server.pipe().enq(1); }).find("was started anew"), std::string::npos);
  again.start();
  main.reset();  // the older one's end does not end the new one
  server.start();
  client.start();
  server.pipe().enq(2);
  EXPECT_EQ(client.pipe().deq(), 2);
}

TEST_F(PicklingToolsRegionsTest, NothingIsLeftWhenEverybodyHasLeft) {
  {
    SHMMain main(kRegion, 1000);
    main.start();
    ServerSide server(kRegion, "pipe", 4);
    server.start();
    server.pipe().enq("nobody reads this");
  }
  for (const PipeStatus& pipe : observer().pipes()) {
    ADD_FAILURE() << pipe.name << " is left, open in " << pipe.sessions << " sessions";
  }
}

TEST_F(PicklingToolsRegionsTest, DequeueWaitsAsLongAsItIsTold) {
  SHMMain main(kRegion, 1000);
  main.start();
  ServerSide server(kRegion, "pipe", 1);
  server.start();
  Val out = "untouched";
  for (int i = 0; i < 10; ++i) {
    const auto begin = steady_clock::now();
    EXPECT_FALSE(server.pipe().dequeue(.02, out));
    EXPECT_GE(steady_clock::now() - begin, std::chrono::milliseconds(20));
  }
  EXPECT_EQ(out, "untouched");
  EXPECT_TRUE(server.pipe().enqueue(1, .02));
  const auto begin = steady_clock::now();
  EXPECT_FALSE(server.pipe().enqueue(2, .02));
  EXPECT_GE(steady_clock::now() - begin, std::chrono::milliseconds(20));
}

TEST_F(PicklingToolsRegionsTest, AForkedChildAttachesByItself) {
  SHMMain main(kRegion, 1000);
  main.start();
  ServerSide server(kRegion, "pipe", 4);
  server.start();
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      server.pipe().enq(Tab("{'from':'child'}"));
      ::_exit(0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      ::_exit(1);
    }
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(server.pipe().deq()["from"], "child");
}

// --- deaths -------------------------------------------------------------------------------------

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

class PicklingToolsDeathTest : public PicklingToolsRegionsTest {
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

// Role: a region with messages that nobody takes.
int leave_behind(const Arguments&) {
  SHMMain main(kRegion, 1000);
  main.start();
  ServerSide server(kRegion, "left", 4);
  server.start();
  for (int i = 0; i < 3; ++i) server.pipe().enq(Tab("{'old':'text that stands in shared memory'}"));
  ::kill(::getpid(), SIGKILL);
  return 1;
}

TEST_F(PicklingToolsRegionsTest, ARegionEndsWithItsLastProcessWhateverIsQueued) {
  Child owner = play("leave_behind");
  owner.wait();
  testkit::await([&] { return observer().status().sessions == 0; });
  EXPECT_EQ(observer().pipe_status("left").depth, 3);
  g_break = true;
  ClientSide early(kRegion, "left", false, nullptr, give_up, 1000);
  EXPECT_EQ(message_of([&] { early.start(); }).find("External break caused"), 0u);
  g_break = false;
  SHMMain main(kRegion, 1000);
  main.start();
  ServerSide server(kRegion, "left", 4);
  server.start();
  ClientSide client(kRegion, "left");
  client.start();
  EXPECT_TRUE(client.pipe().empty());
  server.pipe().enq(1);
  EXPECT_EQ(client.pipe().deq(), 1);
}

TEST_F(PicklingToolsRegionsTest, WaitingForAPipeTakesOneSessionAndSaysSoOnce) {
  SHMMain main(kRegion, 1000);
  main.start();
  Child client = example("clientside_ex", {kRegion, "later", "1"});
  testkit::await([&] { return observer().sessions().size() == 2; });
  const std::uint32_t first = observer().sessions().at(1).generation;
  for (int i = 0; i < 20; ++i) {  // each look takes longer than the client waits between two of its
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ASSERT_EQ(observer().sessions().size(), 2u);
    ASSERT_EQ(observer().sessions().at(1).generation, first);
  }
  ServerSide server(kRegion, "later", 4);
  server.start();
  server.pipe().enq(Tab("{'a':1}"));
  expect_success_of(client, "clientside_ex");
  const std::string errors = read(output_of("clientside_ex") + ".errors");
  const std::string line = "Waiting for the pipe later";
  EXPECT_NE(errors.find(line), std::string::npos);
  EXPECT_EQ(errors.find(line), errors.rfind(line));
}

TEST_F(PicklingToolsRegionsTest, SHMMainStartsAgainAfterItsNodeIsLost) {
  SHMMain first(kRegion, 1000);
  first.start();
  ServerSide server(kRegion, "pipe", 4);  // keeps what this process had joined
  server.start();
  end_node();
  SHMMain main(kRegion, 1000);
  EXPECT_EQ(main.start(), STARTED);
  server.start();
  server.pipe().enq(5);
  EXPECT_EQ(server.pipe().deq(), 5);
}

TEST_F(PicklingToolsRegionsTest, EmptyOfAnEndedPipeSaysThatItHasEnded) {
  SHMMain main(kRegion, 1000);
  main.start();
  ServerSide server(kRegion, "pipe", 4);
  server.start();
  EXPECT_TRUE(server.pipe().empty());
  SHMMain again(kRegion, 1000);
  EXPECT_NE(message_of([&] { server.pipe().empty(); }).find("was started anew"), std::string::npos);
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
  const std::uint64_t base = looking.status().used_bytes;
  for (int i = 0; i < 100; ++i) {
    work_.pipe().enq(Tab("{'n':1}"));
    work_.pipe().deq();
  }
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
  EXPECT_LE(looking.status().used_bytes, base + (64u << 20));
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv,
                            {{"produce", tarn::produce},
                             {"consume", tarn::consume},
                             {"leave_behind", tarn::leave_behind}});
}
