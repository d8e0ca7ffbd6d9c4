// pipe_delivery_test.cc - what becomes of a message whose consumer does not finish with it.
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>

#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/pattern.h"
#include "testing/shared_board.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;
using testkit::Arguments;
using testkit::await;

struct Board {
  std::atomic<std::uint32_t> holding;
};

constexpr std::size_t kLarge = 100'000;

// Takes the asked number of messages, and holds them until it is killed.
int hold(const Arguments& arguments) {
  testkit::SharedBoard<Board> board(std::filesystem::path(arguments.at(0)) / "board");
  Session session = connect({.name = "hold"});
  Pipe pipe = session.pipe("x");
  std::vector<Popped> held;
  for (int i = 0; i < std::stoi(arguments.at(1)); ++i) {
    held.push_back(pipe.pop());
    EXPECT_EQ(held.back().status, PopStatus::ok);
    ++board->holding;
  }
  await([] { return false; });
  return 0;
}

class PipeDeliveryTest : public testkit::NodeTest {
 protected:
  PipeDeliveryTest() : board_(board_file()) {
    start_node();
    session_ = connect({.name = "test"});
  }
  // Pushes messages 0 to count - 1, of both kinds in turn.
  static void push_some(Pipe& pipe, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Loan loan = pipe.loan(i % 2 == 0 ? 8 : kLarge);
      testkit::fill_pattern(loan.bytes(), i);
      ASSERT_EQ(pipe.push(std::move(loan)), PushStatus::ok);
    }
  }
  static bool is_message(const Message& message, std::size_t number) {
    return message.size() == (number % 2 == 0 ? 8 : kLarge) &&
           testkit::has_pattern(message.bytes(), number);
  }
  void hold_and_die(int count) {
    auto consumer = play("hold", {std::to_string(count)});
    await([&] { return board_->holding == static_cast<std::uint32_t>(count); });
    EXPECT_EQ(consumer.kill().signal, SIGKILL);
    await([&] { return session_.sessions().size() == 1; });
  }

  testkit::SharedBoard<Board> board_;
  Session session_;
};

TEST_F(PipeDeliveryTest, AnAcknowledgedMessageIsGone) {
  Pipe pipe = session_.pipe("x", {.capacity = 2, .delivery = Delivery::at_least_once});
  push_some(pipe, 2);
  for (std::size_t i = 0; i < 2; ++i) {
    Popped popped = pipe.pop();
    ASSERT_EQ(popped.status, PopStatus::ok);
    EXPECT_TRUE(is_message(*popped, i));
    EXPECT_FALSE(popped->redelivered());
    EXPECT_EQ(pipe.try_push("drop"), PushStatus::full) << "the slot is still taken";
    popped->acknowledge();
    popped->acknowledge();
    EXPECT_TRUE(is_message(*popped, i)) << "acknowledged, and still held";
    EXPECT_EQ(pipe.try_push("drop"), PushStatus::ok);
  }
  EXPECT_EQ(session_.pipe_status("x").redelivered, 0u);
}

TEST_F(PipeDeliveryTest, AReleasedMessageGoesBackMarked) {
  Pipe pipe = session_.pipe("x", {.delivery = Delivery::at_least_once});
  push_some(pipe, 2);
  for (int round = 0; round < 3; ++round) {
    Popped first = pipe.pop();
    ASSERT_TRUE(first);
    EXPECT_TRUE(is_message(*first, 0));
    EXPECT_EQ(first->redelivered(), round > 0);
    EXPECT_EQ(first->position(), 0u);
    Popped second = pipe.pop();
    ASSERT_TRUE(second);
    EXPECT_TRUE(is_message(*second, 1));
    EXPECT_EQ(second->position(), 1u);
    EXPECT_EQ(pipe.try_pop().status, PopStatus::empty);
    first->release();
    EXPECT_EQ(first->size(), 0u);
  }
  EXPECT_EQ(session_.pipe_status("x").redelivered, 6u);
}

TEST_F(PipeDeliveryTest, AMessageThatWasPassedOnIsAcknowledged) {
  Pipe pipe = session_.pipe("x", {.delivery = Delivery::at_least_once});
  Pipe next = session_.pipe("y");
  push_some(pipe, 2);
  for (std::size_t i = 0; i < 2; ++i) {
    Popped popped = pipe.pop();
    EXPECT_EQ(next.push(std::move(*popped)), PushStatus::ok);
  }
  EXPECT_EQ(pipe.try_pop().status, PopStatus::empty);
  EXPECT_EQ(session_.pipe_status("x").redelivered, 0u);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_TRUE(is_message(*next.pop(), i));
}

TEST_F(PipeDeliveryTest, WhatAKilledConsumerHeldComesAgainMarked) {
  Pipe pipe = session_.pipe("x", {.delivery = Delivery::at_least_once});
  push_some(pipe, 6);
  hold_and_die(4);
  std::set<std::uint64_t> again;
  for (int i = 0; i < 6; ++i) {
    Popped popped = pipe.pop();
    ASSERT_TRUE(popped);
    EXPECT_TRUE(is_message(*popped, popped->position()));
    EXPECT_EQ(popped->redelivered(), popped->position() < 4);
    again.insert(popped->position());
    popped->acknowledge();
  }
  EXPECT_EQ(again.size(), 6u);
  EXPECT_EQ(pipe.try_pop().status, PopStatus::empty);
}

TEST_F(PipeDeliveryTest, WhatAKilledConsumerTookFromAnAtMostOncePipeIsGone) {
  Pipe pipe = session_.pipe("x");
  push_some(pipe, 6);
  hold_and_die(4);
  for (std::size_t i = 4; i < 6; ++i) {
    const Popped popped = pipe.pop();
    ASSERT_TRUE(popped);
    EXPECT_TRUE(is_message(popped.message, i));
    EXPECT_FALSE(popped.message.redelivered());
  }
  EXPECT_EQ(pipe.try_pop().status, PopStatus::empty);
}

TEST_F(PipeDeliveryTest, AWaitingConsumerGetsWhatAKilledOneHeld) {
  Pipe pipe = session_.pipe("x", {.delivery = Delivery::at_least_once});
  auto consumer = play("hold", {"1"});
  push_some(pipe, 1);
  await([&] { return board_->holding == 1; });
  auto waiting = play("hold", {"1"});
  await(
      [&] { return session_.pipe_status("x").pop_waits >= 1 && session_.sessions().size() == 3; });
  EXPECT_EQ(board_->holding, 1u);
  consumer.kill();
  await([&] { return board_->holding == 2; });
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) { return tarn::testkit::run(argc, argv, {{"hold", tarn::hold}}); }
