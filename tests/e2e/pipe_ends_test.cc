// pipe_ends_test.cc - opening, waiting for, closing and removing pipes between processes.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <limits>
#include <string>
#include <thread>

#include "base/deadline.h"
#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/shared_board.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;
using testkit::Arguments;
using testkit::await;

// What children say of themselves, and what the test lets them do.
struct Board {
  std::atomic<std::uint32_t> has_begun;
  std::atomic<std::uint32_t> count;
  std::atomic<std::uint32_t> status;
};

std::filesystem::path board_in(const Arguments& arguments) {
  return std::filesystem::path(arguments.at(0)) / "board";
}

// Pops until there is nothing more for ever, and says how many and why it ended.
int drain(const Arguments& arguments) {
  testkit::SharedBoard<Board> board(board_in(arguments));
  Session session = connect({.name = "drain"});
  Pipe pipe = session.pipe("x");
  board->has_begun = 1;
  for (;;) {
    const Popped popped = pipe.pop();
    if (!popped) {
      board->status = static_cast<std::uint32_t>(popped.status);
      return 0;
    }
    ++board->count;
  }
}

// Pushes into the pipe for as long as that is possible.
int flood(const Arguments& arguments) {
  testkit::SharedBoard<Board> board(board_in(arguments));
  Session session = connect({.name = "flood"});
  Pipe pipe = session.pipe("x");
  board->has_begun = 1;
  for (;;) {
    const PushStatus status = pipe.push("drop");
    if (status != PushStatus::ok) {
      board->status = static_cast<std::uint32_t>(status);
      return 0;
    }
    ++board->count;
  }
}

class PipeEndsTest : public testkit::NodeTest {
 protected:
  PipeEndsTest() : board_(board_file()) {
    start_node();
    session_ = connect({.name = "test"});
  }
  static void expect_error(Error::Code code, const std::function<void()>& act) {
    try {
      act();
      FAIL() << "expected " << name_of(code);
    } catch (const Error& error) {
      std::printf("%s\n", error.what());
      EXPECT_EQ(name_of(error.code()), name_of(code)) << error.what();
      EXPECT_NE(error.attempted(), "");
      EXPECT_NE(error.object(), "");
      EXPECT_NE(error.cure(), "");
    }
  }
  // Since when a session says that it sleeps at this pipe's end.
  void await_waits(std::uint64_t PipeStatus::*waits, std::uint64_t count) {
    await([&] { return session_.pipe_status("x").*waits >= count; });
  }

  testkit::SharedBoard<Board> board_;
  Session session_;
};

TEST_F(PipeEndsTest, OtherOptionsThanTheExistingPipesAreANamedError) {
  const Pipe pipe = session_.pipe("x", {.capacity = 10, .delivery = Delivery::at_least_once});
  EXPECT_EQ(pipe.name(), "x");
  EXPECT_EQ(pipe.capacity(), 10);
  EXPECT_EQ(pipe.delivery(), Delivery::at_least_once);
  Session other = connect();
  expect_error(Error::option_mismatch, [&] { other.pipe("x", {.capacity = 11}); });
  expect_error(Error::option_mismatch, [&] { other.open_pipe("x", {.capacity = 11}); });
  expect_error(Error::option_mismatch,
               [&] { other.pipe("x", {.delivery = Delivery::at_most_once}); });
  expect_error(Error::exists, [&] { other.create_pipe("x"); });
  expect_error(Error::not_found, [&] { other.open_pipe("y"); });
  EXPECT_EQ(other.pipe("x").capacity(), 10);
  EXPECT_EQ(other.open_pipe("x", {.capacity = 10}).delivery(), Delivery::at_least_once);
}

