#include "tarn/value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>

#include "testing/error_code.h"

namespace tarn {
namespace {

using testing::code_of;

using namespace std::string_literals;

TEST(ValueTest, BeginsAsNone) {
  const Value value;
  EXPECT_TRUE(value.view().is_none());
  EXPECT_EQ(value.bytes().size(), 48u);
  EXPECT_EQ(value.view().size(), 0u);
  EXPECT_FALSE(value.is_shared());
}

TEST(ValueTest, ErrorsNameThePlaceAndItsType) {
  Value value;
  value["scans"].append(1);
  value["scans"].append()["gain"] = "high";
  value["numbers"].entry_of_number(-3) = true;
  const auto object_of = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      return error.object();
    }
    return "nothing was thrown";
  };
  const ValueView view = value.view();
  EXPECT_EQ(object_of([&] { view["scans"][1]["gain"].as<int>(); }),
            "value[\"scans\"][1][\"gain\"] (text)");
  EXPECT_EQ(object_of([&] { view["numbers"].find_number(-3)->text(); }),
            "value[\"numbers\"][-3] (boolean)");
  EXPECT_EQ(object_of([&] { view["scans"][2]; }), "value[\"scans\"] (list)");
  EXPECT_EQ(object_of([&] { view["absent"]; }), "a value (table)");
  EXPECT_EQ(object_of([&] { ValueView().text(); }), "a value (none)");
  // Looking for the place ends where it would take too long.
  for (int i = 0; i < 10000; ++i) value["many"].append(i);
  EXPECT_EQ(object_of([&] { value.view()["many"][9999].text(); }), "a value (int32)");
}

TEST(ValueTest, CascadesThroughTablesAndLists) {
  Value value;
  value["n"]["x"].append(1);
  value["n"]["x"].append("two");
  value["n"]["x"].append()["y"] = 2.5;
  const ValueView view = value.view();
  EXPECT_EQ(view["n"]["x"][2]["y"].as<double>(), 2.5);
  EXPECT_EQ(view["n"]["x"][1].text(), "two");
  EXPECT_EQ(view["n"]["x"].size(), 3u);
  value["n"]["x"][0] = 7;
  EXPECT_EQ(value.view()["n"]["x"][0].as<int>(), 7);
}

TEST(ValueTest, LookUpThatFailsSaysWhat) {
  Value value;
  value["a"] = 1;
  EXPECT_EQ(code_of([&] { value.view()["b"]; }), Error::not_found);
  EXPECT_EQ(code_of([&] { value.view()["a"]["b"]; }), Error::wrong_type);
  EXPECT_EQ(code_of([&] { value.view()[0]; }), Error::wrong_type);
  EXPECT_FALSE(value.view().find("b"));
  EXPECT_FALSE(value.view()["a"].find("b"));
  EXPECT_TRUE(value.view().contains("a"));
  EXPECT_EQ(code_of([&] { value["a"]["b"] = 1; }), Error::wrong_type);
  try {
    value.view()["spectra"];
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("spectra"), std::string::npos) << error.what();
  }
}

TEST(ValueTest, KeepsTheOrderOfALargeTableAndFindsEachKey) {
  Value value;
  constexpr int kKeys = 100000;
  for (int i = 0; i < kKeys; ++i) {
    value["key " + std::to_string(i) + (i % 2 == 0 ? "" : " with a longer name")] = i;
  }
  const ValueView view = value.view();
  ASSERT_EQ(view.size(), std::size_t{kKeys});
  for (int i = 0; i < kKeys; ++i) {
    const auto found =
        view.find("key " + std::to_string(i) + (i % 2 == 0 ? "" : " with a longer name"));
    ASSERT_TRUE(found) << i;
    ASSERT_EQ(found->as<int>(), i);
  }
  int expected = 0;
  for (const auto [key, element] : view.entries()) ASSERT_EQ(element.as<int>(), expected++);
  EXPECT_EQ(expected, kKeys);
  view.check();
}

TEST(ValueTest, PlacesStayGoodWhileTheValueGrows) {
  Value value;
  ValueRef first = value["first"];
  ValueRef nested = value["nested"]["deep"];
  for (int i = 0; i < 5000; ++i) value[std::to_string(i)] = i;
  for (int i = 0; i < 5000; ++i) value["nested"][std::to_string(i)] = i;
  first = "still here";
  nested = 42;
  EXPECT_EQ(value.view()["first"].text(), "still here");
  EXPECT_EQ(value.view()["nested"]["deep"].as<int>(), 42);
  value.view().check();
}

