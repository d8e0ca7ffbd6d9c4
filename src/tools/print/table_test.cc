#include "tools/print/table.h"

#include <gtest/gtest.h>

namespace tarn::tools {
namespace {

const Style kPlain(false);
const Style kColor(true);

TEST(TableTest, WordsGoLeftAndNumbersRight) {
  Table table({{"NAME"}, {"DEPTH", Align::right}, {"STATE"}});
  table.add({"a", "3", "open"});
  table.add({"spectra", "12345678", "closed"});
  EXPECT_EQ(table.text(kPlain),
            "NAME        DEPTH  STATE\n"
            "a               3  open\n"
            "spectra  12345678  closed\n");
}

TEST(TableTest, LinesHaveNoTrailingBlanks) {
  Table table({{"NAME"}, {"N", Align::right}, {"NOTE"}});
  table.add({"long name", "", ""});
  table.add({"a", "1"});
  for (const std::string& line : table.lines(kPlain)) EXPECT_FALSE(line.ends_with(' ')) << line;
}

TEST(TableTest, ColourDoesNotDisturbTheColumns) {
  Table table({{"A"}, {"B"}});
  table.add({Cell("xx", Paint::red), "y"});
  EXPECT_EQ(table.lines(kColor)[1], "\x1b[31mxx\x1b[0m  y");
  EXPECT_EQ(table.lines(kPlain)[1], "xx  y");
}

TEST(TableTest, WidthsCountCharactersNotBytes) {
  Table table({{"A"}, {"B"}});
  table.add({"\xc2\xb5\xc2\xb5", "1"});
  table.add({"xx", "2"});
  EXPECT_EQ(table.lines(kPlain)[1], "\xc2\xb5\xc2\xb5  1");
  EXPECT_EQ(table.lines(kPlain)[2], "xx  2");
}

TEST(TableTest, ForeignTextStaysOnItsLine) {
  Table table({{"NAME"}});
  table.add({"a\nb\x1b[2J"});
  EXPECT_EQ(table.lines(kPlain)[1], "a\\nb\\x1b[2J");
}

TEST(TableTest, WithoutRowsOnlyTheHeadingIsLeft) {
  const Table table({{"NAME"}, {"N", Align::right}});
  EXPECT_EQ(table.text(kPlain), "NAME  N\n");
  EXPECT_EQ(table.row_count(), 0u);
}

TEST(FieldsTest, ValuesAreAligned) {
  Fields fields;
  fields.add("name", "x");
  fields.add("capacity", "64");
  EXPECT_EQ(fields.text(kPlain), "name      x\ncapacity  64\n");
}

}  // namespace
}  // namespace tarn::tools
