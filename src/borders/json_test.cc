// json_test.cc - values and JSON, in both directions.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "borders/read.h"
#include "borders/write.h"

namespace tarn::borders {
namespace {

Value read(std::string_view text, ReadOptions options = {}) {
  return read_value(Format::json, text, options);
}
std::string plain(const Value& value) { return to_text(value.view(), Format::json); }
std::string lossless(const Value& value) {
  return to_text(value.view(), Format::json, {.lossless = true});
}

// Read, and written again, it is the same text.
TEST(JsonTest, WhatJsonSaysComesBackAsItWas) {
  for (const char* text : {"null",
                           "true",
                           "false",
                           "0",
                           "-1",
                           "9223372036854775807",
                           "-9223372036854775808",
                           "18446744073709551615",
                           "18446744073709551616",
                           "-9223372036854775809",
                           "123456789012345678901234567890",
                           "0.0",
                           "-0.0",
                           "1.5",
                           "1e+300",
                           "5e-324",
                           "\"\"",
                           "\"a \\\"quoted\\\" \\\\ line\\n\"",
                           "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x8a\"",
                           "[]",
                           "{}",
                           "[1,[2,[]],{\"a\":{}}]",
                           "{\"z\":1,\"a\":[true,null],\"\":\"x\"}",
                           "{\"$ref\":\"elsewhere\",\"$schema\":1}"}) {
    const Value value = read(text);
    EXPECT_EQ(plain(value), text);
    EXPECT_EQ(lossless(value), text);
  }
}

TEST(JsonTest, NumbersGetTheSmallestTypeThatHasThem) {
  const Value value = read("[1, 9223372036854775808, 18446744073709551616, 1.0, 1e2]");
  const ValueType expected[] = {ValueType::int64, ValueType::uint64, ValueType::big_integer,
                                ValueType::float64, ValueType::float64};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(value.view()[i].type(), expected[i]) << i;
}

TEST(JsonTest, LongIntegersStayExact) {
  const std::string three_hundred = "1" + std::string(299, '7');
  EXPECT_EQ(plain(read(three_hundred)), three_hundred);
  const std::string tagged = "{\"$integer\":\"0x" + std::string(1000, 'f') + "\"}";
  EXPECT_EQ(plain(read(tagged)), tagged);
  EXPECT_EQ(plain(read("{\"$integer\":\"-12\"}")), "-12");
}

struct Form {
  const char* text;  // lossless
  ValueType type;    // what it is
  const char* in_plain;
};

TEST(JsonTest, TaggedTablesStandForWhatJsonCannotSay) {
  const Form forms[] = {
      {R"({"$bytes":"AP8="})", ValueType::bytes, R"({"$bytes":"AP8="})"},
      {R"({"$float":"nan"})", ValueType::float64, R"({"$float":"nan"})"},
      {R"({"$float":"-inf"})", ValueType::float64, R"({"$float":"-inf"})"},
      {R"({"$complex":[1.5,-2.0]})", ValueType::complex, R"({"$complex":[1.5,-2.0]})"},
      {R"({"$complex":[1,2]})", ValueType::complex, R"({"$complex":[1,2]})"},
      {R"({"$complex":[{"$float":"inf"},0.0]})", ValueType::complex,
       R"({"$complex":[{"$float":"inf"},0.0]})"},
      {R"({"$tuple":[1,{"$tuple":[]}]})", ValueType::tuple, "[1,[]]"},
      {R"({"$table":[[1,"one"],[{"$bytes":""},2],[null,{}]]})", ValueType::table,
       R"({"$table":[[1,"one"],[{"$bytes":""},2],[null,{}]]})"},
      {R"({"$table":[["$bytes",1]]})", ValueType::table, R"({"$table":[["$bytes",1]]})"},
      {R"({"$ordered":[["b",1],["a",2]]})", ValueType::table, R"({"b":1,"a":2})"},
      {R"({"$array":"int16","shape":[2,2],"data":"AQACAAMABAA="})", ValueType::array,
       "[[1,2],[3,4]]"},
      {R"({"$array":"boolean","shape":[2],"data":"AQA="})", ValueType::array, "[true,false]"},
      {R"({"$array":"float32","shape":[0],"data":""})", ValueType::array, "[]"},
      {R"({"$array":"complex_int8","shape":[1],"data":"Af8="})", ValueType::array,
       R"([{"$complex":[1,-1]}])"},
  };
  for (const Form& form : forms) {
    const Value value = read(form.text);
    EXPECT_EQ(value.view().type(), form.type) << form.text;
    EXPECT_EQ(lossless(value), form.text);
    EXPECT_EQ(plain(value), form.in_plain);
    // Unasked they are tables like others.
    const Value table = read(form.text, {.tags = false});
    EXPECT_TRUE(table.view().is_table()) << form.text;
    EXPECT_NE(table.view(), value.view()) << form.text;
    EXPECT_EQ(read(plain(table)).view(), table.view()) << form.text;
  }
}

TEST(JsonTest, WidthsAreNotKeptButWorthIs) {
  Value value;
  value["small"] = std::int8_t{-5};
  value["single"] = 0.1f;
  EXPECT_EQ(plain(value), R"({"small":-5,"single":0.1})");
  EXPECT_EQ(lossless(value), R"({"small":-5,"single":0.10000000149011612})");
  EXPECT_EQ(read(lossless(value)).view(), value.view());
}

TEST(JsonTest, ListsOfNumbersBecomeArraysWhenAskedTo) {
  const ReadOptions arrays{.number_arrays = true};
  const Value value = read(R"({"i":[1,2],"f":[1,2.5],"m":[1,"x"],"e":[],"b":[true],"n":[[1],[2]],
      "wide":[9007199254740993,0.5]})",
                           arrays);
  EXPECT_EQ(value.view()["i"].array<std::int64_t>()[1], 2);
  EXPECT_EQ(value.view()["f"].array<double>()[0], 1.0);
  for (const char* key : {"m", "e", "b", "n", "wide"}) {
    EXPECT_EQ(value.view()[key].type(), ValueType::list) << key;
  }
  EXPECT_EQ(value.view()["n"][1].array<std::int64_t>()[0], 2);
}

