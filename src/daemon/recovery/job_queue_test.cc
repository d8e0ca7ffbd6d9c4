#include "daemon/recovery/job_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace tarn::daemon {
namespace {

Job job(std::uint64_t number, bool for_others) {
  return {{1, 1}, {number, 1, 1, 1, 0}, 0, for_others};
}

// The numbers of those that may be given now, in their order, which are then with the program.
std::string give(JobQueue& queue) {
  std::string given;
  while (const Job* next = queue.next()) {
    given += std::to_string(next->record.number);
    queue.note_given();
  }
  return given;
}

TEST(JobQueueTest, TheOwnersComeBeforeWhatWaitsOfOthers) {
  JobQueue queue;
  for (const std::uint64_t number : {1U, 2U, 3U, 4U}) queue.put(job(number, true));
  queue.put(job(5, false));
  EXPECT_EQ(give(queue), "512");
  EXPECT_EQ(queue.take_current().record.number, 5u);
  EXPECT_EQ(queue.take_current().record.number, 1u);
  EXPECT_EQ(give(queue), "3");
}

TEST(JobQueueTest, AJobOfTheOwnersThatIsDoneAgainWaitsForAFewOfOthersAtMost) {
  JobQueue queue;
  queue.put(job(1, false));
  for (const std::uint64_t number : {2U, 3U, 4U, 5U}) queue.put(job(number, true));
  EXPECT_EQ(give(queue), "123");
  Job again = queue.take_current();
  queue.put(again);
  EXPECT_EQ(give(queue), "1") << "before 4 and 5";
}

// Whoever stands before it.
TEST(JobQueueTest, NoJobOfOthersKeepsBackTheOwners) {
  JobQueue queue;
  for (const std::uint64_t number : {1U, 2U}) queue.put(job(number, true));
  EXPECT_EQ(give(queue), "12");
  queue.put(job(3, true));
  queue.put(job(4, true));
  queue.take_back();
  queue.put(job(5, false));
  EXPECT_EQ(give(queue), "512");
  EXPECT_EQ(queue.take_current().record.number, 5u);
  EXPECT_EQ(give(queue), "") << "two of others are with it";
}

TEST(JobQueueTest, WhoeverDoesThemHereTakesTheOwnersFirst) {
  JobQueue queue;
  queue.put(job(1, true));
  EXPECT_EQ(give(queue), "1");
  queue.put(job(2, false));
  queue.take_back();
  EXPECT_EQ(queue.take_first(false)->record.number, 2u);
  EXPECT_FALSE(queue.take_first(false));
  EXPECT_EQ(queue.take_first(true)->record.number, 1u);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace tarn::daemon
