// val_text_test.cc - values as text and text as values: what PicklingTools 1.6 printed, to the
// letter.
#include <gtest/gtest.h>

#include "shmboot.h"

namespace {

struct Row {
  const char* what;
  Val value;
  const char* printed;
};

template <class T>
Array<T> array_of(std::initializer_list<T> elements) {
  Array<T> array;
  for (const T& element : elements) array.append(element);
  return array;
}

void PrintTo(const Row& row, ostream* out) { *out << row.what; }

class ValPrintTest : public ::testing::TestWithParam<Row> {};

TEST_P(ValPrintTest, PrintsAsPythonTwoDid) {
  EXPECT_EQ(Stringize(GetParam().value), GetParam().printed);
}

const Row kScalars[] = {
    {"none", None, "None"},
    {"true", true, "True"},
    {"false", false, "False"},
    {"int_1", int_1(-65), "-65"},
    {"int_u1", int_u1(200), "200"},
    {"int_2", int_2(-3), "-3"},
    {"int_u2", int_u2(65535), "65535"},
    {"int_4", int_4(-17), "-17"},
    {"int_u4", int_u4(4000000000u), "4000000000"},
    {"int_8", int_8(-9000000000), "-9000000000"},
    {"int_u8", int_u8(18446744073709551615u), "18446744073709551615"},
    {"int_n", int_n("100000000000000000000"), "100000000000000000000L"},
    {"int_n below zero", int_n("-100000000000000000000"), "-100000000000000000000L"},
    {"int_un", int_un("100000000000000000000"), "100000000000000000000L"},
    {"whole real", 1.0, "1.0"},
    {"tenth", 0.1, "0.1"},
    {"large real", 1e300, "1e+300"},
    {"small real", 1e-7, "1e-07"},
    {"ten to the sixteenth", 1e16, "10000000000000000.0"},
    {"seventeen digits", 0.30000000000000004, "0.30000000000000004"},
    {"below zero", -2.5, "-2.5"},
    {"real_4", real_4(0.1f), "0.1"},
    {"complex_16", complex_16(1, -2), "(1-2j)"},
    {"complex_8", complex_8(1.5f, 2), "(1.5+2j)"},
    {"cx_t<int_2>", cx_t<int_2>(3, -4), "(3-4j)"},
    {"text", "hello", "'hello'"},
    {"text with a single quote", "it's", "\"it's\""},
    {"text with both quotes", "it's \"so\"", "'it\\'s \"so\"'"},
    {"text with escapes", "a\n\t\\\x01\xff", "'a\\n\\t\\\\\\x01\\xff'"},
};
INSTANTIATE_TEST_SUITE_P(Scalars, ValPrintTest, ::testing::ValuesIn(kScalars));

const Row kContainers[] = {
    {"table", Tab("{'a':1}"), "{'a': 1}"},
    {"empty table", Tab(), "{}"},
    {"list", Arr("[1,2]"), "[1, 2]"},
    {"empty list", Arr(), "[]"},
    {"tuple", Tup(1, 2.5, "x"), "(1, 2.5, 'x')"},
    {"tuple of one", Tup(1), "(1)"},
    {"empty tuple", Tup(), "()"},
    {"ordered table", OTab("o{'b':1}"), "OrderedDict([('b', 1)])"},
    {"nested", Tab("{'a':[1,(2,None)],'b':{'c':True}}"), "{'a': [1, (2, None)], 'b': {'c': True}}"},
    {"real_8 array", array_of<real_8>({1, 2.5}), "array([1.0,2.5], 'd')"},
    {"real_4 array", array_of<real_4>({1}), "array([1.0], 'f')"},
    {"int_1 array", array_of<int_1>({1, -2}), "array([1,-2], '1')"},
    {"int_u1 array", array_of<int_u1>({255}), "array([255], 'b')"},
    {"int_2 array", array_of<int_2>({1}), "array([1], 's')"},
    {"int_u2 array", array_of<int_u2>({1}), "array([1], 'w')"},
    {"int_4 array", array_of<int_4>({1}), "array([1], 'i')"},
    {"int_u4 array", array_of<int_u4>({1}), "array([1], 'u')"},
    {"int_8 array", array_of<int_8>({1}), "array([1], 'l')"},
    {"int_u8 array", array_of<int_u8>({1}), "array([1], 'l')"},
    {"complex array", array_of<complex_16>({{1, -2}}), "array([(1-2j)], 'D')"},
    {"complex_8 array", array_of<complex_8>({{1, 2}}), "array([(1+2j)], 'F')"},
    {"empty array", Array<real_8>(), "array([], 'd')"},
    {"proxy", new Tab("{'a':1}"), "{'a': 1}"},
};
INSTANTIATE_TEST_SUITE_P(Containers, ValPrintTest, ::testing::ValuesIn(kContainers));

string pretty(const Val& value) {
  ostringstream out;
  value.prettyPrint(out);
  return out.str();
}

TEST(ValPrettyPrintTest, SortsKeysAndIndentsByFour) {
  EXPECT_EQ(pretty(Tab("{'b':{'y':1,'x':[1,2.5]},'a':(1,'q'),3:None}")),
            "{\n"
            "    3:None,\n"
            "    'a':(\n"
            "        1,\n"
            "        'q'\n"
            "    ),\n"
            "    'b':{\n"
            "        'x':[\n"
            "            1,\n"
            "            2.5\n"
            "        ],\n"
            "        'y':1\n"
            "    }\n"
            "}\n");
}

TEST(ValPrettyPrintTest, EmptyContainersHaveABlankInside) {
  EXPECT_EQ(pretty(Tab("{'a':{},'b':[],'c':()}")),
            "{\n    'a':{ },\n    'b':[ ],\n    'c':( )\n}\n");
}

TEST(ValPrettyPrintTest, TheClientExamplesPacketIsSixLines) {
  Val packet = Tab();
  packet["sequence_number"] = 95;
  packet["my_sequence"] = 195;
  packet["bu"] = int_un("1000000000000000000000");
  packet["bi"] = int_n("1000000000000000000000");
  EXPECT_EQ(pretty(packet),
            "{\n    'bi':1000000000000000000000L,\n    'bu':1000000000000000000000L,\n"
            "    'my_sequence':195,\n    'sequence_number':95\n}\n");
}

TEST(ValPrettyPrintTest, OrderedTablesKeepTheirOrderAndCanBeReadAgain) {
  const Val table = OTab("o{'b':1,'a':2}");
  EXPECT_EQ(pretty(table), "o{\n    'b':1,\n    'a':2\n}\n");
  EXPECT_EQ(Eval(pretty(table)), table);
}

TEST(ValPrintStreamTest, TheStreamsOwnFormatChangesNothing) {
  ostringstream out;
  out << hex << setprecision(2) << Val(255) << ' ' << Val(1.23456);
  EXPECT_EQ(out.str(), "255 1.23456");
}

// --- reading ------------------------------------------------------------------------------------

TEST(EvalTest, ReadsBackWhatIsPrinted) {
  for (const Row& row : kContainers) {
    if (string(row.what) == "tuple of one") continue;  // (1) is a number in brackets elsewhere
    EXPECT_EQ(Eval(Stringize(row.value)), row.value) << row.what;
  }
  for (const Row& row : kScalars) {
    if (row.value.tag == 'f') continue;  // read as a real_8
    EXPECT_EQ(Eval(Stringize(row.value)), row.value) << row.what;
  }
}

TEST(EvalTest, IntegersAreAsWideAsTheyNeed) {
  EXPECT_EQ(Eval("2147483647").tag, 'l');
  EXPECT_EQ(Eval("2147483648").tag, 'x');
  EXPECT_EQ(Eval("9223372036854775808").tag, 'X');
  EXPECT_EQ(Eval("18446744073709551616").tag, 'q');
  EXPECT_EQ(Eval("1L").tag, 'q');
  EXPECT_EQ(Eval("-5"), -5);
}

TEST(EvalTest, WhatIsNoLiteralThrowsAndNamesTheLine) {
  for (const char* text : {"", "{", "{'a'}", "{'a':1", "[1,,2]", "'open", "{'a':1} x", "foo", "(1,",
                           "1.2.3", "'\\x0'", "array([1], 'y')", "--1", "{'a' 1}"}) {
    EXPECT_THROW(Eval(text), runtime_error) << text;
  }
  try {
    Eval("{\n 'a':1,\n 'b' 2}");
    FAIL();
  } catch (const runtime_error& error) {
    EXPECT_NE(string(error.what()).find("line 3"), string::npos) << error.what();
  }
}

TEST(EvalTest, DepthIsLimited) {
  EXPECT_THROW(Eval(string(100000, '[')), runtime_error);
  EXPECT_EQ(Eval(string(200, '[') + string(200, ']')).length(), 1);
}

TEST(EvalTest, AcceptsCommentsBlanksAndLastCommas) {
  EXPECT_EQ(Eval(" { 'a' : 1 , # one\n 'b':\"two\", } "), Val(Tab("{'a':1,'b':'two'}")));
}

TEST(ValReaderTest, ReadsOneLiteralAfterTheOther) {
  ValReader reader("{'a':1} [2] 'three'");
  Val value;
  ASSERT_TRUE(reader.expectAnything(value));
  EXPECT_EQ(value, Tab("{'a':1}"));
  ASSERT_TRUE(reader.expectAnything(value));
  ASSERT_TRUE(reader.expectAnything(value));
  EXPECT_EQ(value, "three");
  EXPECT_FALSE(reader.expectAnything(value));
}

}  // namespace