TEST(JsonTest, PrettyKeepsNumbersOnOneLine) {
  const Value value = read(R"({"a":[1,2],"b":[{"c":[]}],"d":{}})");
  EXPECT_EQ(to_text(value.view(), Format::json, {.pretty = true}),
            "{\n  \"a\": [1, 2],\n  \"b\": [\n    {\n      \"c\": []\n    }\n  ],\n  \"d\": {}\n}");
}

TEST(JsonTest, AReferenceMeansNothingElsewhere) {
  Value value;
  value["blob"].set_reference({.kind = 2, .words = {1, 2, 3, 4, 5}});
  for (const Format format : {Format::json, Format::msgpack, Format::cbor}) {
    try {
      to_text(value.view(), format);
      ADD_FAILURE() << name_of(format);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Error::wrong_type);
    }
  }
}

TEST(JsonTest, TextsFollowEachOther) {
  BytesSource source(std::string_view("{\"a\":1} 2 3\n4.5\"x\"[6]true7"));
  Reader reader(Format::json, source);
  std::string all;
  Value value;
  while (reader.next(value.root())) all += plain(value) + ' ';
  EXPECT_EQ(all, "{\"a\":1} 2 3 4.5 \"x\" [6] true 7 ");
  EXPECT_EQ(reader.count(), 8u);
}

// Every cut between two bytes.
TEST(JsonTest, PiecesOfAnySizeAreReadTheSame) {
  class Pieces final : public Source {
   public:
    Pieces(std::string_view text, std::size_t size) : text_(text), size_(size) {}
    std::span<const std::byte> next() override {
      const auto piece = text_.substr(0, size_);
      text_.remove_prefix(piece.size());
      return std::as_bytes(std::span(piece.data(), piece.size()));
    }

   private:
    std::string_view text_;
    std::size_t size_;
  };
  const std::string text = R"({"key":[1,22,-3.5e2,"gr\u00fc\u00df",null],"x":{"y":[]}} 12 13 )";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    Pieces source(text, size);
    Reader reader(Format::json, source);
    Value first, second, third, none;
    ASSERT_TRUE(reader.next(first.root()));
    ASSERT_TRUE(reader.next(second.root()));
    ASSERT_TRUE(reader.next(third.root()));
    ASSERT_FALSE(reader.next(none.root()));
    EXPECT_EQ(first.view()["key"].size(), 5u);
    EXPECT_EQ(second.view().as<int>(), 12);
    EXPECT_EQ(third.view().as<int>(), 13);
  }
}

// All levels that a value may have, said in the most wordy way, with the wordiest leaf below.
TEST(JsonDepthTest, TheDeepestValueReadsBack) {
  for (const bool in_order : {false, true}) {
    Value value;
    std::vector<ValueRef> places{value.root()};
    for (int level = 0; level < 1000; ++level) {
      places.back().make_table(1, in_order);
      places.push_back(places.back().entry_of_number(level));
    }
    places.back() = std::complex<double>(1, 2);
    const std::string text = to_text(value.view(), Format::json, {.lossless = true});
    EXPECT_EQ(read_value(Format::json, text).view(), value.view()) << in_order;
  }
}

}  // namespace
}  // namespace tarn::borders
