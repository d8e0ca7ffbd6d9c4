// 32 producers and 32 consumers, each a process, at one pipe; some are killed or stopped at random.
// A ledger in shared memory says for each message who pushed it, whether that was certain, and how
// often it came out. Recovery is the parent's, for each process that died.
//
// The seed is printed; TARN_SEED=n makes the parent's choices again (the kernel's are its own).
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "base/crash_point.h"
#include "base/deadline.h"
#include "shm/pipe/pipe.h"
#include "testing/shared_pipe.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;
using testing::number_of;
using testing::number_payload;
using testing::SharedPipe;

constexpr std::size_t kProducers = 32;
constexpr std::size_t kConsumers = 32;
constexpr std::uint64_t kMostEach = 100'000;  // messages of one producer
constexpr unsigned kWatchdogSeconds = 90;
// Whoever sleeps this long beside a message, or beside space, has lost a wake-up.
constexpr auto kLostWakeUp = 15s;
constexpr std::uint64_t kNothing = UINT64_MAX;

constexpr std::uint64_t message(std::size_t producer, std::uint64_t sequence) {
  return std::uint64_t{producer} << 32 | sequence;
}

struct ProducerLedger {
  std::atomic<std::uint64_t> begun;                            // pushes that began
  std::atomic<std::uint64_t> committed;                        // pushes that came back with ok
  std::array<std::atomic<std::uint8_t>, kMostEach> uncertain;  // its producer died in the push
  std::array<std::atomic<std::uint8_t>, kMostEach> first;      // deliveries without the mark
  std::array<std::atomic<std::uint8_t>, kMostEach> again;      // deliveries with it
};

struct Ledger {
  std::atomic<std::uint32_t> ending;  // producers: no more
  std::atomic<std::uint64_t> out_of_order;
  std::atomic<std::uint64_t> impossible;
  std::atomic<std::uint64_t> lost_wake_ups;
  std::array<std::atomic<std::uint64_t>, kConsumers> in_hand;  // at most once: about to be taken
  std::array<ProducerLedger, kProducers> producers;
};

struct Plan {
  std::uint32_t slots;
  bool at_least_once;
  std::uint64_t each;  // messages of each producer
  bool deaths;
  std::chrono::milliseconds duration;
};

std::uint64_t choose_seed() {
  if (const char* given = std::getenv("TARN_SEED")) return std::strtoull(given, nullptr, 10);
  return std::random_device{}();
}

// --- What the children do -----------------------------------------------------------------------

// Sleeps between attempts as a session does, and notes when it slept beside what it waited for.
template <class Attempt>
void wait_until(os::FutexWord& bell, Ledger& ledger, Attempt&& attempt) {
  for (;;) {
    for (int spin = 0; spin < 4; ++spin) {
      if (attempt()) return;
    }
    const std::uint32_t announced = announce_sleep(bell);
    if (attempt()) return;
    const auto outcome = sleep_on(bell, announced, Deadline::in(kLostWakeUp));
    if (outcome == os::WaitOutcome::timed_out && attempt()) {
      ++ledger.lost_wake_ups;
      return;
    }
  }
}

void produce(PipeView view, Ledger& ledger, std::uint16_t self, std::size_t producer,
             std::uint64_t each) {
  ProducerLedger& mine = ledger.producers[producer];
  while (ledger.ending == 0 && mine.begun < each) {
    const std::uint64_t sequence = mine.begun++;
    std::uint64_t position = 0;
    SlotPush outcome = SlotPush::full;
    bool tried_in_vain = false;
    wait_until(view.space_bell(), ledger, [&] {
      outcome = view.push(self, number_payload(message(producer, sequence)), position);
      tried_in_vain = tried_in_vain || outcome == SlotPush::full;
      return outcome != SlotPush::full;
    });
    if (outcome != SlotPush::ok) ++ledger.impossible;
    ++mine.committed;
    if (tried_in_vain) view.pass_space_on();
  }
}

void note(Ledger& ledger, std::uint64_t number, bool redelivered,
          std::array<std::uint64_t, kProducers>& next) {
  const std::uint64_t producer = number >> 32;
  const std::uint64_t sequence = number & 0xffff'ffff;
  if (producer >= kProducers || sequence >= kMostEach) {
    ++ledger.impossible;
    return;
  }
  ProducerLedger& from = ledger.producers[producer];
  ++(redelivered ? from.again : from.first)[sequence];
  if (redelivered) return;  // out of order by nature
  if (sequence < next[producer]) ++ledger.out_of_order;
  next[producer] = sequence + 1;
}

