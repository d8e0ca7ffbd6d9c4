#include "tools/top/snapshot.h"

#include <gtest/gtest.h>

#include "tarn/pipe.h"

namespace tarn::tools {
namespace {

using std::chrono::seconds;

PipeStatus pipe_of(std::uint32_t id, const std::string& name, std::uint64_t pushed) {
  PipeStatus pipe;
  pipe.id = id;
  pipe.name = name;
  pipe.pushed = pushed;
  pipe.pushed_bytes = pushed * 10;
  return pipe;
}

// Two looks, two seconds apart.
struct Looks {
  Looks() { later.at = earlier.at + seconds(2); }
  Snapshot earlier;
  Snapshot later;
};

TEST(SnapshotTest, RatesAreDifferencesPerSecond) {
  Looks looks;
  looks.earlier.pipes = {pipe_of(1, "a", 100)};
  looks.later.pipes = {pipe_of(1, "a", 300)};
  looks.later.pipes[0].popped = 50;
  looks.later.pipes[0].push_waits = 3;
  looks.later.pipes[0].pop_waits = 1;
  const auto rates = pipe_rates(looks.earlier, looks.later);
  ASSERT_EQ(rates.size(), 1u);
  EXPECT_DOUBLE_EQ(rates[0].pushed_per_s, 100);
  EXPECT_DOUBLE_EQ(rates[0].pushed_bytes_per_s, 1000);
  EXPECT_DOUBLE_EQ(rates[0].popped_per_s, 25);
  EXPECT_DOUBLE_EQ(rates[0].waits_per_s, 2);
}

TEST(SnapshotTest, ANewPipeCountsFromZero) {
  Looks looks;
  looks.later.pipes = {pipe_of(1, "a", 10)};
  EXPECT_DOUBLE_EQ(pipe_rates(looks.earlier, looks.later)[0].pushed_per_s, 5);
}

TEST(SnapshotTest, APipeThatWasCreatedAgainCountsFromZero) {
  Looks looks;
  looks.earlier.pipes = {pipe_of(1, "a", 1000)};
  looks.later.pipes = {pipe_of(1, "a", 10)};
  EXPECT_DOUBLE_EQ(pipe_rates(looks.earlier, looks.later)[0].pushed_per_s, 5);
  looks.later.pipes = {pipe_of(2, "a", 4)};
  EXPECT_DOUBLE_EQ(pipe_rates(looks.earlier, looks.later)[0].pushed_per_s, 2);
}

TEST(SnapshotTest, PipesAreInOrderOfTheirNames) {
  Looks looks;
  looks.later.pipes = {pipe_of(1, "z", 0), pipe_of(2, "a", 0)};
  EXPECT_EQ(pipe_rates(looks.earlier, looks.later)[0].pipe.name, "a");
}

TEST(SnapshotTest, NoTimeBetweenTheLooksIsNoRate) {
  Snapshot both;
  both.pipes = {pipe_of(1, "a", 5)};
  Snapshot earlier;
  EXPECT_DOUBLE_EQ(pipe_rates(earlier, both)[0].pushed_per_s, 0);
}

TEST(SnapshotTest, SessionsAreMatchedByIdAndGeneration) {
  Looks looks;
  SessionStatus session;
  session.id = 7;
  session.generation = 1;
  session.pushed = 10;
  looks.earlier.sessions = {session};
  session.pushed = 30;
  looks.later.sessions = {session};
  EXPECT_DOUBLE_EQ(session_rates(looks.earlier, looks.later)[0].pushed_per_s, 10);
  looks.later.sessions[0].generation = 2;
  EXPECT_DOUBLE_EQ(session_rates(looks.earlier, looks.later)[0].pushed_per_s, 0);
}

TEST(SnapshotTest, ASessionThatClosedAPipeHasNoNegativeRate) {
  Looks looks;
  SessionStatus session;
  session.popped = 10;
  looks.earlier.sessions = {session};
  session.popped = 0;
  looks.later.sessions = {session};
  EXPECT_DOUBLE_EQ(session_rates(looks.earlier, looks.later)[0].popped_per_s, 0);
}

}  // namespace
}  // namespace tarn::tools
