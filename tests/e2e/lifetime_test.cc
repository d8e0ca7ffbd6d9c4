// lifetime_test.cc - messages and loans that live longer than the handles they came from, and those
// that are used with another session's pipes.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "os/process.h"
#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/pattern.h"

namespace tarn {
namespace {

using testkit::await;

constexpr std::size_t kSize = 20'000;

class LifetimeTest : public testkit::NodeTest {
 protected:
  LifetimeTest() {
    start_node();
    observer_ = connect({.observer = true});
  }
  std::size_t session_count() { return observer_.sessions().size(); }
  static Loan filled(Pipe& pipe, std::uint64_t seed) {
    Loan loan = pipe.loan(kSize);
    testkit::fill_pattern(loan.bytes(), seed);
    return loan;
  }
  // A message of another process's would be the same: its slab is not this session's.
  Popped received(std::uint64_t seed) {
    Session session = connect({.name = "receiver"});
    Pipe pipe = session.pipe("x");
    EXPECT_EQ(pipe.push(filled(pipe, seed)), PushStatus::ok);
    return pipe.pop();
  }

  Session observer_;
};

TEST_F(LifetimeTest, AMessageKeepsItsSessionUntilItIsReleased) {
  Popped popped = received(1);
  ASSERT_TRUE(popped);
  EXPECT_EQ(session_count(), 1u);
  EXPECT_TRUE(testkit::has_pattern(popped.message.bytes(), 1));
  popped.message.release();
  await([&] { return session_count() == 0; });
}

TEST_F(LifetimeTest, ALoanKeepsItsSessionUntilItIsGivenBack) {
  std::optional<Loan> loan;
  {
    Session session = connect();
    loan = session.loan(kSize);
  }
  EXPECT_EQ(session_count(), 1u);
  testkit::fill_pattern(loan->bytes(), 2);
  loan.reset();
  await([&] { return session_count() == 0; });
}

TEST_F(LifetimeTest, OnlyTheLastOfManyEndsTheSession) {
  std::vector<Message> held;
  {
    Session session = connect();
    Pipe pipe = session.pipe("x", {.capacity = 64});
    for (std::uint64_t i = 0; i < 40; ++i) {
      ASSERT_EQ(pipe.push(filled(pipe, i)), PushStatus::ok);
      held.push_back(std::move(pipe.pop().message));
    }
  }
  for (std::uint64_t i = 0; i < 40; ++i) {
    EXPECT_TRUE(testkit::has_pattern(held[i].bytes(), i));
    EXPECT_EQ(session_count(), 1u);
    held[i].release();
  }
  await([&] { return session_count() == 0; });
}

TEST_F(LifetimeTest, ManyThreadsLetGoAtTheSameTimeAsTheHandles) {
  constexpr std::size_t kThreads = 4;
  for (std::uint64_t round = 0; round < 30; ++round) {
    std::optional<Session> session = connect();
    std::optional<Pipe> pipe = session->pipe("x", {.capacity = 64});
    std::vector<Message> messages(kThreads);
    std::vector<Loan> loans(kThreads);
    for (std::size_t i = 0; i < kThreads; ++i) {
      ASSERT_EQ(pipe->push(filled(*pipe, round)), PushStatus::ok);
      messages[i] = std::move(pipe->pop().message);
      loans[i] = pipe->loan(kSize);
    }
    std::atomic<std::size_t> ready{0};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        Message message = std::move(messages[i]);
        Loan loan = std::move(loans[i]);
        ++ready;
        while (ready < kThreads + 1) std::this_thread::yield();
      });
    }
    ++ready;
    while (ready < kThreads + 1) std::this_thread::yield();
    pipe.reset();
    session.reset();
    for (std::thread& thread : threads) thread.join();
    await([&] { return session_count() == 0; });
  }
}

TEST_F(LifetimeTest, ALingeringSessionDoesNotKeepOthersFromEnding) {
  Popped first = received(1);
  Popped second = received(2);
  EXPECT_EQ(session_count(), 2u);
  second.message.release();
  await([&] { return session_count() == 1; });
  EXPECT_TRUE(testkit::has_pattern(first.message.bytes(), 1));
  first.message.release();
  await([&] { return session_count() == 0; });
}

TEST_F(LifetimeTest, ALoanGoesThroughAnotherSessionsPipeAsACopy) {
  Session one = connect();
  Session other = connect();
  Pipe pipe = other.pipe("x");
  for (std::uint64_t i = 0; i < 200; ++i) {
    Loan loan = one.loan(kSize);
    testkit::fill_pattern(loan.bytes(), i);
    ASSERT_EQ(pipe.push(std::move(loan)), PushStatus::ok);
    const Popped popped = pipe.pop();
    ASSERT_TRUE(popped);
    EXPECT_TRUE(testkit::has_pattern(popped.message.bytes(), i));
  }
}

TEST_F(LifetimeTest, AMessageGoesThroughAnotherSessionsPipeAsACopy) {
  Session one = connect();
  Session other = connect();
  Pipe here = one.pipe("here");
  Pipe there = other.pipe("there");
  for (std::uint64_t i = 0; i < 200; ++i) {
    ASSERT_EQ(here.push(filled(here, i)), PushStatus::ok);
    ASSERT_EQ(there.push(std::move(here.pop().message)), PushStatus::ok);
    const Popped popped = there.pop();
    ASSERT_TRUE(popped);
    EXPECT_TRUE(testkit::has_pattern(popped.message.bytes(), i));
  }
}

// The goodbye reaches nobody, and the process lives on: the next worker has to see by itself that
// the session is over.
TEST_F(LifetimeTest, ASessionThatEndsWhileNoWorkerIsThereIsNotForgotten) {
  std::optional<Session> session = connect({.name = "leaves"});
  Pipe pipe = session->pipe("x");
  const auto worker = os::open_pidfd(observer_.status().worker_pid);
  ASSERT_TRUE(worker);
  ::kill(domain_.keeper_pid(), SIGSTOP);
  ASSERT_EQ(::waitpid(domain_.keeper_pid(), nullptr, WUNTRACED), domain_.keeper_pid());
  os::signal_process(worker->get(), SIGKILL);
  await([&] { return os::has_exited(worker->get()); });
  pipe = Pipe();
  session.reset();
  ::kill(domain_.keeper_pid(), SIGCONT);
  observer_ = connect({.observer = true});
  await([&] { return session_count() == 0; });
  EXPECT_EQ(observer_.status().worker_starts, 2u);
}

// A process in which no further thread can be started gets an error, and leaves no session.
TEST_F(LifetimeTest, AProcessWithoutFurtherThreadsIsRefusedBySayingSo) {
  pthread_attr_t before;
  pthread_attr_t huge;
  ::pthread_getattr_default_np(&before);
  ::pthread_attr_init(&huge);
  ::pthread_attr_setstacksize(&huge, std::size_t{1} << 47);  // as large as the address space
  ASSERT_EQ(::pthread_setattr_default_np(&huge), 0);
  Error::Code code = Error::none;
  try {
    connect();
  } catch (const Error& error) {
    code = error.code();
  }
  ::pthread_setattr_default_np(&before);
  EXPECT_TRUE(code == Error::os || code == Error::no_memory) << name_of(code);
  await([&] { return session_count() == 0; });
  connect();
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {}); }
