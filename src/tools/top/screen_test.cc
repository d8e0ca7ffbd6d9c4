#include "tools/top/screen.h"

#include <gtest/gtest.h>

namespace tarn::tools {
namespace {

TEST(ScreenTest, ShortLinesStayWhole) { EXPECT_EQ(cut_to_columns("abc", 3), "abc"); }

TEST(ScreenTest, LongLinesAreCut) { EXPECT_EQ(cut_to_columns("abcdef", 3), "abc"); }

TEST(ScreenTest, CharactersAreCutWhole) {
  EXPECT_EQ(cut_to_columns("\xc2\xb5\xc2\xb5\xc2\xb5", 2), "\xc2\xb5\xc2\xb5");
}

TEST(ScreenTest, ColoursTakeNoColumnsAndAlwaysEnd) {
  EXPECT_EQ(cut_to_columns("\x1b[31mabcd\x1b[0m", 2), "\x1b[31mab\x1b[0m");
  EXPECT_EQ(cut_to_columns("\x1b[1mab\x1b[0mcd", 3), "\x1b[1mab\x1b[0mc");
}

}  // namespace
}  // namespace tarn::tools