void consume(PipeView view, Ledger& ledger, std::uint16_t self, std::size_t consumer) {
  std::array<std::uint64_t, kProducers> next{};
  std::atomic<std::uint64_t>& in_hand = ledger.in_hand[consumer];
  for (;;) {
    Peeked found;
    SlotPop outcome = SlotPop::empty;
    wait_until(view.items_bell(), ledger, [&] {
      for (;;) {
        outcome = view.peek(found);
        if (outcome != SlotPop::ok) return outcome != SlotPop::empty;
        in_hand = number_of(found.payload());
        if (view.take(self, found)) return true;
        in_hand = kNothing;
      }
    });
    if (outcome == SlotPop::closed) return;
    if (outcome != SlotPop::ok) {
      ++ledger.impossible;
      return;
    }
    note(ledger, in_hand, found.word.redelivered(), next);
    if (view.at_least_once()) {
      view.acknowledge(self, found.position, found.word.redelivered());
    }
    in_hand = kNothing;
  }
}

// --- The parent ---------------------------------------------------------------------------------

class Stress {
 public:
  explicit Stress(const Plan& plan)
      : plan_(plan), seed_(choose_seed()), random_(seed_), pipe_(plan.slots, plan.at_least_once) {
    std::cout << "TARN_SEED=" << seed_ << std::endl;
    for (auto& hand : ledger().in_hand) hand = kNothing;
  }
  ~Stress() {
    for (const Child& child : children_) {
      if (child.pid > 0) ::kill(child.pid, SIGKILL);
      if (child.pid > 0) ::waitpid(child.pid, nullptr, 0);
    }
  }
  Stress(const Stress&) = delete;
  Stress& operator=(const Stress&) = delete;

  void run() {
    children_.resize(kProducers + kConsumers);
    for (std::size_t i = 0; i < children_.size(); ++i) start(i, plan_.deaths);
    if (plan_.deaths) disturb_until(Deadline::in(plan_.duration));
    if (plan_.deaths) ledger().ending = 1;
    expect_end(0, kProducers);
    pipe_.view().close();
    expect_end(kProducers, children_.size());
  }

  void audit() {
    EXPECT_EQ(ledger().out_of_order, 0u) << "a consumer saw a producer's messages out of order";
    EXPECT_EQ(ledger().impossible, 0u) << "an outcome or a message that cannot be";
    EXPECT_EQ(ledger().lost_wake_ups, 0u) << "somebody slept beside what it waited for";
    std::uint64_t pushed = 0;
    std::uint64_t lost = 0;
    std::uint64_t again = 0;
    for (std::size_t p = 0; p < kProducers; ++p) {
      const ProducerLedger& from = ledger().producers[p];
      for (std::uint64_t s = 0; s < from.begun; ++s) {
        const bool certain = from.uncertain[s] == 0;
        pushed += certain ? 1 : 0;
        again += from.again[s];
        ASSERT_LE(from.first[s], 1u) << "twice without a mark: " << p << "/" << s;
        if (!plan_.at_least_once) {
          ASSERT_EQ(from.again[s], 0u) << "marked at most once: " << p << "/" << s;
        }
        if (!certain || from.first[s] + from.again[s] > 0) continue;
        ++lost;
        ASSERT_TRUE(!plan_.at_least_once && may_be_lost_.count(message(p, s)) != 0)
            << "lost: " << p << "/" << s;
      }
      EXPECT_LE(from.committed, from.begun);
    }
    std::cout << pushed << " messages, " << kills_ << " killed, " << stops_ << " stopped, " << lost
              << " lost in a dead consumer's hands, " << again << " delivered again" << std::endl;
    EXPECT_TRUE(pipe_.view().is_drained());
    EXPECT_EQ(testing::peek_outcome(pipe_.view()), SlotPop::closed);
    if (!plan_.deaths) {
      EXPECT_EQ(pushed, kProducers * plan_.each);
    } else {
      EXPECT_GT(pushed, 0u);
    }
  }
  std::uint64_t kills() const { return kills_; }

 private:
  struct Child {
    pid_t pid = 0;
    std::uint16_t session = 0;
  };

  Ledger& ledger() { return **memory_.at<Ledger>(0); }

