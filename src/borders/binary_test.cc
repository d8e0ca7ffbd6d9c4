// binary_test.cc - values and MessagePack and CBOR, in both directions, byte by byte.
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "borders/read.h"
#include "borders/write.h"

namespace tarn::borders {
namespace {

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}
std::string hex_of(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char each : bytes) {
    hex += kDigits[static_cast<unsigned char>(each) >> 4];
    hex += kDigits[static_cast<unsigned char>(each) & 0xf];
  }
  return hex;
}
Value from_json(std::string_view text) { return read_value(Format::json, text); }
std::string json_of(const Value& value) { return to_text(value.view(), Format::json); }

struct Example {
  const char* hex;
  const char* json;  // what it is, lossless
};

// Read, it is this; written, it is the same bytes again.
void expect_both_ways(Format format, const Example& example) {
  const Value value = read_value(format, bytes_of(example.hex));
  EXPECT_EQ(to_text(value.view(), Format::json, {.lossless = true}), example.json) << example.hex;
  EXPECT_EQ(hex_of(to_text(value.view(), format, {.lossless = true})), example.hex) << example.json;
}
void expect_read(Format format, const Example& example) {
  const Value value = read_value(format, bytes_of(example.hex));
  EXPECT_EQ(to_text(value.view(), Format::json, {.lossless = true}), example.json) << example.hex;
}

// Most of them are from RFC 8949, appendix A, and RFC 8746.
TEST(CborTest, ExamplesOfTheStandardBothWays) {
  for (const Example& example : std::initializer_list<Example>{
           {"00", "0"},
           {"17", "23"},
           {"1818", "24"},
           {"1903e8", "1000"},
           {"1a000f4240", "1000000"},
           {"1b000000e8d4a51000", "1000000000000"},
           {"1bffffffffffffffff", "18446744073709551615"},
           {"c249010000000000000000", "18446744073709551616"},
           {"c349010000000000000000", "-18446744073709551617"},
           {"20", "-1"},
           {"3903e7", "-1000"},
           {"3b7fffffffffffffff", "-9223372036854775808"},
           {"fb3ff199999999999a", "1.1"},
           {"fb7ff8000000000000", R"({"$float":"nan"})"},
           {"fb7ff0000000000000", R"({"$float":"inf"})"},
           {"f4", "false"},
           {"f6", "null"},
           {"4401020304", R"({"$bytes":"AQIDBA=="})"},
           {"6449455446", R"("IETF")"},
           {"62c3bc", "\"\xc3\xbc\""},
           {"83010203", "[1,2,3]"},
           {"8301820203820405", "[1,[2,3],[4,5]]"},
           {"a0", "{}"},
           {"a201020304", R"({"$table":[[1,2],[3,4]]})"},
           {"a26161016162820203", R"({"a":1,"b":[2,3]})"},
           {"a220014100f6", R"({"$table":[[-1,1],[{"$bytes":"AA=="},null]]})"},
           {"d84d480100020003000400", R"({"$array":"int16","shape":[4],"data":"AQACAAMABAA="})"},
           {"d85648000000000000f03f", R"({"$array":"float64","shape":[1],"data":"AAAAAAAA8D8="})"},
           {"d82882820201d840420102", R"({"$array":"uint8","shape":[2,1],"data":"AQI="})"}}) {
    expect_both_ways(Format::cbor, example);
  }
}

TEST(CborTest, OtherFormsAreRead) {
  for (
      const Example& example : std::initializer_list<Example>{
          {"f90000", "0.0"},
          {"f93e00", "1.5"},
          {"fa47c35000", "1e+05"},
          {"f7", "null"},                                   // undefined
          {"3bffffffffffffffff", "-18446744073709551616"},  // below int64
          {"3b8000000000000000", "-9223372036854775809"},
          {"c24101", "1"},  // a big integer that is small
          {"c34100", "-1"},
          {"c249000000000000000001", "1"},
          {"c074323031332d30332d32315432303a30343a30305a", R"("2013-03-21T20:04:00Z")"},
          {"c11a514b67b0", "1363896240"},                      // a tag that is dropped
          {"d9d9f783010203", "[1,2,3]"},                       // "this is CBOR"
          {"5f42010243030405ff", R"({"$bytes":"AQIDBAU="})"},  // in pieces
          {"7f657374726561646d696e67ff", R"("streaming")"},
          {"9f018202039f0405ffff", "[1,[2,3],[4,5]]"},
          {"bf61610161629f0203ffff", R"({"a":1,"b":[2,3]})"},
          {"bf0102c1200aff", R"({"$table":[[1,2],[-1,10]]})"},
          {"d8494400010002", R"({"$array":"int16","shape":[2],"data":"AQACAA=="})"},
          {"d850443c00bc00", R"({"$array":"float32","shape":[2],"data":"AACAPwAAgL8="})"},
          {"d828828202028401020304",
           R"({"$array":"int64","shape":[2,2],"data":"AQAAAAAAAAACAAAAAAAAAAMAAAAAAAAABAAAAAAAAAA="})"},
      }) {
    expect_read(Format::cbor, example);
  }
}

