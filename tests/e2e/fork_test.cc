// fork_test.cc - a fork()ed child has nothing of its parent's session, and harms nothing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/pattern.h"

namespace tarn {
namespace {

// Runs `act` in a fork()ed child; it returns an exit status, which is handed on.
int in_child(const std::function<int()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    testkit::set_watchdog();
    ::_exit(act());
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  return WEXITSTATUS(status);
}

bool throws_forked(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.code() == Error::forked;
  }
  return false;
}

class ForkTest : public testkit::NodeTest {
 protected:
  ForkTest() {
    start_node();
    session_ = connect({.name = "parent"});
    pipe_ = session_.pipe("x", {.capacity = 8});
  }
  void expect_working(std::size_t size_bytes) {
    Loan loan = pipe_.loan(size_bytes);
    testkit::fill_pattern(loan.bytes(), size_bytes);
    EXPECT_EQ(pipe_.push(std::move(loan)), PushStatus::ok);
    const Popped popped = pipe_.pop();
    ASSERT_EQ(popped.status, PopStatus::ok);
    EXPECT_TRUE(testkit::has_pattern(popped.message.bytes(), size_bytes));
  }

  Session session_;
  Pipe pipe_;
};

TEST_F(ForkTest, TheChildIsToldThatItIsOne) {
  EXPECT_EQ(pipe_.push("drop"), PushStatus::ok);
  EXPECT_EQ(pipe_.push(std::string(5000, 'm')), PushStatus::ok);
  Popped held = pipe_.pop();
  Loan loan = pipe_.loan(5000);
  const int status = in_child([&] {
    const std::string large(5000, 'm');
    if (pipe_.pop().status != PopStatus::forked) return 1;
    if (pipe_.try_pop().status != PopStatus::forked) return 2;
    if (pipe_.push("drop") != PushStatus::forked) return 3;
    if (pipe_.try_push(large) != PushStatus::forked) return 4;
    if (pipe_.push(std::move(loan)) != PushStatus::forked) return 5;
    if (pipe_.push(*held) != PushStatus::forked) return 6;
    if (!throws_forked([&] { pipe_.loan(10); })) return 7;
    if (!throws_forked([&] { session_.pipe("y"); })) return 8;
    if (!throws_forked([&] { session_.status(); })) return 9;
    if (!throws_forked([&] { session_.sessions(); })) return 10;
    if (!throws_forked([&] { session_.loan(10); })) return 11;
    if (!throws_forked([&] { session_.remove_pipe("x"); })) return 12;
    if (!throws_forked([&] { pipe_.readable_descriptor(); })) return 13;
    pipe_.close();
    return 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(pipe_.is_closed());
  EXPECT_EQ(pipe_.push(std::move(loan)), PushStatus::ok);
  EXPECT_EQ(pipe_.pop().message.size(), 5000u);
}

TEST_F(ForkTest, WhatTheChildDestroysStaysTheParents) {
  EXPECT_EQ(pipe_.push(std::string(5000, 'm')), PushStatus::ok);
  Popped held = pipe_.pop();
  Loan loan = pipe_.loan(5000);
  pipe_.readable_descriptor();
  const int status = in_child([&] {
    held = Popped();
    loan = Loan();
    pipe_ = Pipe();
    session_ = Session();
    return 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(session_.sessions().size(), 1u);
  EXPECT_EQ(session_.pipes().size(), 1u);
  EXPECT_EQ(held.message.text(), std::string(5000, 'm'));
  testkit::fill_pattern(loan.bytes(), 1);
  EXPECT_EQ(pipe_.push(std::move(loan)), PushStatus::ok);
  EXPECT_TRUE(testkit::has_pattern(pipe_.pop().message.bytes(), 1));
  expect_working(4096);
}

#if !defined(__SANITIZE_THREAD__)  // it knows no threads in a child of a process with threads
TEST_F(ForkTest, TheChildCanConnectAnew) {
  const int status = in_child([&] {
    Session own = connect({.name = "child"});
    if (own.sessions().size() != 2) return 1;
    Pipe out = own.pipe("x");
    if (out.push(std::string(5000, 'c')) != PushStatus::ok) return 2;
    if (out.push("small") != PushStatus::ok) return 3;
    // The parent's handles stay what they are.
    if (pipe_.try_pop().status != PopStatus::forked) return 4;
    return 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(pipe_.pop().message.text(), std::string(5000, 'c'));
  EXPECT_EQ(pipe_.pop().message.text(), "small");
  testkit::await([&] { return session_.sessions().size() == 1; });
  expect_working(100'000);
}

TEST_F(ForkTest, ChildrenOfChildrenCanConnectToo) {
  const int status = in_child([&] {
    Session own = connect({.name = "child"});
    Pipe out = own.pipe("x");
    const int inner = in_child([&] {
      if (out.push("drop") != PushStatus::forked) return 1;
      Session innermost = connect({.name = "grandchild"});
      return innermost.pipe("x").push("inner") == PushStatus::ok ? 0 : 2;
    });
    if (inner != 0) return 10 + inner;
    return out.push("outer") == PushStatus::ok ? 0 : 3;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(pipe_.pop().message.text(), "inner");
  EXPECT_EQ(pipe_.pop().message.text(), "outer");
}

TEST_F(ForkTest, AChildThatLivesOnDoesNotKeepItsParentsSessionAlive) {
  // The first child joins, forks the second, and dies by SIGKILL; the second holds all it
  // inherited.
  int gate[2];
  ASSERT_EQ(::pipe2(gate, O_CLOEXEC), 0);
  const pid_t first = ::fork();
  if (first == 0) {
    Session own = connect({.name = "first"});
    Pipe out = own.pipe("x");
    out.push(std::string(5000, 'f'));
    if (::fork() == 0) {
      ::close(gate[1]);
      char c = 0;
      ::_exit(::read(gate[0], &c, 1) == 0 ? 0 : 1);
    }
    ::raise(SIGKILL);
  }
  ::close(gate[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(first, &status, 0), first);
  testkit::await([&] { return session_.sessions().size() == 1; });
  EXPECT_EQ(session_.status().recovered_sessions, 1u);
  EXPECT_EQ(pipe_.pop().message.text(), std::string(5000, 'f'));
  testkit::await([&] { return session_.status().orphan_segments == 0; });
  ::close(gate[1]);
}
#endif

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }
