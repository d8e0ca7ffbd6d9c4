#include "tools/client/lines.h"

#include <gtest/gtest.h>

namespace tarn::tools {
namespace {

TEST(LineMakerTest, PiecesBecomeLinesOfTheirStream) {
  LineMaker maker;
  std::vector<OutputLine> lines;
  maker.take({1, false, "on"}, lines);
  maker.take({2, true, "oops\n"}, lines);
  maker.take({3, false, "e\ntw"}, lines);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].text, "oops");
  EXPECT_TRUE(lines[0].is_error);
  EXPECT_EQ(lines[1].text, "one");
  EXPECT_EQ(lines[1].unix_ns, 1);
  maker.flush(lines);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[2].text, "tw");
  EXPECT_EQ(lines[2].unix_ns, 3);
}

TEST(LineMakerTest, EmptyLinesCountAndNothingBegunIsNoLine) {
  LineMaker maker;
  std::vector<OutputLine> lines;
  maker.take({1, false, "\n\nx\n"}, lines);
  maker.flush(lines);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].text, "");
  EXPECT_EQ(lines[2].text, "x");
}

}  // namespace
}  // namespace tarn::tools
