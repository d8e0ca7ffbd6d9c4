// picklingtools_regions_test.cc - how regions and pipes begin and end, and what a death leaves.
#include <chrono>
#include <thread>

#include "tests/e2e/picklingtools/region_fixture.h"

namespace tarn {
namespace {

using testkit::kRegion;

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
    EXPECT_EQ(server.state(), STOPPED);
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
  // Programs have their references from before.
  CQ& to = server.pipe();
  CQ& from = client.pipe();
  server.start();
  client.start();
  EXPECT_EQ(&server.pipe(), &to);
  to.enq(2);
  EXPECT_EQ(from.deq(), 2);
}

TEST_F(PicklingToolsRegionsTest, AReferenceToAPipeSurvivesAStartThatFails) {
  g_break = false;
  SHMMain main(kRegion, 1000);
  main.start();
  ServerSide server(kRegion, "pipe", 4, false, nullptr, give_up);
  server.start();
  CQ& pipe = server.pipe();
  { SHMMain end_the_older_one(kRegion, 1000); }
  g_break = true;
  EXPECT_THROW(server.start(), runtime_error);
  EXPECT_EQ(server.state(), STOPPED);
  EXPECT_EQ(message_of([&] { pipe.enq(1); }), "This pipe is not started");
  EXPECT_EQ(message_of([&] { pipe.empty(); }), "This pipe is not started");
  EXPECT_THROW(server.pipe(), runtime_error);
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

#if !defined(__SANITIZE_THREAD__)  // it knows no threads in a child of a process with threads
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
#endif

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

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, {{"leave_behind", tarn::leave_behind}});
}
