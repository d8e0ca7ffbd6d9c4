// readiness_test.cc - descriptors at the ends of pipes, as an event loop uses them; and what costs
// no system call.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/shared_board.h"
#include "testing/syscall_ban.h"

namespace tarn {
namespace {

using testkit::Arguments;

struct Board {
  std::atomic<std::uint32_t> pushes_wanted;
  std::atomic<std::uint32_t> pushes_done;
  std::atomic<std::uint32_t> pops_wanted;
  std::atomic<std::uint32_t> pops_done;
  std::atomic<std::uint32_t> close_wanted;
};

bool is_readable(int descriptor) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}
void wait_until_readable(int descriptor) {
  pollfd entry{descriptor, POLLIN, 0};
  while (::poll(&entry, 1, -1) != 1) {
  }
}

// Pushes, pops and closes as the board asks.
int obey(const Arguments& arguments) {
  testkit::SharedBoard<Board> board(std::filesystem::path(arguments.at(0)) / "board");
  Session session = connect({.name = "obey"});
  Pipe pipe = session.pipe("x");
  while (board->close_wanted == 0) {
    if (board->pushes_done < board->pushes_wanted) {
      if (pipe.push("drop") != PushStatus::ok) return 2;
      ++board->pushes_done;
    }
    if (board->pops_done < board->pops_wanted) {
      if (!pipe.pop()) return 3;
      ++board->pops_done;
    }
  }
  pipe.close();
  return 0;
}

// Fills and empties pipes a thousand times, with all system calls banned.
int work_silently(const Arguments&) {
  Session session = connect({.name = "silent"});
  Pipe pipe = session.pipe("x", {.capacity = 4});
  Pipe watched = session.pipe("watched", {.capacity = 4});
  const int items = watched.readable_descriptor();
  const std::string large(5000, 'm');
  // Warm: the slab is there, mapped, and its counters have their pages.
  for (int i = 0; i < 100; ++i) {
    if (pipe.push(large) != PushStatus::ok || !pipe.pop()) return 2;
  }
  if (watched.try_pop().status != PopStatus::empty || is_readable(items)) return 3;
  if (!testkit::ban_system_calls()) return 4;
  for (int i = 0; i < 1000; ++i) {
    if (pipe.try_pop().status != PopStatus::empty) return 5;
    if (watched.try_pop().status != PopStatus::empty) return 6;
    for (int k = 0; k < 4; ++k) {
      if (pipe.push(k % 2 == 0 ? std::string_view("drop") : large) != PushStatus::ok) return 7;
    }
    if (pipe.try_push("drop") != PushStatus::full) return 8;
    for (int k = 0; k < 4; ++k) {
      if (!pipe.pop()) return 9;
    }
  }
  ::_exit(0);
}

class ReadinessTest : public testkit::NodeTest {
 protected:
  ReadinessTest() : board_(board_file()) {
    start_node();
    session_ = connect({.name = "test"});
  }
  testkit::SharedBoard<Board> board_;
  Session session_;
};

TEST_F(ReadinessTest, ReadableWhileThereAreMessages) {
  Pipe pipe = session_.pipe("x");
  const int items = pipe.readable_descriptor();
  EXPECT_EQ(pipe.readable_descriptor(), items);
  EXPECT_EQ(pipe.try_pop().status, PopStatus::empty);
  EXPECT_FALSE(is_readable(items));
  auto other = play("obey");
  for (std::uint32_t round = 1; round <= 20; ++round) {
    board_->pushes_wanted += 2;
    wait_until_readable(items);
    EXPECT_EQ(pipe.pop().status, PopStatus::ok);
    EXPECT_EQ(pipe.pop().status, PopStatus::ok);
    // Level-triggered: only an empty try makes it quiet.
    EXPECT_TRUE(is_readable(items));
    EXPECT_EQ(pipe.try_pop().status, PopStatus::empty);
    EXPECT_FALSE(is_readable(items));
  }
  board_->close_wanted = 1;
  wait_until_readable(items);
  EXPECT_EQ(pipe.try_pop().status, PopStatus::closed);
  EXPECT_TRUE(is_readable(items)) << "closed stays readable";
  expect_success(other);
}

TEST_F(ReadinessTest, WritableWhileThereIsRoom) {
  Pipe pipe = session_.pipe("x", {.capacity = 2});
  const int space = pipe.writable_descriptor();
  wait_until_readable(space);
  auto other = play("obey");
  for (int round = 0; round < 20; ++round) {
    while (pipe.try_push("drop") != PushStatus::full) {
    }
    EXPECT_FALSE(is_readable(space));
    ++board_->pops_wanted;
    wait_until_readable(space);
    EXPECT_EQ(pipe.try_push("drop"), PushStatus::ok);
  }
  EXPECT_EQ(pipe.try_push("drop"), PushStatus::full);
  EXPECT_FALSE(is_readable(space));
  board_->close_wanted = 1;
  wait_until_readable(space);
  EXPECT_EQ(pipe.try_push("drop"), PushStatus::closed);
  expect_success(other);
}

TEST_F(ReadinessTest, OneLoopServesManyPipes) {
  constexpr int kPipes = 200;  // more than one futex wait can take
  const int loop = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Pipe> pipes;
  for (int i = 0; i < kPipes; ++i) {
    pipes.push_back(session_.pipe("x" + std::to_string(i), {.capacity = 2}));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = static_cast<std::uint32_t>(i);
    EXPECT_EQ(::epoll_ctl(loop, EPOLL_CTL_ADD, pipes.back().readable_descriptor(), &event), 0);
    EXPECT_EQ(pipes.back().try_pop().status, PopStatus::empty);
  }
  epoll_event event{};
  EXPECT_EQ(::epoll_wait(loop, &event, 1, 0), 0);
  Session other = connect();
  for (int i = kPipes - 1; i >= 0; --i) {
    Pipe pipe = other.open_pipe("x" + std::to_string(i));
    EXPECT_EQ(pipe.push("drop"), PushStatus::ok);
    ASSERT_EQ(::epoll_wait(loop, &event, 1, -1), 1);
    EXPECT_EQ(event.data.u32, static_cast<std::uint32_t>(i));
    EXPECT_EQ(pipes[event.data.u32].try_pop().status, PopStatus::ok);
    EXPECT_EQ(pipes[event.data.u32].try_pop().status, PopStatus::empty);
    EXPECT_EQ(::epoll_wait(loop, &event, 1, 0), 0);
  }
  ::close(loop);
}

TEST_F(ReadinessTest, ADescriptorGoesWithItsPipe) {
  const std::size_t before = testkit::descriptor_count(::getpid());
  for (int i = 0; i < 20; ++i) {
    Pipe pipe = session_.pipe("x");
    pipe.readable_descriptor();
    pipe.writable_descriptor();
  }
  EXPECT_EQ(testkit::descriptor_count(::getpid()), before);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they call the system
TEST_F(ReadinessTest, NoSystemCallWhereNobodySleeps) {
  auto silent = play("work_silently");
  expect_success(silent);
}
#endif

TEST_F(ReadinessTest, TheBanOnSystemCallsIsOne) {
  const pid_t child = ::fork();
  if (child == 0) {
    testkit::ban_system_calls();
    ::getppid();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv,
                            {{"obey", tarn::obey}, {"work_silently", tarn::work_silently}});
}
