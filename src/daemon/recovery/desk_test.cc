#include "daemon/recovery/desk.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "os/memory.h"

namespace tarn::daemon {
namespace {

constexpr std::uint64_t kAnswers = 1;
constexpr std::uint64_t kProcess = 2;

class NoKeeper final : public RecordSink {
 public:
  void put_bytes(const RecordKey&, std::span<const std::byte>, std::span<const int>) override {}
  void drop_key(const RecordKey&) override {}
};

// The program of the worker before this one may be at a pipe: who ends a session now gives its
// index to another one, which that program would take for the dead one.
TEST(RecoveryDeskTest, NoSessionEndsWhileTheFormerProgramCannotBeLookedAt) {
  const pid_t former = ::fork();
  if (former == 0) {
    for (;;) ::pause();
  }
  auto memory = os::create_memory("test-node", layout::kNodeBytes);
  ASSERT_TRUE(memory);
  auto mapping = os::map_writable(memory->get(), layout::kNodeBytes);
  ASSERT_TRUE(mapping);
  const Segment segment(std::move(*mapping));
  ASSERT_TRUE(format_node(segment, 77));
  NoKeeper keeper;
  NodeState node({}, *NodeTable::attach(segment), -1, keeper);
  node.recovery().former_identity = *os::identify(former);
  auto poller = os::Poller::create();
  ASSERT_TRUE(poller);
  RecoveryDesk desk(node, kAnswers, kProcess);
  SessionItem session;
  session.facts.index = 1;
  session.facts.generation = 1;

  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none{0, limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  desk.begin(*poller);
  desk.resolve(session);
  EXPECT_TRUE(desk.take_finished().empty());
  EXPECT_FALSE(desk.next_timer().is_never()) << "it is looked at again";
  ::setrlimit(RLIMIT_NOFILE, &limit);

  while (!desk.next_timer().has_passed()) std::this_thread::yield();
  desk.on_timer(*poller);
  const auto events = poller->wait(Deadline::never());
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].tag, kProcess) << "its end";
  EXPECT_TRUE(desk.take_finished().empty());
  ::waitpid(former, nullptr, 0);
}

}  // namespace
}  // namespace tarn::daemon
