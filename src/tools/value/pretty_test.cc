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
  EXPECT_EQ(plain(read(R"({"a\u001b[2J":"\u001b[31m"})")), "a\\x1b[2J: \"\\x1b[31m\"\n");
}

TEST(PrettyTest, ColourIsForTheTerminal) {
  EXPECT_EQ(pretty(read(R"({"a":"b"})").view(), Style(true)),
            "\x1b[1ma\x1b[0m: \x1b[32m\"b\"\x1b[0m\n");
}

}  // namespace
}  // namespace tarn::tools