TEST_F(PipeEndsTest, ImpossibleCapacitiesAndNamesAreNamedErrors) {
  for (const std::int64_t capacity :
       {std::int64_t{0}, std::int64_t{-1}, kMaxCapacity + 1, std::int64_t{1} << 32,
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    expect_error(Error::invalid_argument, [&] { session_.pipe("x", {.capacity = capacity}); });
  }
  for (const std::string& name :
       {std::string(), std::string(64, 'n'), std::string(100'000, 'n'), std::string("a/b"),
        std::string("/"), std::string("a\nb"), std::string("a\0b", 3), std::string("\x7f"),
        std::string("\xff\xfe"), std::string(" a"), std::string("a ")}) {
    expect_error(Error::invalid_argument, [&] { session_.pipe(name); });
    expect_error(Error::invalid_argument, [&] { session_.open_pipe(name); });
    expect_error(Error::invalid_argument, [&] { session_.create_pipe(name); });
    expect_error(Error::invalid_argument, [&] { session_.remove_pipe(name); });
    expect_error(Error::invalid_argument, [&] { session_.pipe_status(name); });
  }
  EXPECT_TRUE(session_.pipes().empty());
  EXPECT_EQ(session_.pipe(std::string(63, 'n'), {.capacity = 1}).capacity(), 1);
  EXPECT_EQ(session_.pipe("\xc3\xa4 b", {.capacity = kMaxCapacity}).capacity(), kMaxCapacity);
}

TEST_F(PipeEndsTest, TryNeverWaits) {
  Pipe pipe = session_.pipe("x", {.capacity = 3});
  EXPECT_EQ(pipe.try_pop().status, PopStatus::empty);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pipe.try_push("drop"), PushStatus::ok);
  EXPECT_EQ(pipe.try_push("drop"), PushStatus::full);
  Loan loan = pipe.loan(1000);
  EXPECT_EQ(pipe.try_push(std::move(loan)), PushStatus::full);
  EXPECT_EQ(loan.size(), 1000u) << "a refused loan must stay";
  EXPECT_EQ(pipe.depth(), 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pipe.try_pop().status, PopStatus::ok);
  EXPECT_EQ(pipe.try_pop().status, PopStatus::empty);
}

TEST_F(PipeEndsTest, TimeoutsAreNeverEarlyOnTheMonotonicClock) {
  Pipe pipe = session_.pipe("x", {.capacity = 1});
  for (const auto timeout : {0ms, 1ms, 50ms, 120ms}) {
    auto began = monotonic_ns();
    EXPECT_EQ(pipe.pop(timeout).status, PopStatus::timed_out);
    EXPECT_GE(monotonic_ns() - began, std::chrono::nanoseconds(timeout).count());
    EXPECT_EQ(pipe.push("drop", timeout), PushStatus::ok);
    Loan loan = pipe.loan(100);
    began = monotonic_ns();
    EXPECT_EQ(pipe.push(std::move(loan), timeout), PushStatus::timed_out);
    EXPECT_GE(monotonic_ns() - began, std::chrono::nanoseconds(timeout).count());
    EXPECT_EQ(loan.size(), 100u) << "a loan that was not pushed must stay";
    EXPECT_EQ(pipe.pop(timeout).status, PopStatus::ok);
  }
  EXPECT_EQ(pipe.pop(-1s).status, PopStatus::timed_out);
  EXPECT_EQ(pipe.push("drop", -1s), PushStatus::ok);
  EXPECT_EQ(pipe.push("drop", -1s), PushStatus::timed_out);
}

TEST_F(PipeEndsTest, AWaitingConsumerIsWokenByAPush) {
  auto consumer = play("drain");
  Pipe pipe = session_.pipe("x");
  await_waits(&PipeStatus::pop_waits, 1);
  EXPECT_EQ(pipe.push("drop"), PushStatus::ok);
  await([&] { return board_->count == 1; });
  await_waits(&PipeStatus::pop_waits, 2);
  pipe.close();
  expect_success(consumer);
  EXPECT_EQ(board_->status, static_cast<std::uint32_t>(PopStatus::closed));
}

TEST_F(PipeEndsTest, AWaitingProducerIsWokenByAPop) {
  Pipe pipe = session_.pipe("x", {.capacity = 2});
  auto producer = play("flood");
  await_waits(&PipeStatus::push_waits, 1);
  EXPECT_EQ(board_->count, 2u);
  EXPECT_EQ(pipe.pop().status, PopStatus::ok);
  await([&] { return board_->count == 3; });
  await_waits(&PipeStatus::push_waits, 2);
  pipe.close();
  expect_success(producer);
  EXPECT_EQ(board_->status, static_cast<std::uint32_t>(PushStatus::closed));
}

TEST_F(PipeEndsTest, AClosedPipeIsDrainedAndThenSaysClosed) {
  Pipe pipe = session_.pipe("x");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(pipe.push("drop"), PushStatus::ok);
  pipe.close();
  pipe.close();
  EXPECT_TRUE(pipe.is_closed());
  EXPECT_EQ(pipe.push("drop"), PushStatus::closed);
  EXPECT_EQ(pipe.try_push("drop"), PushStatus::closed);
  EXPECT_EQ(pipe.push(pipe.loan(1000), 1s), PushStatus::closed);
  EXPECT_TRUE(session_.pipe_status("x").closed);
  auto consumer = play("drain");
  expect_success(consumer);
  EXPECT_EQ(board_->count, 10u);
  EXPECT_EQ(board_->status, static_cast<std::uint32_t>(PopStatus::closed));
  EXPECT_EQ(pipe.pop().status, PopStatus::closed);
  EXPECT_EQ(pipe.try_pop().status, PopStatus::closed);
  EXPECT_EQ(pipe.pop(0s).status, PopStatus::closed);
}

TEST_F(PipeEndsTest, ARemovedPipeEndsForItsUsersAndFreesItsName) {
  Pipe pipe = session_.pipe("x");
  auto consumer = play("drain");
  await([&] { return board_->has_begun == 1; });
  EXPECT_EQ(pipe.push("drop"), PushStatus::ok);
  session_.remove_pipe("x");
  expect_error(Error::not_found, [&] { session_.remove_pipe("x"); });
  expect_error(Error::not_found, [&] { session_.open_pipe("x"); });
  expect_error(Error::not_found, [&] { session_.pipe_status("x"); });
  EXPECT_EQ(pipe.push("drop"), PushStatus::closed);
  expect_success(consumer);
  EXPECT_EQ(board_->count, 1u);
  EXPECT_EQ(board_->status, static_cast<std::uint32_t>(PopStatus::closed));
  Pipe next = session_.create_pipe("x", {.capacity = 5});
  EXPECT_EQ(next.push("drop"), PushStatus::ok);
  EXPECT_EQ(pipe.push("drop"), PushStatus::closed);
}

TEST_F(PipeEndsTest, AClosedAndDrainedPipeMakesPlaceWhenItsLastUserLeaves) {
  {
    Pipe pipe = session_.pipe("x", {.capacity = 5});
    EXPECT_EQ(pipe.push("drop"), PushStatus::ok);
    pipe.close();
    EXPECT_EQ(pipe.pop().status, PopStatus::ok);
  }
  await([&] { return session_.pipes().empty(); });
  EXPECT_EQ(session_.pipe("x", {.capacity = 6}).push("drop"), PushStatus::ok);
  // Undelivered messages keep a pipe that nobody has open.
  EXPECT_EQ(session_.pipe_status("x").depth, 1);
  EXPECT_EQ(session_.open_pipe("x").try_pop().status, PopStatus::ok);
}

TEST_F(PipeEndsTest, MessagesOutliveTheirProducer) {
  Pipe pipe = session_.pipe("x", {.capacity = 8});
  {
    Session producer = connect();
    Pipe out = producer.pipe("x");
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_EQ(out.push(std::string(1000 * i, 'm')), PushStatus::ok);
    }
  }
  await([&] { return session_.sessions().size() == 1; });
  for (std::size_t i = 0; i < 8; ++i) {
    const Popped popped = pipe.pop();
    ASSERT_EQ(popped.status, PopStatus::ok);
    EXPECT_EQ(popped.message.text(), std::string(1000 * i, 'm'));
  }
  await([&] { return session_.status().segments == 0; });
}

TEST_F(PipeEndsTest, ThreadsShareAHandle) {
  Pipe pipe = session_.pipe("x", {.capacity = 16});
  std::atomic<std::uint64_t> sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([pipe]() mutable {
      for (std::uint64_t i = 1; i <= 1000; ++i) {
        EXPECT_EQ(pipe.push_object(i), PushStatus::ok);
      }
    });
    threads.emplace_back([pipe, &sum]() mutable {
      for (int i = 0; i < 1000; ++i) sum += *pipe.pop().message.get<std::uint64_t>();
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(sum, 4u * 500'500u);
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, {{"drain", tarn::drain}, {"flood", tarn::flood}});
}
