// A program dies at every crash point of its life with the library: it attaches, grows, pushes by
// reference, pops, passes on and goes. Others push and pop on, the node cleans up, and nothing that
// was pushed is missing but what was in its hands.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <optional>
#include <string>

#include "tarn/tarn.h"
#include "testing/clean_node.h"
#include "testing/node_test.h"
#include "testing/swept_points.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLarge = 4000;
constexpr int kMessages = 3;

// A message of one letter, `size` times.
std::string letters(char letter, std::size_t size = kLarge) { return std::string(size, letter); }

bool is_whole(const Message& message) {
  const std::string_view text = message.text();
  return !text.empty() && text == std::string(text.size(), text[0]);
}

int play_victim(const testkit::Arguments&) {
  Session session = connect({.name = "victim", .start_node = false});
  Pipe in = session.pipe("in");
  Pipe out = session.pipe("out");
  for (int i = 0; i < kMessages; ++i) {
    Loan loan = out.loan(kLarge);
    std::memset(loan.bytes().data(), 'v', kLarge);
    if (out.push(std::move(loan)) != PushStatus::ok) return 1;
    if (out.push(letters('v', 40)) != PushStatus::ok) return 2;
    Popped popped = in.pop();
    if (!popped || !is_whole(*popped)) return 3;
    if (out.push(*popped) != PushStatus::ok) return 4;
    popped->acknowledge();
  }
  return 0;
}

class ClientCrashTest : public testkit::NodeTest, public ::testing::WithParamInterface<Delivery> {
 protected:
  void SetUp() override {
    start_node();
    feeder_.emplace(connect({.name = "feeder"}));
    in_ = feeder_->pipe("in", {.capacity = 8, .delivery = GetParam()});
    out_ = feeder_->pipe("out", {.capacity = 32, .delivery = Delivery::at_most_once});
  }
  void TearDown() override {
    in_ = Pipe();
    out_ = Pipe();
    feeder_.reset();
  }

  // What came through, by its first letter; each is whole.
  static std::map<char, int> drain(Pipe& pipe) {
    std::map<char, int> found;
    for (;;) {
      Popped popped = pipe.try_pop();
      if (!popped) return found;
      EXPECT_TRUE(is_whole(*popped));
      ++found[popped->text()[0]];
      popped->acknowledge();
    }
  }
  // True when the victim died.
  bool one_life(const std::string& crash_at) {
    for (int i = 0; i < kMessages; ++i) {
      EXPECT_EQ(in_.push(letters(static_cast<char>('a' + i))), PushStatus::ok);
    }
    testkit::ChildTraits traits;
    traits.before_exec = [&] { ::setenv("TARN_CRASH_AT", crash_at.c_str(), 1); };
    testkit::Child victim = play("victim", {}, traits);
    const testkit::Ending ending = victim.wait();
    EXPECT_TRUE(ending.is_success() || ending.signal == SIGKILL) << ending.text();
    testkit::await([&] { return feeder_->status().sessions == 1; });
    judge(drain(in_), drain(out_), ending.is_success());
    expect_base();
    return ending.signal == SIGKILL;
  }
  void judge(const std::map<char, int>& left, const std::map<char, int>& passed_on, bool finished) {
    int missing = 0;
    for (int i = 0; i < kMessages; ++i) {
      const auto letter = static_cast<char>('a' + i);
      const int times = count(left, letter) + count(passed_on, letter);
      EXPECT_LE(times, GetParam() == Delivery::at_least_once ? 2 : 1) << letter;
      if (times == 0) ++missing;
    }
    EXPECT_LE(missing, GetParam() == Delivery::at_least_once || finished ? 0 : 1);
    if (finished) {
      EXPECT_TRUE(left.empty());
      EXPECT_EQ(count(passed_on, 'v'), 2 * kMessages);
    }
  }
  static int count(const std::map<char, int>& found, char letter) {
    const auto at = found.find(letter);
    return at == found.end() ? 0 : at->second;
  }
  // Nothing is left of the victim.
  void expect_base() {
    testkit::await([&] { return feeder_->status().orphan_segments == 0; });
    const NodeStatus status = feeder_->status();
    EXPECT_EQ(status.sessions, 1u);
    EXPECT_EQ(status.pipes, 2u);
    EXPECT_EQ(status.worker_starts, 1u);
    testing::expect_clean_node({}, 5s);
  }

  std::optional<Session> feeder_;
  Pipe in_;
  Pipe out_;
};

INSTANTIATE_TEST_SUITE_P(AtMostAndAtLeastOnce, ClientCrashTest,
                         ::testing::Values(Delivery::at_most_once, Delivery::at_least_once));

TEST_P(ClientCrashTest, EveryPointLeavesWhatWasCommittedAndNothingElse) {
  const testing::SweptPoints points;
  // How many bells are rung depends on who sleeps just then, so that counting through all of them
  // would step over some of the others.
  for (const std::string prefix : {"session.", "heap.", "push.", "pop.", "pipe.", "bell."}) {
    for (int k = 1; !HasFailure(); ++k) {
      SCOPED_TRACE(prefix + std::to_string(k));
      if (!one_life(prefix + ':' + std::to_string(k))) break;
    }
  }
  points.expect_all({"session.row.filled", "session.row.named", "session.row.counted",
                     "session.end.filled", "session.end.named", "heap.grow.reserved",
                     "heap.grow.created", "heap.grow.added", "heap.loan.taken",
                     "push.loan.published", "pop.reference.counted"});
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv, {{"victim", tarn::play_victim}});
}
