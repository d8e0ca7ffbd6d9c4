// storm_rig.h - sixteen processes on four pipes of all kinds, killed at random together with the
// worker and tarn-recover, round after round on one node. Each round ends with the ledger, the
// audit of the whole node, and everything at its base. Used by storm_stress.cc in short and by
// tests/soak/storm_soak.cc at length.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "os/process.h"
#include "testing/clean_node.h"
#include "testing/idle_process.h"
#include "testing/node_test.h"
#include "tests/stress/kill_roles.h"

namespace tarn::kill {

// One pipe, or two with relays between them.
struct Line {
  const char* first;
  const char* last;
  Delivery delivery;
  std::int64_t capacity;
  std::array<std::uint32_t, 3> staff;  // producers, relays, consumers
};
inline constexpr std::array kLines = {
    Line{"once", "once", Delivery::at_most_once, 32, {3, 0, 3}},
    Line{"again", "again", Delivery::at_least_once, 32, {2, 0, 3}},
    Line{"in", "out", Delivery::at_most_once, 8, {1, 2, 2}},
};

enum class Kind : std::uint8_t { producer, relay, consumer, worker, recover };
inline constexpr std::array kKindNames = {"producers", "relays", "consumers", "workers",
                                          "tarn-recovers"};
using Tally = std::array<std::uint32_t, kKindNames.size()>;

struct Totals {
  std::uint64_t kills = 0;
  Tally by_kind{};
  Audit messages;
  std::uint64_t redelivered = 0;
};

class StormRig : public testkit::NodeTest {
 protected:
  StormRig() : board_(board_file()), chance_(testkit::announce_seed()) {
    start_node();
    observer_ = connect({.observer = true});
    base_ = observer_.status();
    testkit::await([&] { return testkit::is_at_rest(domain_.keeper_pid()); });
    base_descriptors_ = testkit::descriptor_count(domain_.keeper_pid());
  }

  void run(std::uint32_t rounds, std::uint32_t kills_a_round) {
    for (std::uint32_t round = 1; round <= rounds && !HasFailure(); ++round) {
      one_round(kills_a_round);
      if (rounds > 1) report("so far");
    }
    report("killed");
  }

 private:
  struct Member {
    testkit::Child child;
    std::size_t line = 0;
    Kind kind = Kind::producer;
  };

  void one_round(std::uint32_t kills) {
    std::memset(static_cast<void*>(&*board_), 0, sizeof(Board));
    lines_of_lives_.clear();
    killed_ = {};
    {
      Session session = connect({.name = "test"});
      for (std::size_t line = 0; line < kLines.size(); ++line) open_line(session, line);
      for (std::uint32_t i = 0; i < kills && !HasFailure(); ++i) kill_somebody();
      dismiss_all();
      pipes_.clear();
    }
    check_ledger();
    check_base();
    tarn::testing::expect_clean_node();
    for (std::size_t i = 0; i < killed_.size(); ++i) totals_.by_kind[i] += killed_[i];
    totals_.kills += kills;
  }

  void open_line(Session& session, std::size_t line) {
    const Line& plan = kLines[line];
    const PipeOptions options{.capacity = plan.capacity, .delivery = plan.delivery};
    // Kept open: a closed pipe that nobody has open would make place for a new one, in which those
    // who were hired last would wait for ever.
    pipes_.push_back({session.pipe(plan.first, options), session.pipe(plan.last, options)});
    for (const Kind kind : {Kind::producer, Kind::relay, Kind::consumer}) {
      for (std::uint32_t i = 0; i < plan.staff[static_cast<std::size_t>(kind)]; ++i) {
        staff_.push_back({hire(line, kind), line, kind});
      }
    }
  }
  testkit::Child hire(std::size_t line, Kind kind) {
    const Line& plan = kLines[line];
    const std::string seed = std::to_string(chance_.next());
    if (kind == Kind::relay) return play("relay", {plan.first, seed, plan.last});
    if (kind == Kind::consumer) return play("consume", {plan.last, seed, ""});
    EXPECT_LT(lines_of_lives_.size(), kMostLives);
    lines_of_lives_.push_back(line);
    return play("produce", {plan.first, std::to_string(lines_of_lives_.size() - 1), seed});
  }