  // Half of those who may die do so at a crash point, that is, in the middle of something.
  void start(std::size_t index, bool may_die) {
    const std::uint16_t session = ++last_session_;
    const std::uint64_t dies_at = may_die && random_() % 2 == 0 ? 1 + random_() % 3000 : 0;
    const pid_t pid = ::fork();
    TARN_ASSERT(pid >= 0, errno);
    if (pid == 0) {
      ::signal(SIGALRM, SIG_DFL);
      ::alarm(kWatchdogSeconds);
#ifdef TARN_CRASH_POINTS
      arm_crash_point(dies_at);
#endif
      if (index < kProducers) {
        produce(pipe_.attach(), ledger(), session, index, plan_.each);
      } else {
        consume(pipe_.attach(), ledger(), session, index - kProducers);
      }
      ::_exit(0);
    }
    children_[index] = {pid, session};
    (void)dies_at;
  }

  void disturb_until(Deadline end) {
    while (!end.has_passed()) {
      ::usleep(static_cast<useconds_t>(random_() % 3000));
      const std::size_t index = random_() % children_.size();
      const pid_t pid = children_[index].pid;
      if (pid == 0) continue;  // zero would mean ourselves
      if (random_() % 3 == 0) {
        ++stops_;
        ::kill(pid, SIGSTOP);
        ::usleep(static_cast<useconds_t>(random_() % 3000));
        ::kill(pid, SIGCONT);
      } else {
        ::kill(pid, SIGKILL);
      }
      for (std::size_t i = 0; i < children_.size(); ++i) {
        // A producer that has said all it had to say stays away.
        int status = 0;
        if (children_[i].pid == 0 || ::waitpid(children_[i].pid, &status, WNOHANG) == 0) continue;
        if (bury(i, status)) start(i, true);
      }
    }
  }

  // Writes down what its death makes uncertain, and recovers; false when it did not die but ended.
  bool bury(std::size_t index, int status) {
    const Child child = std::exchange(children_[index], {});
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return false;
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << (index < kProducers ? "producer " : "consumer ") << index
        << " hung or failed: " << status;
    ++kills_;
    if (index < kProducers) {
      ProducerLedger& dead = ledger().producers[index];
      if (dead.begun > dead.committed) {
        dead.uncertain[dead.begun - 1] = 1;
        dead.committed.store(dead.begun);
      }
    } else {
      const std::uint64_t in_hand = ledger().in_hand[index - kProducers].exchange(kNothing);
      if (in_hand != kNothing) may_be_lost_.insert(in_hand);
    }
    pipe_.view().recover(child.session);
    const auto again = pipe_.view().recover(child.session);
    EXPECT_EQ(again.skipped + again.redelivered, 0u);
    return true;
  }

  // Some may still die at their crash point, and whoever does is buried at once, whoever it is: the
  // others may be waiting for what it had in hand. A consumer's successor goes on then.
  void expect_end(std::size_t first, std::size_t last) {
    const auto lives = [](const Child& child) { return child.pid != 0; };
    const auto from = children_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto to = children_.begin() + static_cast<std::ptrdiff_t>(last);
    while (std::any_of(from, to, lives)) {
      int status = 0;
      const pid_t ended = ::waitpid(-1, &status, 0);
      ASSERT_GT(ended, 0);
      const auto is_it = [&](const Child& child) { return child.pid == ended; };
      const auto found = std::find_if(children_.begin(), children_.end(), is_it);
      if (found == children_.end()) continue;
      const auto index = static_cast<std::size_t>(found - children_.begin());
      if (bury(index, status) && index >= kProducers) start(index, false);
    }
  }

  const Plan plan_;
  const std::uint64_t seed_;
  std::mt19937_64 random_;
  SharedPipe pipe_;
  Segment memory_ = testing::shared_memory(round_up(sizeof(Ledger), kPage));
  std::vector<Child> children_;
  std::set<std::uint64_t> may_be_lost_;
  std::uint16_t last_session_ = 0;
  std::uint64_t kills_ = 0;
  std::uint64_t stops_ = 0;
};

class PipeStressTest : public ::testing::TestWithParam<Plan> {};
INSTANTIATE_TEST_SUITE_P(Plans, PipeStressTest,
                         ::testing::Values(Plan{64, false, 1500, false, 0ms},
                                           Plan{3, false, 400, false, 0ms},
                                           Plan{7, true, 600, false, 0ms},
                                           Plan{16, false, kMostEach, true, 2000ms},
                                           Plan{64, false, kMostEach, true, 2000ms},
                                           Plan{1, false, kMostEach, true, 1500ms},
                                           Plan{16, true, kMostEach, true, 2000ms},
                                           Plan{5, true, kMostEach, true, 2000ms}));

TEST_P(PipeStressTest, EveryMessageIsAccountedFor) {
  Stress stress(GetParam());
  stress.run();
  stress.audit();
  if (GetParam().deaths) {
    EXPECT_GT(stress.kills(), 0u);
  }
}

}  // namespace
}  // namespace tarn