TEST(MsgpackTest, EveryFormBothWays) {
  for (const Example& example : std::initializer_list<Example>{
           {"c0", "null"},
           {"c3", "true"},
           {"7f", "127"},
           {"cc80", "128"},
           {"cd0100", "256"},
           {"ce00010000", "65536"},
           {"cf0000000100000000", "4294967296"},
           {"cfffffffffffffffff", "18446744073709551615"},
           {"e0", "-32"},
           {"d0df", "-33"},
           {"d1ff7f", "-129"},
           {"d2ffff7fff", "-32769"},
           {"d3ffffffff7fffffff", "-2147483649"},
           {"d38000000000000000", "-9223372036854775808"},
           {"cb3ff199999999999a", "1.1"},
           {"cbfff0000000000000", R"({"$float":"-inf"})"},
           {"a161", R"("a")"},
           {"c40100", R"({"$bytes":"AA=="})"},
           {"93010203", "[1,2,3]"},
           {"82a16101a16290", R"({"a":1,"b":[]})"},
           {"8301a161ffa162c40100c0", R"({"$table":[[1,"a"],[-1,"b"],[{"$bytes":"AA=="},null]]})"},
           {"81cd010000", R"({"$table":[[256,0]]})"},
           {"81d1ff7f00", R"({"$table":[[-129,0]]})"},
           {"d6ff00000001", R"({"$ext":-1,"data":{"$bytes":"AAAAAQ=="}})"},
           {"c70305010203", R"({"$ext":5,"data":{"$bytes":"AQID"}})"}}) {
    expect_both_ways(Format::msgpack, example);
  }
}

TEST(MsgpackTest, WhatItCannotSayIsATaggedTable) {
  for (const char* text :
       {R"({"$integer":"0x100000000000000000"})", R"({"$tuple":[1,2]})",
        R"({"$array":"float64","shape":[1,2],"data":"AAAAAAAA8D8AAAAAAAAAQA=="})",
        R"({"$complex":[1.0,2.0]})", R"({"$ordered":[["a",1]]})"}) {
    const Value value = from_json(text);
    for (const Format format : {Format::msgpack, Format::cbor}) {
      const std::string bytes = to_text(value.view(), format, {.lossless = true});
      EXPECT_EQ(read_value(format, bytes).view(), value.view()) << text << name_of(format);
    }
  }
}

// What we write the library reads as well, and what it writes we read.
TEST(BinaryTest, TheLibraryAgrees) {
  const std::string text = R"({"a":[1,-1,127,128,255,256,65535,65536,4294967295,4294967296,-32,-33,
      -128,-129,-32768,-32769,-2147483648,-2147483649],"b":{"c":null,"d":true,"e":0.5,"f":1.1},"g":")" +
                           std::string(70'000, 'x') + R"("})";
  const auto theirs = nlohmann::ordered_json::parse(text);
  const Value ours = from_json(text);
  EXPECT_EQ(nlohmann::ordered_json::from_cbor(to_text(ours.view(), Format::cbor)), theirs);
  EXPECT_EQ(nlohmann::ordered_json::from_msgpack(to_text(ours.view(), Format::msgpack)), theirs);
  const auto cbor = nlohmann::ordered_json::to_cbor(theirs);
  const auto msgpack = nlohmann::ordered_json::to_msgpack(theirs);
  EXPECT_EQ(read_value(Format::cbor, std::as_bytes(std::span(cbor))).view(), ours.view());
  EXPECT_EQ(read_value(Format::msgpack, std::as_bytes(std::span(msgpack))).view(), ours.view());
}

TEST(BinaryTest, ContainersOfEverySizeOfHead) {
  for (const std::size_t count : {0u, 15u, 16u, 23u, 24u, 255u, 256u, 65'535u, 65'536u}) {
    Value value;
    value["list"].make_list();
    value["table"].make_table();
    for (std::size_t i = 0; i < count; ++i) {
      value["list"].append(i);
      value["table"][std::to_string(i)] = i;
    }
    value["text"] = std::string(count, 't');
    value["bytes"].set_bytes(std::vector<std::byte>(count));
    for (const Format format : {Format::json, Format::msgpack, Format::cbor}) {
      const std::string bytes = to_text(value.view(), format);
      EXPECT_EQ(read_value(format, bytes).view(), value.view()) << count << name_of(format);
    }
  }
}

TEST(BinaryTest, ItemsFollowEachOther) {
  const std::pair<Format, const char*> inputs[] = {{Format::cbor, "0161618102c1032000"},
                                                   {Format::msgpack, "01a161910203ff00"}};
  for (const auto& [format, hex] : inputs) {
    const std::string bytes = bytes_of(hex);
    BytesSource source{std::string_view(bytes)};
    Reader reader(format, source);
    std::string all;
    Value value;
    while (reader.next(value.root())) all += json_of(value) + ' ';
    EXPECT_EQ(all, "1 \"a\" [2] 3 -1 0 ") << name_of(format);
    EXPECT_EQ(reader.position(), bytes.size());
  }
}

}  // namespace
}  // namespace tarn::borders