TEST(ValueTest, RemovedPlacesAreToldSo) {
  Value value;
  value["a"] = 1;
  value["b"] = 2;
  ValueRef a = value["a"];
  EXPECT_TRUE(value.root().remove("a"));
  EXPECT_FALSE(value.root().remove("a"));
  EXPECT_EQ(code_of([&] { a = 3; }), Error::not_found);
  EXPECT_EQ(value.view().size(), 1u);
  EXPECT_FALSE(value.view().contains("a"));
  value["a"] = 4;
  EXPECT_EQ(value.view()["a"].as<int>(), 4);
  value.view().check();
}

TEST(ValueTest, ATableWhoseKeysComeAndGoStaysSmall) {
  Value value;
  for (int i = 0; i < 100000; ++i) {
    value[std::to_string(i)] = i;
    if (i >= 10) {
      ASSERT_TRUE(value.root().remove(std::to_string(i - 10)));
    }
  }
  EXPECT_EQ(value.view().size(), 10u);
  EXPECT_LT(value.bytes().size(), 4096u);
  value.view().check();
}

TEST(ValueTest, AgreesWithAMapThroughRandomChanges) {
  Value value;
  value.root().make_table();
  std::map<std::string, int> model;
  std::mt19937 random(7);
  for (int step = 0; step < 20000; ++step) {
    const std::string key(random() % 30, static_cast<char>('a' + random() % 6));
    if (random() % 3 == 0) {
      EXPECT_EQ(value.root().remove(key), model.erase(key) == 1);
    } else {
      value[key] = step;
      model[key] = step;
    }
  }
  ASSERT_EQ(value.view().size(), model.size());
  for (const auto& [key, number] : model) EXPECT_EQ(value.view()[key].as<int>(), number);
  value.view().check();
}

TEST(ValueTest, ListsRemoveAndTuplesStayTuples) {
  Value value;
  for (int i = 0; i < 20; ++i) value["list"].append(i);
  EXPECT_TRUE(value["list"].remove_at(0));
  EXPECT_TRUE(value["list"].remove_at(18));
  EXPECT_FALSE(value["list"].remove_at(18));
  EXPECT_EQ(value.view()["list"].size(), 18u);
  EXPECT_EQ(value.view()["list"][0].as<int>(), 1);
  value["tuple"].make_tuple(2);
  value["tuple"].append(1);
  value["tuple"].append("b");
  EXPECT_EQ(value.view()["tuple"].type(), ValueType::tuple);
  EXPECT_EQ(value.view()["tuple"][1].text(), "b");
  EXPECT_EQ(code_of([&] { value["list"][99] = 1; }), Error::not_found);
  int sum = 0;
  for (const ValueView element : value.view()["list"].elements()) sum += element.as<int>();
  EXPECT_EQ(sum, 171);
}

TEST(ValueTest, KeysMayBeNumbersAndNeverMeetTextOfTheSameLook) {
  Value value;
  value.root().entry_of_number(1) = "number";
  value["1"] = "text";
  Value half;
  half = 0.5;
  value.root().entry(half.view()) = "half";
  Value narrow;
  narrow = std::uint8_t{1};
  value.root().entry(narrow.view()) = "the same number";
  EXPECT_EQ(value.view().size(), 3u);
  EXPECT_EQ(value.view().find_number(1)->text(), "the same number");
  EXPECT_EQ(value.view()["1"].text(), "text");
  Value nan;
  nan = std::nan("");
  EXPECT_EQ(code_of([&] { value.root().entry(nan.view()); }), Error::invalid_argument);
}

TEST(ValueTest, ComparesWorthNotBytes) {
  Value a;
  Value b;
  a["x"] = 1;
  a["y"] = "two";
  b["y"] = "two";
  b["x"] = 1.0;
  EXPECT_EQ(a.view(), b.view());
  b["x"] = 1.5;
  EXPECT_FALSE(a.view() == b.view());
  Value minus;
  Value large;
  minus = -1;
  large = std::numeric_limits<std::uint64_t>::max();
  EXPECT_FALSE(minus.view() == large.view());
  Value ordered_a;
  Value ordered_b;
  ordered_a.root().make_table(2, true);
  ordered_b.root().make_table(2, true);
  ordered_a["1"] = 1;
  ordered_a["2"] = 2;
  ordered_b["2"] = 2;
  ordered_b["1"] = 1;
  EXPECT_FALSE(ordered_a.view() == ordered_b.view());
}

