#include "tools/value/pretty.h"

#include <gtest/gtest.h>

#include <limits>

#include "borders/read.h"

namespace tarn::tools {
namespace {

Value read(std::string_view json) { return borders::read_value(borders::Format::json, json); }
std::string plain(const Value& value, PrettyOptions options = {}) {
  return pretty(value.view(), Style(false), options);
}

TEST(PrettyTest, ATreeIsIndented) {
  const Value value = read(R"({"n":1,"station":{"name":"north","at":[1.5,{"$tuple":[]}]},"e":{},
      "c":{"$complex":[1.5,-2.0]},"t":{"$table":[[7,"seven"]]}})");
  EXPECT_EQ(plain(value),
            "n: 1\n"
            "station: table of 2\n"
            "  name: \"north\"\n"
            "  at: list of 2\n"
            "    - 1.5\n"
            "    - tuple of 0\n"
            "e: table of 0\n"
            "c: (1.5,-2.0)\n"
            "t: table of 1\n"
            "  7: \"seven\"\n");
}

TEST(PrettyTest, ArraysAreSummarised) {
  Value value;
  const auto bins = value["f"].array<float>({2, 4});
  for (std::size_t i = 0; i < bins.size(); ++i) bins[i] = static_cast<float>(i) / 2;
  bins[7] = std::numeric_limits<float>::quiet_NaN();
  value["b"].array<bool>(3)[1] = true;
  value["i"].array<std::int8_t>(2)[0] = -5;
  value["z"].array<std::complex<double>>(1)[0] = {1, -1};
  value["none"].array<double>({0, 5});
  value["i"].elements<std::int8_t>()[1] = 5;
  const std::span<bool> flags = value["b"].array<bool>(3);
  flags[0] = flags[2] = false;
  EXPECT_EQ(plain(value),
            "f: float32[2, 4], 0 to 3, 1 nan: 0, 0.5, 1, 1.5, 2, 2.5, ...\n"
            "b: boolean[3], 1 true: false, true, false\n"
            "i: int8[2], -5 to 5: -5, 5\n"
            "z: complex_float64[1]: (1, -1)\n"
            "none: float64[0, 5]\n");
}

TEST(PrettyTest, ScalarsAreOneLine) {
  EXPECT_EQ(plain(read("null")), "null\n");
  EXPECT_EQ(plain(read("12345678901234567890123")), "12345678901234567890123\n");
  EXPECT_EQ(plain(read(R"({"$float":"-inf"})")), "-inf\n");
  EXPECT_EQ(plain(read(R"({"$bytes":"AP8="})")), "bytes[2]: 00 ff\n");
}

TEST(PrettyTest, MuchIsCutAndSaysSo) {
  EXPECT_EQ(plain(read("[1,2,3]"), {.most_entries = 2}), "- 1\n- 2\n... 1 more\n");
  EXPECT_EQ(plain(read("\"gr\xc3\xbc\xc3\x9f\""), {.most_bytes = 3}), "\"gr\" and 4 B more\n");
}

TEST(PrettyTest, ForeignTextCannotSteerTheTerminal) {
  EXPECT_EQ(plain(read(R"({"a\u001b[2J":"\u001b[31m"})")), "\"a\\x1b[2J\": \"\\x1b[31m\"\n");
}

TEST(PrettyTest, DirectionsOfWritingAreNotTurned) {
  EXPECT_EQ(plain(read("\"a\xe2\x80\xae\"")), "\"a\\xe2\\x80\\xae\"\n");
  EXPECT_EQ(plain(read("\"\xd8\x9c\xe2\x81\xa9\"")), "\"\\xd8\\x9c\\xe2\\x81\\xa9\"\n");
}

TEST(PrettyTest, WhatIsPrintedTellsWhatItWas) {
  EXPECT_EQ(plain(read(R"({"$table":[[7,1],["7",2],[null,3],["null",4],["a b",5],["",6]]})")),
            "7: 1\n\"7\": 2\nnull: 3\n\"null\": 4\na b: 5\n\"\": 6\n");
  EXPECT_EQ(plain(read(R"(["\u001b","\\x1b","\""])")), "- \"\\x1b\"\n- \"\\\\x1b\"\n- \"\\\"\"\n");
}

TEST(PrettyTest, KeysAndBigIntegersAreCutToo) {
  EXPECT_EQ(plain(read(R"({"abcdefgh":1})"), {.most_bytes = 3}), "\"abc\" and 5 B more: 1\n");
  EXPECT_EQ(plain(read(R"({"$integer":"-0x12)" + std::string(300, '0') + "\"}")),
            "-0x12" + std::string(30, '0') + "... and 270 hexadecimal digits more\n");
}

TEST(PrettyTest, ValuesOfSeveralLinesStandApart) {
  PrettySequence sequence{Style(false)};
  std::string all;
  for (const auto* json : {"1", "2", "[3,4]", "{\"a\":5}", "6"})
    all += sequence.next(read(json).view());
  EXPECT_EQ(all, "1\n2\n\n- 3\n- 4\n\na: 5\n\n6\n");
}

TEST(PrettyTest, ColourIsForTheTerminal) {
  EXPECT_EQ(pretty(read(R"({"a":"b"})").view(), Style(true)),
            "\x1b[1ma\x1b[0m: \x1b[32m\"b\"\x1b[0m\n");
}

}  // namespace
}  // namespace tarn::tools
