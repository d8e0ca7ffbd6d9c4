// kill_rig.h - kills producers, relays, consumers and the worker at random in full flight, and
// audits afterwards. Used by kill_stress.cc in short and by tests/soak/kill_soak.cc at length.
#pragma once

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "testing/clean_node.h"
#include "testing/idle_process.h"
#include "testing/node_test.h"
#include "tests/stress/kill_roles.h"

namespace tarn::kill {

using testkit::await;
using testkit::Child;

enum class Victim : std::uint8_t { producer, relay, consumer, worker };
// So long without a message is no failure, for machines are busy; but a person wants to know why.
inline constexpr std::int64_t kSuspiciousNs = 3'000'000'000;

inline constexpr std::array kVictims = {Victim::producer, Victim::relay, Victim::consumer,
                                        Victim::worker};
inline constexpr std::array kVictimNames = {"producers", "relays", "consumers", "workers"};

struct Plan {
  Delivery delivery = Delivery::at_most_once;
  std::int64_t capacity = 32;
  std::array<std::uint32_t, 4> staff{};  // how many of each live at once
  std::array<std::uint32_t, 4> kills{};  // how many of each die
};

class KillRig : public testkit::NodeTest {
 protected:
  KillRig() : board_(board_file()), chance_(testkit::announce_seed()) {
    start_node();
    // So that the base holds no page that is only touched later.
    observer_ = connect({.observer = true});
    base_ = observer_.status();
    testkit::await([&] { return testkit::is_at_rest(domain_.keeper_pid()); });
    base_descriptors_ = descriptors();
  }

  void run(const Plan& plan) {
    plan_ = plan;
    const bool relays = plan.staff[index_of(Victim::relay)] > 0;
    {
      Session session = connect({.name = "test"});
      Pipe first = session.pipe("first", options());
      Pipe last = relays ? session.pipe("last", options()) : first;
      for (const Victim kind : {Victim::producer, Victim::relay, Victim::consumer}) {
        while (staff_of(kind).size() < plan.staff[index_of(kind)]) hire(kind);
      }
      while (!HasFailure() && kills_left() > 0) kill_somebody();
      note("the last one was killed");
      board_->producers_stop = 1;
      dismiss(Victim::producer);
      first.close();
      dismiss(Victim::relay);
      last.close();
      dismiss(Victim::consumer);
      note("all others have ended");
    }
    before_base();
    check_ledger();
    check_base();
    note("everything is at its base");
  }

  // Everybody has ended; what the test itself had of the node goes now.
  virtual void before_base() {}

  testkit::SharedBoard<Board> board_;

 private:
  static constexpr std::size_t index_of(Victim kind) { return static_cast<std::size_t>(kind); }
  PipeOptions options() const { return {.capacity = plan_.capacity, .delivery = plan_.delivery}; }
  std::vector<Child>& staff_of(Victim kind) { return staff_[index_of(kind)]; }
  std::string next_seed() { return std::to_string(chance_.next()); }

  Child start_one(Victim kind) {
    const bool relays = plan_.staff[index_of(Victim::relay)] > 0;
    const bool in_order = !relays && plan_.delivery == Delivery::at_most_once;
    switch (kind) {
      case Victim::producer:
        return play("produce", {"first", std::to_string(lives_++), next_seed()});
      case Victim::relay:
        return play("relay", {"first", next_seed(), "last"});
      default:
        return play("consume",
                    {relays ? "last" : "first", next_seed(), in_order ? "in_order" : ""});
    }
  }
  void hire(Victim kind) {
    ASSERT_LT(lives_, kMostLives);
    staff_of(kind).push_back(start_one(kind));
  }

  std::uint32_t kills_left() const {
    std::uint32_t left = 0;
    for (std::size_t i = 0; i < plan_.kills.size(); ++i) left += plan_.kills[i] - killed_[i];
    return left;
  }
  // Each kind in proportion to what is left of it.
  Victim choose_kind() {
    std::uint64_t draw = chance_.below(kills_left());
    for (const Victim kind : kVictims) {
      const std::uint32_t left = plan_.kills[index_of(kind)] - killed_[index_of(kind)];
      if (draw < left) return kind;
      draw -= left;
    }
    return Victim::worker;
  }

