// value_hostile_test.cc - values whose maker lied, and uses that reach into what is being changed.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "shm/value/value_layout.h"
#include "tarn/value.h"
#include "testing/error_code.h"

namespace tarn {
namespace {

using testing::code_of;

using layout::Cell;
using layout::CellType;
using layout::ContainerHeader;

// Bytes at an address as a message has them, made by hand.
class Forged {
 public:
  explicit Forged(std::size_t size_bytes)
      : size_bytes_(size_bytes),
        bytes_(static_cast<std::byte*>(std::aligned_alloc(64, (size_bytes + 63) / 64 * 64)),
               std::free) {
    std::memset(bytes_.get(), 0, size_bytes);
    layout::ValueHeader header{};
    header.magic = layout::kValueMagic;
    header.version = layout::kValueVersion;
    header.size_bytes = size_bytes;
    put(0, header);
  }
  template <class T>
  void put(std::size_t offset, const T& what) {
    std::memcpy(bytes_.get() + offset, &what, sizeof what);
  }
  void put_root(CellType type, std::uint8_t detail, std::uint64_t payload) {
    put(32, Cell{static_cast<std::uint8_t>(type), detail, 0, 0, payload});
  }
  std::span<const std::byte> bytes() const { return {bytes_.get(), size_bytes_}; }

