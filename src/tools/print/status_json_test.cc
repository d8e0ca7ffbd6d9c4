#include "tools/print/status_json.h"

#include <gtest/gtest.h>

#include <limits>

#include "tarn/pipe.h"

namespace tarn::tools {
namespace {

TEST(StatusJsonTest, NodeHasEveryField) {
  NodeStatus node;
  node.application = "default";
  node.user = "ada";
  node.worker_starts = 2;
  node.limit_bytes = std::numeric_limits<std::uint64_t>::max();
  const auto json = json_of(node);
  EXPECT_EQ(json.size(), 26u);
  EXPECT_EQ(json["application"], "default");
  EXPECT_EQ(json["worker_starts"], 2);
  EXPECT_EQ(json["ends_when_idle"], false);
  EXPECT_EQ(json["limit_bytes"].get<std::uint64_t>(), node.limit_bytes);
}

TEST(StatusJsonTest, PipeHasEveryField) {
  PipeStatus pipe;
  pipe.name = "spectra";
  pipe.capacity = 64;
  pipe.delivery = Delivery::at_least_once;
  pipe.pushed_bytes = std::uint64_t{1} << 40;
  const auto json = json_of(pipe);
  EXPECT_EQ(json.size(), 19u);
  EXPECT_EQ(json["name"], "spectra");
  EXPECT_EQ(json["capacity"], 64);
  EXPECT_EQ(json["delivery"], "at_least_once");
  EXPECT_EQ(json["pushed_bytes"].get<std::uint64_t>(), std::uint64_t{1} << 40);
  EXPECT_EQ(json["closed"], false);
}

TEST(StatusJsonTest, SessionHasEveryField) {
  SessionStatus session;
  session.pid = 42;
  session.name = "source";
  const auto json = json_of(session);
  EXPECT_EQ(json.size(), 14u);
  EXPECT_EQ(json["pid"], 42);
  EXPECT_EQ(json["name"], "source");
  EXPECT_EQ(json["connected"], true);
}

TEST(StatusJsonTest, FindingNamesItsSeverity) {
  const auto json = json_of(Finding{Severity::warning, "huge pages", "none", "set them up"});
  EXPECT_EQ(json["severity"], "warning");
  EXPECT_EQ(json["subject"], "huge pages");
  EXPECT_EQ(json["found"], "none");
  EXPECT_EQ(json["cure"], "set them up");
}

TEST(StatusJsonTest, ManyAreAnArrayAndNoneAnEmptyOne) {
  EXPECT_EQ(json_of(std::vector<PipeStatus>{}).dump(), "[]");
  EXPECT_EQ(json_of(std::vector<SessionStatus>(2)).size(), 2u);
}

TEST(StatusJsonTest, FieldsKeepTheirOrder) {
  EXPECT_EQ(json_of(PipeStatus{}).begin().key(), "id");
  EXPECT_EQ(json_of(NodeStatus{}).begin().key(), "application");
}

}  // namespace
}  // namespace tarn::tools
