#include "tools/top/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tarn/pipe.h"

namespace tarn::tools {
namespace {

using testing::Contains;
using testing::HasSubstr;

const Style kPlain(false);

Snapshot snapshot_with(int pipes, int sessions) {
  Snapshot snapshot;
  snapshot.node.application = "default";
  snapshot.node.user = "ada";
  snapshot.node.version = "0.1.0";
  snapshot.node.worker_starts = 1;
  snapshot.node.age_ns = 192'000'000'000;
  snapshot.node.used_bytes = std::uint64_t{1} << 20;
  snapshot.node.limit_bytes = std::uint64_t{2} << 20;
  for (int i = 0; i < pipes; ++i) {
    PipeStatus pipe;
    pipe.id = static_cast<std::uint32_t>(i);
    pipe.name = "pipe" + std::to_string(100 + i);
    pipe.capacity = 64;
    pipe.depth = 3;
    snapshot.pipes.push_back(pipe);
  }
  for (int i = 0; i < sessions; ++i) {
    SessionStatus session;
    session.id = static_cast<std::uint32_t>(i);
    session.name = "program" + std::to_string(100 + i);
    snapshot.sessions.push_back(session);
  }
  return snapshot;
}

Snapshot after_one_second(Snapshot snapshot) {
  snapshot.at += std::chrono::seconds(1);
  return snapshot;
}

TEST(ViewTest, NodeAndMemoryComeFirst) {
  const Snapshot earlier = snapshot_with(1, 1);
  const auto lines = view_of(earlier, after_one_second(earlier), kPlain, std::nullopt);
  EXPECT_THAT(lines[0], HasSubstr("default/ada  tarnd 0.1.0  up 3 m 12 s"));
  EXPECT_THAT(lines[1], HasSubstr("memory [##########..........] 1.0 MiB of 2.0 MiB (50.0 %)"));
}

TEST(ViewTest, PipesShowDepthAndRates) {
  const Snapshot earlier = snapshot_with(1, 0);
  Snapshot later = after_one_second(earlier);
  later.pipes[0].pushed = 15'300'000;
  later.pipes[0].pushed_bytes = std::uint64_t{3} << 20;
  const auto lines = view_of(earlier, later, kPlain, std::nullopt);
  EXPECT_THAT(lines, Contains(testing::AllOf(HasSubstr("pipe100"), HasSubstr("3/64"),
                                             HasSubstr("15.3 M"), HasSubstr("3.0 MiB/s"))));
}

TEST(ViewTest, ItFitsTheScreen) {
  for (const std::size_t limit : {8u, 9u, 12u, 24u, 40u}) {
    for (const auto& [pipes, sessions] : {std::pair(0, 0), {50, 2}, {2, 50}, {50, 50}, {5, 5}}) {
      const Snapshot earlier = snapshot_with(pipes, sessions);
      const auto lines = view_of(earlier, after_one_second(earlier), kPlain, limit);
      EXPECT_LE(lines.size(), limit) << pipes << " pipes, " << sessions << " sessions";
    }
  }
}

TEST(ViewTest, TheBusiestStayAndTheRestIsCounted) {
  const Snapshot earlier = snapshot_with(50, 0);
  Snapshot later = after_one_second(earlier);
  later.pipes[41].pushed = 100;
  const auto lines = view_of(earlier, later, kPlain, 12);
  EXPECT_THAT(lines, Contains(HasSubstr("pipe141")));
  EXPECT_THAT(lines, Contains(HasSubstr("pipe100")));
  EXPECT_THAT(lines, Contains(HasSubstr("and 46 quieter ones")));
}

TEST(ViewTest, WithoutALimitEverythingIsThere) {
  const Snapshot earlier = snapshot_with(50, 50);
  const auto lines = view_of(earlier, after_one_second(earlier), kPlain, std::nullopt);
  EXPECT_EQ(lines.size(), 2u + 2u * 52u);
}

TEST(ViewTest, JsonHasNodePipesSessionsAndRates) {
  const Snapshot earlier = snapshot_with(1, 1);
  Snapshot later = after_one_second(earlier);
  later.pipes[0].pushed = 7;
  const auto json = json_of(earlier, later);
  EXPECT_EQ(json["interval_ns"], 1'000'000'000);
  EXPECT_EQ(json["node"]["user"], "ada");
  EXPECT_EQ(json["pipes"][0]["name"], "pipe100");
  EXPECT_EQ(json["pipes"][0]["pushed_per_s"], 7.0);
  EXPECT_EQ(json["sessions"][0]["name"], "program100");
}

TEST(ViewTest, BarsAreClampedToTheirWidth) {
  EXPECT_EQ(bar(0, 0, 4), "[....]");
  EXPECT_EQ(bar(1, 2, 4), "[##..]");
  EXPECT_EQ(bar(9, 2, 4), "[####]");
}

}  // namespace
}  // namespace tarn::tools
