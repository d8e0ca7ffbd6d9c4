// Many threads at one pipe, with a ledger.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "shm/pipe/pipe.h"
#include "testing/shared_pipe.h"

namespace tarn {
namespace {

using testing::number_of;
using testing::pop_one;
using testing::push_number;
using testing::SharedPipe;

struct Crowd {
  int producers;
  int consumers;
  std::uint32_t slots;
  bool at_least_once;
};
class PipeCrowdTest : public ::testing::TestWithParam<Crowd> {};
INSTANTIATE_TEST_SUITE_P(Crowds, PipeCrowdTest,
                         ::testing::Values(Crowd{1, 1, 1, false}, Crowd{1, 1, 64, false},
                                           Crowd{1, 3, 4, false}, Crowd{3, 1, 3, false},
                                           Crowd{4, 4, 5, false}, Crowd{4, 4, 8, true},
                                           Crowd{2, 3, 1, true}));

// A number says who pushed it and as its how manieth.
constexpr std::uint64_t kEach = 20'000;

TEST_P(PipeCrowdTest, NothingIsLostNothingComesTwiceAndEachProducerStaysInOrder) {
  const Crowd crowd = GetParam();
  SharedPipe pipe(crowd.slots, crowd.at_least_once);
  const auto producers = static_cast<std::uint64_t>(crowd.producers);
  std::vector<std::atomic<int>> delivered(producers * kEach);
  std::atomic<int> producing{crowd.producers};
  std::vector<std::thread> threads;
  for (int p = 0; p < crowd.producers; ++p) {
    threads.emplace_back([&, p] {
      PipeView view = pipe.attach();
      const auto self = static_cast<std::uint16_t>(10 + p);
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const std::uint64_t number = static_cast<std::uint64_t>(p) * kEach + i;
        while (push_number(view, self, number) != SlotPush::ok) std::this_thread::yield();
      }
      if (--producing == 0) view.close();
    });
  }
  for (int c = 0; c < crowd.consumers; ++c) {
    threads.emplace_back([&, c] {
      PipeView view = pipe.attach();
      const auto self = static_cast<std::uint16_t>(100 + c);
      std::vector<std::int64_t> last(producers, -1);
      for (;;) {
        testing::Copied found;
        const SlotPop outcome = pop_one(view, self, found);
        if (outcome == SlotPop::closed) return;
        if (outcome == SlotPop::empty) {
          std::this_thread::yield();
          continue;
        }
        ASSERT_EQ(outcome, SlotPop::ok);
        const std::uint64_t number = number_of(found.copy);
        ASSERT_LT(number, delivered.size());
        ++delivered[number];
        ASSERT_LT(last[number / kEach], static_cast<std::int64_t>(number % kEach));
        last[number / kEach] = static_cast<std::int64_t>(number % kEach);
        if (crowd.at_least_once) view.acknowledge(self, found.position, false);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < delivered.size(); ++i) ASSERT_EQ(delivered[i], 1) << i;
  EXPECT_TRUE(pipe.view().is_drained());
}

}  // namespace
}  // namespace tarn
