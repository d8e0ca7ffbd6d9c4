// waiter_rig.h - consumers that wait are killed, one after the other: no wake-up may be lost with
// them. Used by waiter_stress.cc in short and by tests/soak/waiter_soak.cc with a million messages.
#pragma once

#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "tarn/tarn.h"
#include "testing/clean_node.h"
#include "testing/node_test.h"
#include "testing/pattern.h"
#include "testing/shared_board.h"

namespace tarn::waiters {

inline constexpr std::uint32_t kMostMessages = 1'000'000;
inline constexpr std::uint32_t kConsumers = 4;
// Sleepers look again after a second by themselves: a wake-up that was lost shows as such a wait.
inline constexpr std::int64_t kLostWakeUpNs = 900'000'000;

inline constexpr std::uint8_t kDelivered = 1;
inline constexpr std::uint8_t kRedelivered = 2;
inline constexpr std::uint8_t kAcknowledged = 4;

struct Board {
  std::atomic<std::uint32_t> arrived;  // messages that came for the first time
  std::atomic<std::uint32_t> failures;
  std::atomic<std::uint8_t> messages[kMostMessages];
};

// Arguments: folder.
inline int consume(const testkit::Arguments& arguments) {
  testkit::SharedBoard<Board> board(std::filesystem::path(arguments.at(0)) / "board");
  Session session = connect({.name = "waiter"});
  Pipe pipe = session.pipe("work");
  for (;;) {
    Popped popped = pipe.pop();
    if (popped.status == PopStatus::closed) return 0;
    if (!popped) return 1;
    std::uint32_t number = kMostMessages;
    std::memcpy(&number, popped->bytes().data(), sizeof number);
    if (number >= kMostMessages) return 2;
    const bool again = popped->redelivered();
    const std::uint8_t before = board->messages[number].fetch_or(again ? kRedelivered : kDelivered);
    const bool twice = !again && (before & kDelivered) != 0;
    if (twice || (before & kAcknowledged) != 0) ++board->failures;
    if ((before & (kDelivered | kRedelivered)) == 0) ++board->arrived;
    popped->acknowledge();
    board->messages[number].fetch_or(kAcknowledged);
  }
}

class WaiterRig : public testkit::NodeTest {
 protected:
  WaiterRig() : board_(board_file()), chance_(testkit::announce_seed()) { start_node(); }

  void run(std::uint32_t messages, std::int64_t kill_every_ns) {
    {
      Session session = connect({.name = "test"});
      Pipe pipe = session.pipe("work", {.delivery = Delivery::at_least_once});
      for (auto& each : consumers_) each = play("consume");
      std::int64_t kill_at_ns = monotonic_ns() + kill_every_ns;
      for (std::uint32_t sent = 0; sent < messages && !HasFailure();) {
        const auto burst = static_cast<std::uint32_t>(1 + chance_.below(2 * kConsumers));
        for (std::uint32_t i = 0; i < burst && sent < messages; ++i, ++sent) {
          ASSERT_EQ(pipe.push(std::as_bytes(std::span(&sent, 1))), PushStatus::ok);
        }
        if (monotonic_ns() >= kill_at_ns) {
          kill_one();
          kill_at_ns = monotonic_ns() + kill_every_ns;
        }
        await_arrival(sent);
      }
      pipe.close();
      for (auto& each : consumers_) expect_success(each);
    }
    check(messages);
  }

 private:
  void kill_one() {
    auto& victim = consumers_[chance_.below(kConsumers)];
    EXPECT_EQ(victim.kill().signal, SIGKILL) << "it ended by itself";
    ++kills_;
    victim = play("consume");
  }
  // Everything that was pushed has arrived; then all consumers go to sleep again.
  void await_arrival(std::uint32_t sent) {
    const std::int64_t since_ns = monotonic_ns();
    testkit::await([&] { return board_->arrived >= sent || board_->failures > 0; });
    longest_ns_ = std::max(longest_ns_, monotonic_ns() - since_ns);
    for (std::uint64_t spins = chance_.below(40'000); spins > 0; --spins) asm volatile("");
  }
  void check(std::uint32_t messages) {
    std::uint32_t missing = 0;
    for (std::uint32_t i = 0; i < messages; ++i) {
      if ((board_->messages[i] & (kDelivered | kRedelivered)) == 0) ++missing;
    }
    std::printf(
        "%u messages, %u consumers, %u killed: %u missing, %u twice, longest wait %.1f ms\n",
        messages, kConsumers, kills_, missing, board_->failures.load(),
        static_cast<double>(longest_ns_) * 1e-6);
    EXPECT_EQ(missing, 0u);
    EXPECT_EQ(board_->failures, 0u);
    EXPECT_GT(kills_, 0u);
    EXPECT_LT(longest_ns_, kLostWakeUpNs) << "a wake-up was lost";
    tarn::testing::expect_clean_node({}, std::chrono::seconds(5));
  }

  testkit::SharedBoard<Board> board_;
  testkit::Chance chance_;
  std::array<testkit::Child, kConsumers> consumers_;
  std::uint32_t kills_ = 0;
  std::int64_t longest_ns_ = 0;
};

inline testkit::Roles all_roles() { return {{"consume", consume}}; }

}  // namespace tarn::waiters
