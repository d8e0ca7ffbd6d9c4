// descriptors_test.cc - clients and nodes that may open few files: errors by name, nothing lost.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/pattern.h"

namespace tarn {
namespace {

using testkit::Arguments;

// From now on this process may open so many more files.
void allow_more_descriptors(rlim_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  // The limit is one on numbers, and the lowest free one is given next.
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(lowest);
  limit.rlim_cur = static_cast<rlim_t>(lowest) + count;
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

// Which size a message of its own slab has: each next one is of another size class.
std::size_t size_of_class(std::size_t index) {
  return index < 4 ? 64 * (index + 1)
                   : (std::size_t{256} << (index / 4 - 1)) / 4 * (4 + index % 4) + 1;
}
constexpr std::size_t kClasses = 24;

// With every limit from the smallest on: it can join and work, or is told why not.
int join_with_few(const Arguments&) {
  std::size_t refused = 0;
  std::size_t joined = 0;
  for (rlim_t more = 0; more < 16; ++more) {
    allow_more_descriptors(more);
    try {
      Session session = connect();
      Pipe pipe = session.pipe("x");
      Pipe other = session.pipe("y");
      if (pipe.push(std::string(5000, 'm')) != PushStatus::ok) return 2;
      if (!pipe.pop()) return 3;
      pipe.readable_descriptor();
      other.writable_descriptor();
      ++joined;
    } catch (const Error& error) {
      std::printf("%lu more: %s\n", more, error.what());
      if (error.code() != Error::no_descriptors) return 4;
      if (joined > 0) return 5;
      ++refused;
    }
  }
  std::printf("refused %zu times, joined %zu times\n", refused, joined);
  return refused > 0 && joined > 0 ? 0 : 6;
}

// Receives from many slabs and holds everything, with room for one more descriptor; before that
// with room for none.
int receive_with_few(const Arguments& arguments) {
  const std::size_t count = std::stoul(arguments.at(1));
  Session session = connect();
  Pipe pipe = session.pipe("x");
  const std::size_t open = testkit::descriptor_count(::getpid());
  allow_more_descriptors(0);
  const Popped refused = pipe.pop();
  if (refused.status != PopStatus::no_memory) return 2;
  if (!session.last_refusal() || session.last_refusal()->code() != Error::no_descriptors) return 3;
  std::printf("%s\n", session.last_refusal()->what());
  allow_more_descriptors(1);
  std::vector<Popped> held;
  for (std::size_t i = 0; i < count; ++i) {
    held.push_back(pipe.pop());
    if (!held.back()) return 4;
  }
  for (const Popped& each : held) {
    if (!testkit::has_pattern(each.message.bytes(), each.message.position())) return 5;
  }
  return testkit::descriptor_count(::getpid()) == open ? 0 : 6;
}

class DescriptorsTest : public testkit::NodeTest {
 protected:
  // A node that can never open more.
  void start_small_node(rlim_t count) {
    start_node({}, {.before_exec = [count] {
                 const rlimit limit{count, count};
                 ::setrlimit(RLIMIT_NOFILE, &limit);
               }});
  }
};

TEST_F(DescriptorsTest, AClientWithFewIsToldOrWorks) {
  start_node();
  auto client = play("join_with_few");
  expect_success(client);
}

TEST_F(DescriptorsTest, ReceivingFromManySlabsTakesNoDescriptors) {
  start_node();
  constexpr std::size_t kSessions = 6;
  std::vector<Session> sessions;
  for (std::size_t s = 0; s < kSessions; ++s) {
    sessions.push_back(connect());
    Pipe pipe = sessions.back().pipe("x", {.capacity = 1000});
    for (std::size_t i = 0; i < kClasses; ++i) {
      Loan loan = pipe.loan(size_of_class(i));
      testkit::fill_pattern(loan.bytes(), s * kClasses + i);
      ASSERT_EQ(pipe.push(std::move(loan)), PushStatus::ok);
    }
  }
  EXPECT_EQ(sessions[0].status().segments, kSessions * kClasses);
  auto client = play("receive_with_few", {std::to_string(kSessions * kClasses)});
  expect_success(client);
}

// Whatever it lacks descriptors for: accepting, looking up a process, receiving, watching.
class SmallNodeTest : public DescriptorsTest, public ::testing::WithParamInterface<rlim_t> {};
INSTANTIATE_TEST_SUITE_P(Limits, SmallNodeTest, ::testing::Range<rlim_t>(56, 62));

TEST_P(SmallNodeTest, RefusesNewcomersAndServesTheRest) {
  start_small_node(GetParam());
  std::vector<Session> sessions;
  std::optional<Error> refusal;
  while (!refusal) {
    try {
      sessions.push_back(connect());
    } catch (const Error& error) {
      std::printf("after %zu sessions: %s\n", sessions.size(), error.what());
      refusal = error;
    }
  }
  EXPECT_EQ(refusal->code(), Error::no_descriptors) << refusal->what();
  ASSERT_GE(sessions.size(), 8u);
  EXPECT_EQ(sessions.front().sessions().size(), sessions.size());
  sessions.resize(sessions.size() - 3);
  testkit::await([&] { return sessions.front().sessions().size() == sessions.size(); });
  Pipe in = sessions.front().pipe("x");
  EXPECT_EQ(in.push(std::string(5000, 'm')), PushStatus::ok);
  EXPECT_EQ(sessions.back().pipe("x").pop().message.size(), 5000u);
}

TEST_P(SmallNodeTest, RefusesSlabsAndSurvivesItsWorker) {
  start_small_node(GetParam());
  Session session = connect();
  Session other = connect();
  Pipe pipe = session.pipe("x", {.capacity = 1000});
  std::optional<Error> refusal;
  std::size_t pushed = 0;
  while (!refusal) {
    try {
      Loan loan = pipe.loan(size_of_class(pushed));
      testkit::fill_pattern(loan.bytes(), pushed);
      ASSERT_EQ(pipe.push(std::move(loan)), PushStatus::ok);
      ++pushed;
    } catch (const Error& error) {
      std::printf("after %zu slabs: %s\n", pushed, error.what());
      refusal = error;
    }
    ASSERT_LT(pushed, 100u);
  }
  EXPECT_EQ(refusal->code(), Error::no_descriptors) << refusal->what();
  for (std::uint32_t starts = 1; starts < 4; ++starts) {
    EXPECT_TRUE(testkit::kill_child_of(domain_.keeper_pid()));
    testkit::await([&] { return session.status().worker_starts == starts + 1; });
    EXPECT_EQ(session.status().segments, pushed);
  }
  EXPECT_EQ(other.sessions().size(), 2u);
  Pipe out = other.pipe("x");
  for (std::size_t i = 0; i < pushed; ++i) {
    const Popped popped = out.pop();
    ASSERT_EQ(popped.status, PopStatus::ok);
    EXPECT_TRUE(testkit::has_pattern(popped.message.bytes(), i));
  }
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(
      argc, argv,
      {{"join_with_few", tarn::join_with_few}, {"receive_with_few", tarn::receive_with_few}});
}