 private:
  std::size_t size_bytes_;
  std::unique_ptr<std::byte, void (*)(void*)> bytes_;
};

ContainerHeader table_of(std::uint32_t capacity, std::uint32_t used, std::uint32_t live,
                         std::uint32_t index_count) {
  ContainerHeader header{};
  header.capacity = capacity;
  header.used = used;
  header.live = live;
  header.index_count = index_count;
  header.type = static_cast<std::uint16_t>(CellType::table);
  return header;
}

// Of two elements.
ContainerHeader list_of(std::uint32_t live) {
  ContainerHeader header{};
  header.capacity = header.used = 2;
  header.live = live;
  header.type = static_cast<std::uint16_t>(CellType::list);
  return header;
}

TEST(ValueHostileTest, ATableWithoutRoomIsGivenSome) {
  Forged forged(1024);
  forged.put_root(CellType::table, 0, 992);
  forged.put(992, table_of(0, 0, 0, 0));
  Value value = Value::from_bytes(forged.bytes());
  value["x"] = 1;
  EXPECT_EQ(value["x"].as<int>(), 1);
}

TEST(ValueHostileTest, WhatSharesItsBytesIsApartInACopy) {
  Forged forged(512);
  forged.put_root(CellType::list, 0, 64);
  forged.put(64, list_of(2));
  const Cell text{static_cast<std::uint8_t>(CellType::bytes), layout::kInBlock, 0, 0, 16};
  forged.put(96, text);
  forged.put(112, text);
  forged.put(16, std::uint64_t{16});  // dead bytes, and the size of that text: over the root's cell
  Value value = Value::from_bytes(forged.bytes());
  value[0].set_bytes(std::as_bytes(std::span("something else!!", 16)));
  EXPECT_EQ(std::memcmp(value.view()[1].bytes().data(), "something", 9) == 0, false);
  value.view().check();
}

TEST(ValueHostileTest, TablesThatCannotBeSearchedAreCorrupt) {
  for (const auto& header : {table_of(32, 16, 16, 16), table_of(100, 65, 65, 0)}) {
    Forged forged(8192);
    forged.put_root(CellType::table, 0, 64);
    forged.put(64, header);
    EXPECT_EQ(code_of([&] { value_in(forged.bytes())["x"]; }), Error::corrupt);
    EXPECT_EQ(code_of([&] { Value::from_bytes(forged.bytes()); }), Error::corrupt);
  }
}

// What a copy would make good in silence, losing an entry.
TEST(ValueHostileTest, AnEntryThatCannotBeFoundIsNoPartOfWhatIsTaken) {
  Value value;
  for (int i = 0; i < 40; ++i) value[std::to_string(i)] = i;
  std::uint64_t table = 0;
  std::memcpy(&table, value.bytes().data() + 40, sizeof table);
  ContainerHeader header{};
  std::memcpy(&header, value.bytes().data() + table, sizeof header);
  ASSERT_NE(header.index_count, 0u);
  const std::size_t entries = table + sizeof header;
  const std::size_t index = entries + header.capacity * sizeof(layout::Entry);
  const auto code_when = [&](auto&& spoil) {
    std::vector<std::byte> bytes(value.bytes().begin(), value.bytes().end());
    spoil(bytes.data());
    return code_of([&] { Value::from_bytes(bytes); });
  };
  EXPECT_EQ(code_when([](std::byte*) {}), Error::none);
  EXPECT_EQ(
      code_when([&](std::byte* bytes) { std::memset(bytes + index, 0, 4 * header.index_count); }),
      Error::corrupt);
  EXPECT_EQ(code_when([&](std::byte* bytes) {
              const std::uint32_t live = 39;
              std::memcpy(bytes + table + offsetof(ContainerHeader, live), &live, sizeof live);
            }),
            Error::corrupt);
  EXPECT_EQ(code_when([&](std::byte* bytes) {
              std::memcpy(bytes + entries + sizeof(layout::Entry), bytes + entries, sizeof(Cell));
            }),
            Error::corrupt);
}

TEST(ValueHostileTest, AListWhoseCountsDifferIsCorrupt) {
  Forged forged(512);
  forged.put_root(CellType::list, 0, 64);
  forged.put(64, list_of(0));
  EXPECT_EQ(code_of([&] { static_cast<void>(value_in(forged.bytes()).size()); }), Error::corrupt);
}

TEST(ValueHostileTest, AContainerInItselfEndsAsCorrupt) {
  Forged forged(512);
  forged.put_root(CellType::list, 0, 64);
  forged.put(64, list_of(2));
  const Cell self{static_cast<std::uint8_t>(CellType::list), 0, 0, 0, 64};
  forged.put(96, self);
  forged.put(112, self);
  const ValueView view = value_in(forged.bytes());
  EXPECT_EQ(view[0][1][0].size(), 2u);
  EXPECT_EQ(code_of([&] { view.check(); }), Error::corrupt);
  EXPECT_EQ(code_of([&] { Value::copy_of(view); }), Error::corrupt);
  EXPECT_EQ(code_of([&] { static_cast<void>(view == view); }), Error::corrupt);
}

TEST(ValueHostileTest, ABigIntegerInAnotherThanItsOneFormIsCorrupt) {
  struct {
    std::uint8_t detail;
    std::uint64_t size_bytes;
    std::uint8_t last;
  } const cases[] = {{1, 0, 0}, {1, 16, 0}, {0, 16, 0}, {2, 16, 1}, {0xFF, 16, 1}};
  for (const auto& [detail, size_bytes, last] : cases) {
    Forged forged(512);
    forged.put_root(CellType::big_integer, detail, 64);
    forged.put(64, size_bytes);
    forged.put(72 + 15, last);
    const ValueView view = value_in(forged.bytes());
    EXPECT_EQ(code_of([&] { view.check(); }), Error::corrupt) << int{detail};
    EXPECT_EQ(code_of([&] { view.big_integer(); }), Error::corrupt) << int{detail};
    EXPECT_EQ(code_of([&] { view.as<std::int64_t>(); }), Error::corrupt) << int{detail};
    EXPECT_EQ(code_of([&] { Value::from_bytes(forged.bytes()); }), Error::corrupt) << int{detail};
  }
}

TEST(ValueHostileTest, ABigIntegerWithoutBytesIsZero) {
  Value value;
  value.root().set_big_integer({true, {}});
  value.view().check();
  EXPECT_FALSE(value.view().big_integer().negative);
  EXPECT_EQ(value.view().as<int>(), 0);
  EXPECT_EQ(value.copy().view(), value.view());
}

TEST(ValueHostileTest, BytesAtOddAddressesAreTakenAsACopy) {
  Value value;
  value["n"] = 17;
  alignas(16) std::byte room[512];
  std::memcpy(room + 3, value.bytes().data(), value.bytes().size());
  const std::span<const std::byte> odd(room + 3, value.bytes().size());
  EXPECT_EQ(code_of([&] { value_in(odd); }), Error::invalid_argument);
  EXPECT_FALSE(find_value(odd));
  EXPECT_EQ(Value::from_bytes(odd).view()["n"].as<int>(), 17);
}

// --- reaching into what is being changed --------------------------------------------------------

TEST(ValueAliasTest, PartsOfAValueMayBeAssignedWithinIt) {
  const std::string text(300, 'x');
  Value value;
  value["a"] = text;
  ValueRef b = value["b"];
  for (int i = 0; i < 50; ++i) b = value.view()["a"].text();
  EXPECT_EQ(value.view()["b"].text(), text);
  value["a"] = value.view()["a"].text().substr(10);
  EXPECT_EQ(value.view()["a"].text(), text.substr(10));
  value[value.view()["a"].text()] = 1;
  EXPECT_EQ(value.view()[text.substr(10)].as<int>(), 1);
  value["c"].set_bytes(value.view()["a"].bytes());
  EXPECT_EQ(value.view()["c"].bytes().size(), 290u);
}

TEST(ValueAliasTest, AnElementsPlaceIsNotTakenByTheNext) {
  Value value;
  for (int i = 0; i < 4; ++i) value.append(i);
  ValueRef second = value[1];
  value.root().remove_at(1);
  EXPECT_EQ(code_of([&] { second = 99; }), Error::not_found);
  EXPECT_EQ(value.view()[1].as<int>(), 2);
}

TEST(ValueAliasTest, ConstValuesAreIndexedByNumbers) {
  Value value;
  value.append("zero");
  value.append("one");
  const Value& constant = value;
  EXPECT_EQ(constant[0].text(), "zero");
  EXPECT_EQ(constant[1].text(), "one");
  EXPECT_EQ(value[0].text(), "zero");
}

TEST(ValueAliasTest, IteratorsOutliveTheirRange) {
  Value value;
  value["a"] = 1;
  value["list"].append(7);
  const ValueView view = value.view();
  auto entry = view.entries().begin();
  EXPECT_EQ((*entry).key.text(), "a");
  const auto element = view["list"].elements().begin();
  EXPECT_EQ((*element).as<int>(), 7);
}

TEST(ValueAliasTest, WhatIsReplacedIsReusedOrCounted) {
  Value value;
  for (int i = 0; i < 1000; ++i) value["c"] = std::complex<double>(i, i);
  EXPECT_LT(value.bytes().size(), 1024u);
  for (int i = 0; i < 100; ++i) {
    value["t"] = std::string(500, 'x');
    value["t"] = 1;
  }
  EXPECT_GT(value.dead_bytes(), 40'000u);
  value.compact();
  EXPECT_LT(value.bytes().size(), 1024u);
}

TEST(ValueAliasTest, RoundingIsDoneOnce) {
  Value value;
  value = (std::int64_t{1} << 60) + (std::int64_t{1} << 36) + 1;
  EXPECT_EQ(value.view().rounded<float>(), 1152921642045800448.0f);
}

TEST(ValueAliasTest, AllLevelsThatCanBeBuiltCanBeCopied) {
  Value value;
  ValueRef place = value.root();
  std::vector<ValueRef> places{place};
  while (code_of([&] { places.push_back(places.back().append()); }) == Error::none) {
  }
  EXPECT_EQ(places.size(), 1001u);
  value.view().check();
  EXPECT_EQ(value.copy().view(), value.view());
}

}  // namespace
}  // namespace tarn
