// hostile_test.cc - input that is malformed, cut off, or made to do harm: an Error, never a fault.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "borders/read.h"
#include "borders/write.h"

namespace tarn::borders {
namespace {

std::string repeated(std::string_view part, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += part;
  return text;
}

// The error for this input, none for none.
Error::Code code_for(Format format, std::string_view input, ReadOptions options = {}) {
  try {
    read_value(format, input, options).view().check();
    return Error::none;
  } catch (const Error& error) {
    EXPECT_NE(error.attempted(), "");
    EXPECT_NE(error.object(), "");
    EXPECT_NE(error.cure(), "");
    return error.code();
  }
}

struct Bad {
  std::string input;
  Error::Code code = Error::corrupt;
};

TEST(HostileTest, BadJsonIsRefused) {
  for (const Bad& bad : std::initializer_list<Bad>{
           {""},
           {"   "},
           {"{"},
           {"[1,"},
           {"[1"},
           {"{\"a\""},
           {"{\"a\":"},
           {"{a:1}"},
           {"[1,]"},
           {"\"open"},
           {"tru"},
           {"nul"},
           {"01"},
           {"+1"},
           {".5"},
           {"1."},
           {"1e"},
           {"-"},
           {"'a'"},
           {"NaN"},
           {"Infinity"},
           {"-Infinity"},
           {"[NaN]"},  // no JSON
           {"\"\xff\""},
           {"\"\xc0\x80\""},
           {"\"\xed\xa0\x80\""},  // no UTF-8
           {"\"\\ud800\""},
           {"{\"\xff\":1}"},
           {std::string("\"\0\"", 3)},
           {"1 2"},
           {"{} x"},
           {"// comment\n1"},
           {R"({"a":1,"a":2})"},
           {R"({"x":{"a":1,"b":2,"a":3}})"},
           {"1e400", Error::out_of_range},
           {"-1e400", Error::out_of_range},
           {std::string(400, '9'), Error::out_of_range},
           {R"({"$bytes":"A"})"},
           {R"({"$bytes":"AB=="})"},
           {R"({"$bytes":"!!!!"})"},
           {R"({"$bytes":5})"},
           {R"({"$bytes":"","x":1})"},
           {R"({"$float":"NaN"})"},
           {R"({"$integer":"1.5"})"},
           {R"({"$integer":""})"},
           {R"({"$integer":"0x"})"},
           {R"({"$integer":")" + std::string(5000, '1') + "\"}"},
           {R"({"$complex":[1]})"},
           {R"({"$complex":[1,2,3]})"},
           {R"({"$complex":["1",2]})"},
           {R"({"$tuple":1})"},
           {R"({"$tuple":[],"x":1})"},
           {R"({"$tuple":{}})"},
           {R"({"$table":[1]})"},
           {R"({"$table":[[1]]})"},
           {R"({"$table":[[1,2,3]]})"},
           {R"({"$table":[[1,2],[1,3]]})"},
           {R"({"$table":[[[],2]]})"},
           {R"({"$table":[[{"$float":"nan"},2]]})"},
           {R"({"$ordered":{}})"},
           {R"({"$array":"int8","shape":[3],"data":"AAA="})"},
           {R"({"$array":"int8","shape":[],"data":""})"},
           {R"({"$array":"text","shape":[0],"data":""})"},
           {R"({"$array":"int8","shape":[-1],"data":""})"},
           {R"({"$array":"int64","shape":[2305843009213693952],"data":""})"},
           {R"({"$array":"int64","shape":[4294967296,4294967296],"data":""})"},
           {R"({"$array":"int8","data":""})"}}) {
    EXPECT_EQ(code_for(Format::json, bad.input), bad.code) << bad.input.substr(0, 60);
  }
}

TEST(HostileTest, TheLastOfDuplicatesCountsWhenAskedTo) {
  const Value value =
      read_value(Format::json, R"({"a":1,"b":2,"a":3})", {.last_of_duplicates = true});
  EXPECT_EQ(to_text(value.view(), Format::json), R"({"a":3,"b":2})");
}

TEST(HostileTest, DepthEndsInAnError) {
  const std::string deep_list = repeated("[", 10'000) + repeated("]", 10'000);
  const std::string deep_table = repeated("{\"a\":", 10'000) + "1" + repeated("}", 10'000);
  EXPECT_EQ(code_for(Format::json, deep_list), Error::out_of_range);
  EXPECT_EQ(code_for(Format::json, deep_table), Error::out_of_range);
  EXPECT_EQ(code_for(Format::json, repeated("[", 10'000)), Error::out_of_range);
  EXPECT_EQ(code_for(Format::json, repeated("{\"$tuple\":[", 10'000)), Error::out_of_range);
  EXPECT_EQ(code_for(Format::json, repeated("{\"$complex\":[", 10'000)), Error::out_of_range);
  EXPECT_EQ(code_for(Format::json, repeated("{\"$table\":[[", 10'000)), Error::out_of_range);
  EXPECT_EQ(code_for(Format::cbor, repeated("\x81", 10'000)), Error::out_of_range);
  EXPECT_EQ(code_for(Format::cbor, repeated("\xa1\x61"
                                            "a",
                                            10'000)),
            Error::out_of_range);
  EXPECT_EQ(code_for(Format::cbor, repeated("\x9f", 10'000)), Error::out_of_range);
  EXPECT_EQ(code_for(Format::cbor, repeated("\x7f", 40'000)), Error::corrupt);
  EXPECT_EQ(code_for(Format::cbor, repeated("\x5f", 3'000'000)), Error::corrupt);
  EXPECT_EQ(code_for(Format::cbor, repeated("\xc1", 10'000)), Error::corrupt);
  EXPECT_EQ(code_for(Format::msgpack, repeated("\x91", 10'000)), Error::out_of_range);
  EXPECT_EQ(code_for(Format::cbor, repeated("\xa1\x66$tuple\x81", 10'000)), Error::out_of_range);
}

TEST(HostileTest, AsDeepAsAValueMayBeIsRead) {
  for (const auto& [open, close] : {std::pair("[", "]"), std::pair("{\"$tuple\":[", "]}")}) {
    const std::string text = repeated(open, 998) + repeated(close, 998);
    const Value value = read_value(Format::json, text);
    EXPECT_EQ(to_text(value.view(), Format::json, {.lossless = true}), text);
    for (const Format format : {Format::msgpack, Format::cbor}) {
      const std::string bytes = to_text(value.view(), format, {.lossless = true});
      EXPECT_EQ(read_value(format, bytes).view(), value.view());
    }
  }
}

TEST(HostileTest, BadCborIsRefused) {
  using namespace std::string_literals;
  for (const std::string& input : {""s,
                                   "\x18"s,
                                   "\x81"s,
                                   "\x1b\0\0"s,
                                   "\xff"s,
                                   "\x9f"s,
                                   "\xbf\x61"s,
                                   "\x5f\x01\xff"s,
                                   "\x61\xff"s,
                                   "\xa1\x61\xff\x00"s,
                                   "\x9b\xff\xff\xff\xff\xff\xff\xff\xff"s,
                                   "\x7b\xff\xff\xff\xff\xff\xff\xff\xff"s,
                                   "\x5b\x7f\xff\xff\xff\xff\xff\xff\xff\x00"s,
                                   "\xbb\xff\xff\xff\xff\xff\xff\xff\xff"s,
                                   "\x1c"s,
                                   "\xc2"s,
                                   "\xd8"s,
                                   "\xdc\x01"s,
                                   "\xf8\x20"s,
                                   "\xd8\x56\x41\x00"s,
                                   "\xd8\x53\x41\x00"s,
                                   "\xd8\x28\x01"s,
                                   "\x82\xc2\x01\x41\x01"s,
                                   "\xd8\x40\xa0"s,
                                   "\xd8\x40\x61\x61"s,
                                   "\xd8\x28\x82\x81\x03\x81\x01"s,
                                   "\xd9\x04\x10\x82\x81\x01\x81\x01"s,
                                   "\xa2\x61\x61\x01\x61\x61\x02"s,
                                   "\xa2\x01\x01\x01\x02"s,
                                   "\xa1\x80\x01"s,
                                   "\xa1\xf6\x01"s,
                                   "\xa1\xfb"s,
                                   "\xa1\x3b\x00"s,
                                   "\x01\x02"s,
                                   "\x01\xc1"s}) {
    EXPECT_EQ(code_for(Format::cbor, input), Error::corrupt) << testing::PrintToString(input);
  }
}

TEST(HostileTest, BadMsgpackIsRefused) {
  using namespace std::string_literals;
  for (const std::string& input :
       {""s, "\xc1"s, "\xcc"s, "\x91"s, "\x81\xa1"s, "\xa1"s, "\xa1\xff"s, "\xc4\x05\x00"s,
        "\xdd\xff\xff\xff\xff"s, "\xdf\xff\xff\xff\xff"s, "\xdb\xff\xff\xff\xff"s,
        "\xc9\xff\xff\xff\xff\x01"s, "\x82\xa1\x61\x01\xa1\x61\x02"s, "\x82\x01\x01\x01\x02"s,
        "\x81\x90\x01"s, "\x81\xc0\x01"s, "\x81\xcd"s, "\x01\x02"s}) {
    EXPECT_EQ(code_for(Format::msgpack, input), Error::corrupt) << testing::PrintToString(input);
  }
}

// Each beginning of something whole is cut off, and says so.
TEST(HostileTest, EveryTruncationIsRefused) {
  const Value whole = read_value(
      Format::json,
      R"({"a":[1,-300,1.5,"text",null,true],"b":{"$bytes":"AAEC"},"c":{"$tuple":[{"$complex":[1,2]}]},
         "d":{"$array":"int16","shape":[1,2],"data":"AQACAA=="},"e":{"$integer":"0x10000000000000000"},
         "f":{"$table":[[1,2]]}})");
  for (const Format format : {Format::json, Format::msgpack, Format::cbor}) {
    const std::string bytes = to_text(whole.view(), format, {.lossless = true});
    EXPECT_EQ(read_value(format, bytes).view(), whole.view());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(code_for(format, std::string_view(bytes).substr(0, size)), Error::corrupt)
          << name_of(format) << ' ' << size;
    }
  }
}

// Bytes changed at random are a value or an error; what is a value can be written again.
TEST(HostileTest, AnyBytesAreAValueOrAnError) {
  const Value whole = read_value(
      Format::json,
      R"({"a":[1,-300,1.5,"text",null],"b":{"$bytes":"AAEC"},"c":{"$tuple":[{"$complex":[1,2]}]},
         "d":{"$array":"int16","shape":[1,2],"data":"AQACAA=="},"f":{"$table":[[1,2]]}})");
  std::minstd_rand random(4711);
  for (const Format format : {Format::json, Format::msgpack, Format::cbor}) {
    const std::string good = to_text(whole.view(), format, {.lossless = true});
    std::size_t values = 0;
    for (int round = 0; round < 20'000; ++round) {
      std::string bytes = good;
      for (int change = 0; change < 1 + round % 3; ++change) {
        bytes[random() % bytes.size()] = static_cast<char>(random());
      }
      try {
        const Value value = read_value(format, bytes);
        value.view().check();
        to_text(value.view(), Format::json);
        ++values;
      } catch (const Error&) {
      }
    }
    EXPECT_GT(values, 100u) << name_of(format);
  }
}

}  // namespace
}  // namespace tarn::borders
