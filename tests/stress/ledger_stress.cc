// ledger_stress.cc - many producers and consumers through one pipe, with a ledger of what was sent:
// nothing is lost, comes twice, or torn, and each consumer sees each producer's messages in order.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/pattern.h"
#include "testing/shared_board.h"

namespace tarn {
namespace {

using testkit::Arguments;
using testkit::Chance;
using testkit::Child;

constexpr std::uint32_t kProducers = 32;
constexpr std::uint32_t kConsumers = 32;
constexpr std::uint32_t kMessages = 1500;  // by each producer
constexpr std::size_t kMostBytes = 20'000;
constexpr std::size_t kMostHeld = 8;

struct Board {
  std::atomic<std::uint32_t> ready;
  std::atomic<std::uint32_t> torn;
  std::atomic<std::uint32_t> out_of_order;
  std::atomic<std::uint32_t> overwritten;
  std::atomic<std::uint8_t> deliveries[kProducers][kMessages];
};

// The first bytes of each payload; the rest is the pattern that belongs to them.
struct Head {
  std::uint32_t producer;
  std::uint32_t number;
  std::uint64_t seed() const { return (std::uint64_t{producer} << 32) | number; }
};

using SharedBoard = testkit::SharedBoard<Board>;

std::filesystem::path board_in(const Arguments& arguments) {
  return std::filesystem::path(arguments.at(0)) / "board";
}

// Half of them fit into a slot.
std::size_t choose_size(Chance& chance) {
  const std::size_t inside = sizeof(Head) + chance.below(kInlineBytes - sizeof(Head) + 1);
  const std::size_t outside = kInlineBytes + 1 + chance.below(kMostBytes);
  return chance.below(2) == 0 ? inside : outside;
}

int produce(const Arguments& arguments) {
  SharedBoard board(board_in(arguments));
  Head head{static_cast<std::uint32_t>(std::stoul(arguments.at(1))), 0};
  Chance chance(std::stoull(arguments.at(2)) + head.producer);
  Session session = connect({.name = "producer"});
  Pipe pipe = session.pipe("x");
  ++board->ready;
  testkit::await([&] { return board->ready == kProducers + kConsumers; });
  for (; head.number < kMessages; ++head.number) {
    Loan loan = pipe.loan(choose_size(chance));
    std::memcpy(loan.bytes().data(), &head, sizeof head);
    testkit::fill_pattern(loan.bytes().subspan(sizeof head), head.seed());
    if (pipe.push(std::move(loan)) != PushStatus::ok) return 2;
  }
  return 0;
}

// What a consumer knows of the messages that it met.
class Inspector {
 public:
  explicit Inspector(SharedBoard& board) : board_(board) { next_.fill(0); }

  bool is_whole(const Message& message) const {
    const auto bytes = message.bytes();
    if (bytes.size() < sizeof(Head)) return false;
    const Head head = head_of(message);
    return head.producer < kProducers && head.number < kMessages &&
           testkit::has_pattern(bytes.subspan(sizeof head), head.seed());
  }
  void note(const Message& message) {
    if (!is_whole(message)) {
      ++board_->torn;
      return;
    }
    const Head head = head_of(message);
    ++board_->deliveries[head.producer][head.number];
    if (head.number < next_[head.producer]) {
      ++board_->out_of_order;
      std::fprintf(stderr, "pid %d: message %u of producer %u after %u, at position %lu\n",
                   ::getpid(), head.number, head.producer, next_[head.producer] - 1,
                   message.position());
    }
    next_[head.producer] = std::max(next_[head.producer], head.number + 1);
  }

 private:
  static Head head_of(const Message& message) {
    Head head{};
    std::memcpy(&head, message.bytes().data(), sizeof head);
    return head;
  }
  SharedBoard& board_;
  std::array<std::uint32_t, kProducers> next_{};
};

int consume(const Arguments& arguments) {
  SharedBoard board(board_in(arguments));
  Chance chance(std::stoull(arguments.at(2)) + 1000 + std::stoull(arguments.at(1)));
  Session session = connect({.name = "consumer"});
  Pipe pipe = session.pipe("x");
  Inspector inspector(board);
  std::deque<Message> held;
  const auto let_go = [&] {
    if (!inspector.is_whole(held.front())) ++board->overwritten;
    held.pop_front();
  };
  ++board->ready;
  for (;;) {
    Popped popped = pipe.pop();
    if (popped.status == PopStatus::closed) break;
    if (!popped) return 2;
    inspector.note(*popped);
    held.push_back(std::move(*popped));
    while (held.size() > chance.below(kMostHeld)) let_go();
  }
  while (!held.empty()) let_go();
  return 0;
}

class LedgerStress : public testkit::NodeTest {
 protected:
  LedgerStress() : board_(board_file()) { start_node(); }

  void run_through(std::int64_t capacity) {
    const std::string seed = std::to_string(testkit::announce_seed());
    Session session = connect();
    Pipe pipe = session.pipe("x", {.capacity = capacity});
    std::vector<Child> producers;
    std::vector<Child> consumers;
    for (std::uint32_t i = 0; i < kConsumers; ++i) {
      consumers.push_back(play("consume", {std::to_string(i), seed}));
    }
    for (std::uint32_t i = 0; i < kProducers; ++i) {
      producers.push_back(play("produce", {std::to_string(i), seed}));
    }
    for (Child& each : producers) expect_success(each);
    pipe.close();
    for (Child& each : consumers) expect_success(each);
    audit();
    const PipeStatus status = session.pipe_status("x");
    EXPECT_EQ(status.pushed, kProducers * kMessages);
    EXPECT_EQ(status.popped, kProducers * kMessages);
    EXPECT_EQ(status.skipped, 0u);
    std::printf("%lu messages, %lu bytes, %lu waits of producers, %lu of consumers, %ld deep\n",
                status.popped, status.popped_bytes, status.push_waits, status.pop_waits,
                status.depth_high_water);
  }
  void audit() {
    EXPECT_EQ(board_->torn, 0u);
    EXPECT_EQ(board_->overwritten, 0u) << "while a consumer held them";
    EXPECT_EQ(board_->out_of_order, 0u);
    std::uint32_t lost = 0;
    std::uint32_t twice = 0;
    for (const auto& producer : board_->deliveries) {
      for (const auto& count : producer) {
        lost += count == 0 ? 1U : 0U;
        twice += count > 1 ? 1U : 0U;
      }
    }
    EXPECT_EQ(lost, 0u);
    EXPECT_EQ(twice, 0u);
  }

  SharedBoard board_;
};

TEST_F(LedgerStress, ThirtyTwoProducersAndConsumersShareAPipe) { run_through(64); }

TEST_F(LedgerStress, ThirtyTwoProducersAndConsumersShareATinyPipe) { run_through(3); }

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, {{"produce", tarn::produce}, {"consume", tarn::consume}});
}