TEST(ValueTest, CopiesAreDeepAndPartsOfItselfMayBeCopied) {
  Value value;
  value["a"]["list"].append(std::string(100, 'x'));
  value["a"]["array"].array<int>(10)[9] = 5;
  value["b"] = value["a"];
  value["a"]["list"][0] = "changed";
  EXPECT_EQ(value.view()["b"]["list"][0].text(), std::string(100, 'x'));
  EXPECT_EQ(value.view()["b"]["array"].array<int>()[9], 5);
  value = value.view()["b"];
  EXPECT_EQ(value.view()["array"].array<int>()[9], 5);
  const Value copy = value.copy();
  EXPECT_EQ(copy.view(), value.view());
}

TEST(ValueTest, DepthHasABound) {
  Value value;
  Error::Code code = Error::none;
  int depth = 0;
  std::vector<ValueRef> places{value.root()};
  while (code == Error::none && depth < 10000) {
    code = code_of([&] { places.push_back(places.back().append()); });
    ++depth;
  }
  EXPECT_EQ(code, Error::out_of_range);
  EXPECT_EQ(depth, 1001);
  value.view().check();
  EXPECT_EQ(value.copy().view(), value.view());
}

TEST(ValueTest, BytesAreTheSameEachTimeAndComeBack) {
  const auto build = [] {
    Value value;
    for (int i = 0; i < 100; ++i) value["key " + std::to_string(i)]["n"] = i;
    value["array"].array<double>(3)[0] = 1;
    value["array"].array<double>(3)[1] = 2;
    value["array"].array<double>(3)[2] = 3;
    return value;
  };
  const Value first = build();
  const Value second = build();
  ASSERT_TRUE(std::ranges::equal(first.bytes(), second.bytes()));
  const Value back = Value::from_bytes(first.bytes());
  EXPECT_EQ(back.view(), first.view());
}

TEST(ValueTest, MovedFromBeginsAnew) {
  Value value;
  value["a"] = 1;
  Value other = std::move(value);
  EXPECT_TRUE(value.view().is_none());
  EXPECT_EQ(value.dead_bytes(), 0u);
  value["b"] = 2;
  EXPECT_EQ(value.view()["b"].as<int>(), 2);
  EXPECT_EQ(other.view()["a"].as<int>(), 1);
}

TEST(ValueTest, OtherBytesAreNoValue) {
  alignas(64) std::byte bytes[256] = {};
  EXPECT_FALSE(find_value(bytes));
  EXPECT_EQ(code_of([&] { value_in(bytes); }), Error::wrong_type);
  EXPECT_EQ(code_of([&] { Value::from_bytes(std::span(bytes, 3)); }), Error::wrong_type);
  Value value;
  value["a"] = 1;
  std::memcpy(bytes, value.bytes().data(), 64);
  EXPECT_EQ(code_of([&] { value_in(std::span(bytes, 64)); }), Error::corrupt);
  bytes[4] = std::byte{9};
  EXPECT_EQ(code_of([&] { value_in(bytes); }), Error::version_mismatch);
}

// Short text has a way of its own into a table and into a part.
TEST(ValueTest, ShortTextStandsWhereAllOtherTextWould) {
  for (const std::size_t count : {0u, 1u, 7u, 8u, 9u, 20u, 70u, 300u}) {
    Value by_text;
    Value by_key;
    for (std::size_t i = 0; i < count; ++i) {
      // From none to 16 bytes, some of them no ASCII.
      std::string text = std::to_string(i).substr(0, i % 4) + std::string(i % 15, 'x');
      if (i % 5 == 0) text += "\xC3\xA4";
      by_text.root()[text] = text;
      Value key;
      key.root() = text;
      by_key.root().entry(key.view()) = key.view();
    }
    const auto ours = by_text.bytes();
    const auto theirs = by_key.bytes();
    EXPECT_TRUE(std::ranges::equal(ours, theirs)) << count << " keys";
    EXPECT_NO_THROW(by_text.view().check()) << count << " keys";
  }
}

TEST(ValueTest, ShortTextThatIsNoneIsRefusedEverywhere) {
  Value value;
  value.root()["there"] = 1;
  EXPECT_THROW(value.root()["\xFF"], Error);
  EXPECT_THROW(value.root()["there"] = "\xFF", Error);
  EXPECT_THROW(value.root()["there"]["below"], Error) << "a number has no entries";
  EXPECT_EQ(value.view()["there"].as<int>(), 1);
  EXPECT_EQ(value.view().size(), 1u);
}

}  // namespace
}  // namespace tarn
