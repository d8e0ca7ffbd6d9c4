// picklingtools_ends_test.cc - what those hear who are still there when others have ended: the
// node, the region, the server, the main thread.
#include "tests/e2e/picklingtools/region_fixture.h"

namespace tarn {
namespace {

using testkit::Arguments;
using testkit::Child;
using testkit::kRegion;

class PicklingToolsEndsTest : public testkit::RegionTest {
 protected:
  // Looks until it hears something, for it may take a moment; what it hears.
  template <class Look>
  static std::string heard_by(Look&& look) {
    std::string heard;
    testkit::await([&] {
      try {
        look();
        return false;
      } catch (const runtime_error& error) {
        heard = error.what();
        return true;
      }
    });
    return heard;
  }
};

constexpr const char* kNodeHasGone = "has ended with its region";

TEST_F(PicklingToolsEndsTest, WhoOnlyPollsHearsThatTheNodeHasGone) {
  SHMMain main(kRegion, 1000);
  main.start();
  std::vector<std::unique_ptr<ServerSide>> servers;  // each hears it by itself
  for (const char* name : {"dequeue", "small", "table", "empty"}) {
    servers.push_back(std::make_unique<ServerSide>(kRegion, name, 1));
    servers.back()->start();
  }
  servers[1]->pipe().enq(1);
  servers[2]->pipe().enq(1);
  end_node();
  Val out;
  const std::string heard[] = {
      heard_by([&] { servers[0]->pipe().dequeue(0, out); }),
      heard_by([&] { servers[1]->pipe().enqueue(2, 0); }),
      heard_by([&] { servers[2]->pipe().enqueue(Tab("{'a':1}"), 0); }),
      heard_by([&] { servers[3]->pipe().empty(); }),
  };
  for (const std::string& each : heard) {
    EXPECT_NE(each.find(kNodeHasGone), std::string::npos) << each;
  }
  // What stands in memory can be taken still.
  EXPECT_FALSE(servers[1]->pipe().empty());
  EXPECT_EQ(servers[1]->pipe().deq(), 1);
}

TEST_F(PicklingToolsEndsTest, APipeWhoseNodeHasGoneIsNotAnotherOneOfItsName) {
  SHMMain main(kRegion, 1000);
  main.start();
  ServerSide server(kRegion, "pipe", 4);
  server.start();
  CQ& pipe = server.pipe();
  end_node();
  heard_by([&] { pipe.empty(); });
  SHMMain again(kRegion, 1000);
  again.start();
  ServerSide other(kRegion, "pipe", 4);
  other.start();
  other.pipe().enq(1);
  EXPECT_NE(heard_by([&] { pipe.empty(); }).find(kNodeHasGone), std::string::npos);
  server.start();
  EXPECT_EQ(pipe.deq(), 1);
}

TEST_F(PicklingToolsEndsTest, AServerThatEndsLeavesItsPipeToTheClientWhoIsThere) {
  auto main = std::make_unique<SHMMain>(kRegion, 1000);
  main->start();
  auto server = std::make_unique<ServerSide>(kRegion, "pipe", 4);
  server->start();
  Session another = connect(options());
  Pipe client = another.open_pipe("pipe");
  server->pipe().enq(1);
  server.reset();
  testkit::await([&] { return another.pipe_status("pipe").sessions == 1; });
  main.reset();
  EXPECT_FALSE(client.is_closed());
  EXPECT_EQ(another.pipe_status("pipe").depth, 1);
}

// Role: what is static enqueues and dequeues when main() has returned, and with it its thread's
// own.
struct Last {
  std::unique_ptr<ServerSide> server;
  ~Last() {
    server->pipe().enq(2);
    server->pipe().enq(string(100, 'x'));
    server->pipe().enq(None);
  }
};
int end_late(const Arguments&) {
  static Last last;
  last.server = std::make_unique<ServerSide>(kRegion, "pipe", 8);
  last.server->start();
  last.server->pipe().enq(1);
  last.server->pipe().enq(Tab("{'a':1}"));
  return 0;
}

TEST_F(PicklingToolsEndsTest, WhatIsStaticMayEnqueueWhenItEnds) {
  SHMMain main(kRegion, 1000);
  main.start();
  ServerSide server(kRegion, "pipe", 8);
  server.start();
  Child late = play("end_late");
  expect_success(late);
  const Val expected[] = {1, Tab("{'a':1}"), 2, string(100, 'x'), None};
  for (const Val& each : expected) {
    Val came = "nothing";
    ASSERT_TRUE(server.pipe().dequeue(0, came));
    EXPECT_EQ(came, each);
  }
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, {{"end_late", tarn::end_late}});
}
