// value_content_test.cc - what may stand in a value: numbers, text, bytes, arrays.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>

#include "tarn/value.h"
#include "testing/error_code.h"

namespace tarn {
namespace {

using testing::code_of;

using namespace std::string_literals;

TEST(ValueContentTest, HoldsEachTypeOfNumber) {
  Value value;
  value["i8"] = std::int8_t{-128};
  value["u16"] = std::uint16_t{65535};
  value["i64"] = std::numeric_limits<std::int64_t>::min();
  value["u64"] = std::numeric_limits<std::uint64_t>::max();
  value["f32"] = 0.25f;
  value["f64"] = 0.1;
  value["yes"] = true;
  value["c"] = std::complex<double>(1, -2);
  const ValueView view = value.view();
  EXPECT_EQ(view["i8"].type(), ValueType::int8);
  EXPECT_EQ(view["i8"].as<int>(), -128);
  EXPECT_EQ(view["u16"].as<long>(), 65535);
  EXPECT_EQ(view["i64"].as<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(view["u64"].as<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(view["f32"].as<double>(), 0.25);
  EXPECT_EQ(view["f64"].as<double>(), 0.1);
  EXPECT_TRUE(view["yes"].as<bool>());
  EXPECT_EQ(view["c"].as<std::complex<float>>(), std::complex<float>(1, -2));
  EXPECT_EQ(view.size(), 8u);
}

TEST(ValueContentTest, NeverLosesAnythingInAConversion) {
  Value value;
  value["big"] = std::uint64_t{1} << 63;
  value["odd"] = (std::int64_t{1} << 53) + 1;
  value["half"] = 0.5;
  value["tenth"] = 0.1;
  value["huge"] = 1e300;
  value["minus"] = -1;
  value["text"] = "1";
  const ValueView view = value.view();
  EXPECT_EQ(code_of([&] { view["big"].as<std::int64_t>(); }), Error::out_of_range);
  EXPECT_EQ(view["big"].as<double>(), 9223372036854775808.0);
  EXPECT_EQ(code_of([&] { view["odd"].as<double>(); }), Error::out_of_range);
  EXPECT_EQ(view["odd"].rounded<double>(), 9007199254740992.0);
  EXPECT_EQ(code_of([&] { view["half"].as<int>(); }), Error::out_of_range);
  EXPECT_EQ(view["half"].as<float>(), 0.5f);
  EXPECT_EQ(code_of([&] { view["tenth"].as<float>(); }), Error::out_of_range);
  EXPECT_EQ(view["tenth"].rounded<float>(), 0.1f);
  EXPECT_EQ(code_of([&] { view["huge"].rounded<float>(); }), Error::out_of_range);
  EXPECT_EQ(code_of([&] { view["minus"].as<unsigned>(); }), Error::out_of_range);
  EXPECT_EQ(code_of([&] { view["text"].as<int>(); }), Error::wrong_type);
  EXPECT_EQ(code_of([&] { view["minus"].as<bool>(); }), Error::wrong_type);
  EXPECT_EQ(view["minus"].try_as<unsigned>(), std::nullopt);
  EXPECT_EQ(view["minus"].as_or(7u), 7u);
}

TEST(ValueContentTest, NotANumberAndInfinitiesStayWhatTheyAre) {
  Value value;
  value["nan"] = std::nan("");
  value["inf"] = -std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(value.view()["nan"].as<float>()));
  EXPECT_EQ(value.view()["inf"].as<float>(), -std::numeric_limits<float>::infinity());
  EXPECT_EQ(code_of([&] { value.view()["nan"].as<int>(); }), Error::out_of_range);
  EXPECT_EQ(code_of([&] { value.view()["inf"].as<long>(); }), Error::out_of_range);
}

TEST(ValueContentTest, ArraysAreFilledWhereTheyLie) {
  Value value;
  const std::span<float> bins = value["bins"].array<float>({4, 1024});
  for (std::size_t i = 0; i < bins.size(); ++i) bins[i] = static_cast<float>(i);
  const ValueView view = value.view()["bins"];
  EXPECT_EQ(view.shape(), (std::vector<std::size_t>{4, 1024}));
  EXPECT_EQ(view.element_type(), (ElementType{ValueType::float32, false}));
  const std::span<const float> read = view.array<float>();
  ASSERT_EQ(read.size(), 4096u);
  EXPECT_EQ(read[4095], 4095.0f);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read.data()) % 64, 0u);
  EXPECT_EQ(code_of([&] { view.array<double>(); }), Error::wrong_type);
  EXPECT_FALSE(view.try_array<int>());
  // The same again is the same place.
  value["after"] = 1;
  value["bins"].array<float>({4, 1024})[0] = 9;
  EXPECT_EQ(value.view()["bins"].array<float>()[0], 9.0f);
  EXPECT_EQ(value.view()["bins"].array<float>()[4095], 4095.0f);
  EXPECT_EQ(code_of([&] { value["bins"].array<float>(std::span<const std::size_t>{}); }),
            Error::invalid_argument);
  EXPECT_EQ(code_of([&] { value["x"].array<double>(std::size_t{1} << 62); }), Error::too_large);
}

TEST(ValueContentTest, EmptyArraysAndComplexOnesWork) {
  Value value;
  EXPECT_EQ(value["none"].array<double>({0, 5}).size(), 0u);
  value["c"].array<std::complex<float>>(3)[2] = {1, 2};
  EXPECT_EQ(value.view()["none"].shape(), (std::vector<std::size_t>{0, 5}));
  EXPECT_EQ(value.view()["c"].array<std::complex<float>>()[2], std::complex<float>(1, 2));
}

TEST(ValueContentTest, TextIsCheckedWhenItIsWrittenAndShortOrLong) {
  Value value;
  const std::string longer(1000, 'x');
  value["short"] = "fourteen bytes";
  value["long"] = longer;
  value["umlaut"] = "Gr\u00fc\u00dfe, \u4e16\u754c";
  EXPECT_EQ(value.view()["short"].text(), "fourteen bytes");
  EXPECT_EQ(value.view()["long"].text(), longer);
  EXPECT_EQ(value.view()["umlaut"].text(), "Gr\u00fc\u00dfe, \u4e16\u754c");
  for (const std::string& bad : {"\xC0\x80"s, "\xED\xA0\x80"s, "\xF4\x90\x80\x80"s, "ab\xFF"s,
                                 "cut \xE2\x82"s, longer + "\x80"s}) {
    EXPECT_EQ(code_of([&] { value["bad"] = bad; }), Error::invalid_argument);
    EXPECT_EQ(code_of([&] { value[bad] = 1; }), Error::invalid_argument);
  }
  const auto bytes = std::as_bytes(std::span("\xFF\xFE\x00", 3));
  value["bytes"].set_bytes(bytes);
  EXPECT_TRUE(std::ranges::equal(value.view()["bytes"].bytes(), bytes));
  EXPECT_EQ(code_of([&] { value.view()["bytes"].text(); }), Error::wrong_type);
}

TEST(ValueContentTest, ReplacingTextByShorterTextReusesItsPlace) {
  Value value;
  value["t"] = std::string(500, 'a');
  const std::size_t before = value.bytes().size();
  for (std::size_t i = 0; i < 100; ++i) value["t"] = std::string(500 - i, 'b');
  EXPECT_EQ(value.bytes().size(), before);
  value["t"] = std::string(5000, 'c');
  EXPECT_GT(value.dead_bytes(), 300u);
  value.compact();
  EXPECT_EQ(value.dead_bytes(), 0u);
  EXPECT_EQ(value.view()["t"].text(), std::string(5000, 'c'));
}

TEST(ValueContentTest, BigIntegersKeepTheirSignAndSize) {
  Value value;
  std::vector<std::byte> magnitude(20, std::byte{0xAB});
  magnitude.push_back(std::byte{0});
  value["big"].set_big_integer({true, magnitude});
  const BigIntegerView read = value.view()["big"].big_integer();
  EXPECT_TRUE(read.negative);
  EXPECT_EQ(read.magnitude.size(), 20u);
  EXPECT_EQ(code_of([&] { value.view()["big"].as<std::int64_t>(); }), Error::out_of_range);
  const std::array small{std::byte{5}};
  value["small"].set_big_integer({true, small});
  EXPECT_EQ(value.view()["small"].as<int>(), -5);
}

}  // namespace
}  // namespace tarn