  void kill_somebody() {
    replace_retired();
    await_flow();
    const Victim kind = choose_kind();
    ++killed_[index_of(kind)];
    if (kind == Victim::worker) {
      EXPECT_TRUE(testkit::kill_child_of(domain_.keeper_pid()));
      return;
    }
    auto& staff = staff_of(kind);
    Child& victim = staff[chance_.below(staff.size())];
    const testkit::Ending& ending = victim.kill();
    if (ending.exit_code > 0) ADD_FAILURE() << "one of the staff ended with " << ending.text();
    victim = start_one(kind);
  }
  // Lets messages flow before the next death; now and then none at all, so that some die early.
  void await_flow() {
    const std::uint64_t until = board_->arrived + (chance_.below(5) == 0 ? 0 : chance_.below(400));
    const std::int64_t since_ns = monotonic_ns();
    bool has_told = false;
    await([&] {
      if (!has_told && monotonic_ns() - since_ns > kSuspiciousNs) {
        note("nothing arrives; this is where everybody stands:");
        testkit::print_whereabouts();
        has_told = true;
      }
      return board_->arrived >= until || board_->failures > 0;
    });
    // The instant of death within an operation is a matter of chance as well.
    for (std::uint64_t spins = chance_.below(20'000); spins > 0; --spins) asm volatile("");
    EXPECT_EQ(board_->failures, 0u);
  }
  // A producer whose page in the ledger is full ends by itself.
  void replace_retired() {
    for (const Victim kind : {Victim::producer, Victim::relay, Victim::consumer}) {
      for (Child& each : staff_of(kind)) {
        if (!each.has_ended()) continue;
        expect_success(each);
        if (HasFailure()) return;
        ASSERT_LT(lives_, kMostLives);
        each = start_one(kind);
      }
    }
  }
  void dismiss(Victim kind) {
    for (Child& each : staff_of(kind)) expect_success(each);
    staff_of(kind).clear();
  }

  void check_ledger() {
    const Audit sum = audit(*board_, lives_);
    std::printf("killed");
    for (std::size_t i = 0; i < killed_.size(); ++i) {
      std::printf("%s %u %s", i == 0 ? "" : ",", killed_[i], kVictimNames[i]);
    }
    std::printf(
        "\n%lu committed, %lu delivered, %lu lost with their consumer, %lu committed just "
        "before death, %u delivered again\n",
        sum.committed, sum.delivered, sum.lost, sum.uncertain, board_->redeliveries.load());
    EXPECT_EQ(board_->failures, 0u);
    EXPECT_EQ(sum.invented, 0u);
    EXPECT_GT(sum.delivered, 0u);
    if (plan_.delivery == Delivery::at_least_once) {
      EXPECT_EQ(sum.lost, 0u);
    } else {
      // What was in the hands of the killed: one message each at most.
      EXPECT_LE(sum.lost, killed_[index_of(Victim::relay)] + killed_[index_of(Victim::consumer)]);
      EXPECT_EQ(board_->redeliveries, 0u);
    }
  }

  // Of the keeper and the worker.
  std::pair<std::size_t, std::size_t> descriptors() const {
    const auto worker = testkit::children_of(domain_.keeper_pid());
    return {testkit::descriptor_count(domain_.keeper_pid()),
            worker.size() == 1 ? testkit::descriptor_count(worker[0]) : 0};
  }
  void check_base() {
    const auto is_at_base = [&] {
      const NodeStatus now = observer_.status();
      return now.sessions == base_.sessions && now.pipes == base_.pipes &&
             now.segments == base_.segments && now.orphan_segments == base_.orphan_segments &&
             now.used_bytes == base_.used_bytes && descriptors() == base_descriptors_;
    };
    for (int i = 0; i < 20'000 && !is_at_base(); ++i) ::usleep(1000);
    const NodeStatus now = observer_.status();
    EXPECT_EQ(now.sessions, base_.sessions);
    EXPECT_EQ(now.pipes, base_.pipes);
    EXPECT_EQ(now.segments, base_.segments);
    EXPECT_EQ(now.orphan_segments, base_.orphan_segments);
    EXPECT_EQ(now.used_bytes, base_.used_bytes);
    EXPECT_EQ(now.worker_starts, 1 + killed_[index_of(Victim::worker)]);
    EXPECT_EQ(descriptors(), base_descriptors_);
    testing::expect_clean_node({}, std::chrono::seconds(5));
    if (!HasFailure()) return;
    for (const auto& each : testkit::describe_descriptors(now.worker_pid)) {
      std::fprintf(stderr, "worker has %s\n", each.c_str());
    }
    for (const auto& each : testkit::describe_descriptors(domain_.keeper_pid())) {
      std::fprintf(stderr, "keeper has %s\n", each.c_str());
    }
  }

  void note(const char* what) const {
    std::printf("%.1f s: %s\n", static_cast<double>(monotonic_ns() - began_ns_) * 1e-9, what);
    std::fflush(stdout);
  }

  const std::int64_t began_ns_ = monotonic_ns();
  Plan plan_;
  testkit::Chance chance_;
  Session observer_;
  NodeStatus base_;
  std::pair<std::size_t, std::size_t> base_descriptors_;
  std::array<std::vector<Child>, 4> staff_;
  std::array<std::uint32_t, 4> killed_{};
  std::uint32_t lives_ = 0;
};

}  // namespace tarn::kill
