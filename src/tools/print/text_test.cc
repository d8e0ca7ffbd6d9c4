#include "tools/print/text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tarn::tools {
namespace {

TEST(TextTest, WellFormedUtf8IsRecognised) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8e\xb5"));
}

TEST(TextTest, MalformedUtf8IsRecognised) {
  EXPECT_FALSE(is_utf8("\xff"));
  EXPECT_FALSE(is_utf8("\xc3"));              // cut short
  EXPECT_FALSE(is_utf8("\xc0\xaf"));          // overlong
  EXPECT_FALSE(is_utf8("\xe0\x80\xaf"));      // overlong
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));      // a surrogate
  EXPECT_FALSE(is_utf8("\xf4\x90\x80\x80"));  // beyond Unicode
  EXPECT_FALSE(is_utf8("\xc3(") || is_utf8("\x80"));
}

TEST(TextTest, PrintableTextStaysAsItIs) {
  EXPECT_EQ(printable("pipe 'gr\xc3\xbc\xc3\x9f'"), "pipe 'gr\xc3\xbc\xc3\x9f'");
}

TEST(TextTest, WhatWouldSteerATerminalIsEscaped) {
  EXPECT_EQ(printable("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(printable("line\nline\tend\x7f"), "line\\nline\\tend\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");  // the one-character form of ESC [
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
}

TEST(TextTest, ColumnsCountCodePoints) {
  EXPECT_EQ(columns("abc"), 3u);
  EXPECT_EQ(columns("\xc2\xb5s"), 2u);
}

TEST(TextTest, JsonOfBytesThatAreNotUtf8DoesNotThrow) {
  EXPECT_EQ(json_line({{"name", "a\xff"}}), "{\"name\":\"a\xef\xbf\xbd\"}");
  EXPECT_EQ(json_text({{"a", 1}}), "{\n  \"a\": 1\n}");
}

}  // namespace
}  // namespace tarn::tools
