// value_golden_test.cc - the bytes of version 1, kept: what was written then is read for ever, and
// what is written now is what was written then.
#include "client/value/value_golden.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <sstream>

#include "tarn/value.h"

namespace tarn {
namespace {

// One of each type, with long and short forms.
Value one_of_each() {
  Value value;
  ValueRef root = value.root();
  root.make_table(20);
  root["none"] = nullptr;
  root["yes"] = true;
  root["int8"] = std::int8_t{-8};
  root["int16"] = std::int16_t{-1600};
  root["int32"] = std::int32_t{-320000};
  root["int64"] = std::int64_t{-6400000000};
  root["uint8"] = std::uint8_t{8};
  root["uint16"] = std::uint16_t{1600};
  root["uint32"] = std::uint32_t{320000};
  root["uint64"] = std::uint64_t{18446744073709551615u};
  root["float32"] = 0.5f;
  root["float64"] = 0.1;
  root["complex64"] = std::complex<float>(1, -2);
  root["complex128"] = std::complex<double>(0.1, -0.2);
  root["big"].set_big_integer({true, std::as_bytes(std::span("0123456789abcdef!", 17))});
  root["text"] = "fourteen bytes";
  root["long text"] = "fifteen bytes!!";
  root["bytes"].set_bytes(std::as_bytes(std::span("\x00\xFF", 2)));
  root["a key that needs a block"]["n"] = 1;
  root["list"].append(1);
  root["list"].append("two");
  root["tuple"].make_tuple(1);
  root["tuple"].append(3.0);
  const auto array = root["array"].array<std::int16_t>({2, 3});
  for (std::size_t i = 0; i < array.size(); ++i) array[i] = static_cast<std::int16_t>(i);
  root["reference"].set_reference({2, {1, 2, 3, 4, 5}});
  root["ordered"].make_table(2, true);
  root["ordered"]["z"] = 1;
  root.entry_of_number(7) = "a number for a key";
  root["removed"] = 1;
  root.remove("removed");
  return value;
}

std::string hex_of(std::span<const std::byte> bytes) {
  std::ostringstream text;
  for (const std::byte byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text << kDigits[std::to_integer<int>(byte) >> 4] << kDigits[std::to_integer<int>(byte) & 15];
  }
  return text.str();
}

std::vector<std::byte> bytes_of(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

TEST(ValueGoldenTest, WhatIsWrittenNowIsWhatWasWrittenThen) {
  EXPECT_EQ(hex_of(one_of_each().bytes()), kGoldenValue1);
}

TEST(ValueGoldenTest, WhatWasWrittenThenIsReadNow) {
  const Value value = Value::from_bytes(bytes_of(kGoldenValue1));
  EXPECT_EQ(value.view(), one_of_each().view());
  EXPECT_TRUE(value["none"].is_none());
  EXPECT_EQ(value["int8"].as<int>(), -8);
  EXPECT_EQ(value["uint64"].as<std::uint64_t>(), 18446744073709551615u);
  EXPECT_EQ(value["float64"].as<double>(), 0.1);
  EXPECT_EQ(value["complex128"].as<std::complex<double>>(), std::complex<double>(0.1, -0.2));
  EXPECT_TRUE(value["big"].big_integer().negative);
  EXPECT_EQ(value["long text"].text(), "fifteen bytes!!");
  EXPECT_EQ(value["a key that needs a block"]["n"].as<int>(), 1);
  EXPECT_EQ(value["tuple"].type(), ValueType::tuple);
  EXPECT_EQ(value["array"].shape(), (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(value["array"].array<std::int16_t>()[5], 5);
  EXPECT_EQ(value["reference"].reference().words[4], 5u);
  EXPECT_TRUE(value["ordered"].order_matters());
  EXPECT_EQ(value.view().find_number(7)->text(), "a number for a key");
  EXPECT_FALSE(value.view().contains("removed"));
}

// A reader of this version meets what only a later one knows.
TEST(ValueGoldenTest, AnUnknownTypeIsLeftAloneAndTheRestIsRead) {
  std::vector<std::byte> bytes = bytes_of(kGoldenValue1);
  std::uint64_t table = 0;  // the root's payload
  std::memcpy(&table, bytes.data() + 40, sizeof table);
  const std::size_t none_cell = table + 32 + 16;  // the value of the first entry
  ASSERT_EQ(bytes[none_cell], std::byte{0});
  bytes[none_cell] = std::byte{99};
  const std::unique_ptr<std::byte, void (*)(void*)> held(
      static_cast<std::byte*>(std::aligned_alloc(64, (bytes.size() + 63) / 64 * 64)), std::free);
  std::memcpy(held.get(), bytes.data(), bytes.size());
  const ValueView view = value_in({held.get(), bytes.size()});
  EXPECT_EQ(name_of(view["none"].type()), "unknown");
  EXPECT_FALSE(view["none"].try_as<int>());
  EXPECT_EQ(view["text"].text(), "fourteen bytes");
}

}  // namespace
}  // namespace tarn