  void kill_somebody() {
    await_flow();
    constexpr std::uint64_t kWorkersOf100 = 3;
    constexpr std::uint64_t kRecoversOf100 = 7;
    const std::uint64_t draw = chance_.below(100);
    if (draw < kWorkersOf100) {
      if (testkit::kill_child_of(domain_.keeper_pid()))
        ++killed_[static_cast<std::size_t>(Kind::worker)];
      return;
    }
    if (draw < kWorkersOf100 + kRecoversOf100) return kill_recover();
    Member& victim = staff_[chance_.below(staff_.size())];
    ++killed_[static_cast<std::size_t>(victim.kind)];
    const testkit::Ending& ending = victim.child.kill();
    // A producer whose page in the ledger is full ends by itself.
    if (ending.exit_code > 0) ADD_FAILURE() << "one of the staff ended with " << ending.text();
    victim.child = hire(victim.line, victim.kind);
  }
  void kill_recover() {
    const std::int32_t pid = observer_.status().recover_pid;
    if (pid == 0) return;
    const auto process = os::open_pidfd(pid);
    // Its number may have become somebody else's before we had the descriptor.
    if (!process || observer_.status().recover_pid != pid) return;
    ::syscall(SYS_pidfd_send_signal, process->get(), SIGKILL, nullptr, 0);
    ++killed_[static_cast<std::size_t>(Kind::recover)];
  }
  // Now and then nothing flows before the next death, so that some die while others recover.
  void await_flow() {
    const std::uint64_t until = board_->arrived + (chance_.below(3) == 0 ? 0 : chance_.below(100));
    testkit::await([&] {
      replace_retired();
      return board_->arrived >= until || board_->failures > 0 || HasFailure();
    });
    // The instant of death within an operation is a matter of chance as well.
    for (std::uint64_t spins = chance_.below(20'000); spins > 0; --spins) asm volatile("");
    EXPECT_EQ(board_->failures, 0u);
  }
  void replace_retired() {
    for (Member& each : staff_) {
      if (!each.child.has_ended()) continue;
      expect_success(each.child);
      if (HasFailure()) return;
      each.child = hire(each.line, each.kind);
    }
  }

  void dismiss_all() {
    board_->producers_stop = 1;
    dismiss(Kind::producer);
    for (auto& [first, last] : pipes_) first.close();
    dismiss(Kind::relay);
    for (auto& [first, last] : pipes_) last.close();
    dismiss(Kind::consumer);
    staff_.clear();
  }
  void dismiss(Kind kind) {
    for (Member& each : staff_) {
      if (each.kind == kind) expect_success(each.child);
    }
  }

  void check_ledger() {
    EXPECT_EQ(board_->failures, 0u);
    EXPECT_GT(board_->values, 0u);
    EXPECT_GT(board_->edited, 0u);
    std::array<Audit, kLines.size()> sums{};
    for (std::size_t life = 0; life < lines_of_lives_.size(); ++life) {
      add_life(sums[lines_of_lives_[life]], board_->lives[life]);
    }
    const std::uint32_t hands = killed_[static_cast<std::size_t>(Kind::relay)] +
                                killed_[static_cast<std::size_t>(Kind::consumer)];
    for (std::size_t line = 0; line < kLines.size(); ++line) {
      const Audit& sum = sums[line];
      EXPECT_EQ(sum.invented, 0u) << kLines[line].first;
      EXPECT_GT(sum.delivered, 0u) << kLines[line].first;
      // At most once: what was in the hands of the killed, one message each at most.
      EXPECT_LE(sum.lost, kLines[line].delivery == Delivery::at_most_once ? hands : 0)
          << kLines[line].first;
      totals_.messages.committed += sum.committed;
      totals_.messages.delivered += sum.delivered;
      totals_.messages.lost += sum.lost;
    }
    totals_.redelivered += board_->redeliveries;
  }

  void check_base() {
    const auto is_at_base = [&] {
      const NodeStatus now = observer_.status();
      return now.sessions == base_.sessions && now.pipes == base_.pipes &&
             now.segments == base_.segments && now.orphan_segments == base_.orphan_segments &&
             now.used_bytes == base_.used_bytes && has_base_descriptors();
    };
    for (int i = 0; i < 20'000 && !is_at_base(); ++i) ::usleep(1000);
    const NodeStatus now = observer_.status();
    EXPECT_EQ(now.sessions, base_.sessions);
    EXPECT_EQ(now.pipes, base_.pipes);
    EXPECT_EQ(now.segments, base_.segments);
    EXPECT_EQ(now.orphan_segments, base_.orphan_segments);
    EXPECT_EQ(now.used_bytes, base_.used_bytes);
    EXPECT_EQ(now.quarantined, 0u);
    EXPECT_TRUE(has_base_descriptors())
        << "the keeper has " << testkit::descriptor_count(domain_.keeper_pid()) << " and had "
        << base_descriptors_;
  }
  // The keeper carries out what the worker told it, a moment after the worker has answered us.
  bool has_base_descriptors() const {
    return testkit::descriptor_count(domain_.keeper_pid()) == base_descriptors_;
  }

  void report(const char* what) const {
    std::printf("%.1f s: %s %lu", static_cast<double>(monotonic_ns() - began_ns_) * 1e-9, what,
                totals_.kills);
    for (std::size_t i = 0; i < kKindNames.size(); ++i) {
      std::printf(", %u %s", totals_.by_kind[i], kKindNames[i]);
    }
    std::printf("; %lu committed, %lu delivered, %lu gone with their consumer, %lu again\n",
                totals_.messages.committed, totals_.messages.delivered, totals_.messages.lost,
                totals_.redelivered);
    std::fflush(stdout);
  }

  const std::int64_t began_ns_ = monotonic_ns();
  testkit::SharedBoard<Board> board_;
  testkit::Chance chance_;
  Session observer_;
  NodeStatus base_;
  std::size_t base_descriptors_ = 0;
  std::vector<std::pair<Pipe, Pipe>> pipes_;  // of each line, first and last
  std::vector<Member> staff_;
  std::vector<std::size_t> lines_of_lives_;
  Tally killed_{};
  Totals totals_;
};

}  // namespace tarn::kill
