// value_access.h - from the public handles to the checked reader and the builder below them.
#pragma once

#include <string>

#include "client/value/value_store.h"
#include "tarn/value.h"

namespace tarn {

// The public types are the format's, number by number.
template <ValueType kType, layout::CellType kCell>
inline constexpr bool kIsSame = static_cast<int>(kType) == static_cast<int>(kCell);
static_assert(kIsSame<ValueType::none, layout::CellType::none> &&
              kIsSame<ValueType::boolean, layout::CellType::boolean> &&
              kIsSame<ValueType::int8, layout::CellType::int8> &&
              kIsSame<ValueType::int64, layout::CellType::int64> &&
              kIsSame<ValueType::uint8, layout::CellType::uint8> &&
              kIsSame<ValueType::uint64, layout::CellType::uint64> &&
              kIsSame<ValueType::float32, layout::CellType::float32> &&
              kIsSame<ValueType::float64, layout::CellType::float64> &&
              kIsSame<ValueType::complex, layout::CellType::complex> &&
              kIsSame<ValueType::big_integer, layout::CellType::big_integer> &&
              kIsSame<ValueType::text, layout::CellType::text> &&
              kIsSame<ValueType::bytes, layout::CellType::bytes> &&
              kIsSame<ValueType::table, layout::CellType::table> &&
              kIsSame<ValueType::list, layout::CellType::list> &&
              kIsSame<ValueType::tuple, layout::CellType::tuple> &&
              kIsSame<ValueType::array, layout::CellType::array> &&
              kIsSame<ValueType::reference, layout::CellType::reference>);

struct ValueView::Access {
  static ValueView root(const ValueReader& reader) noexcept {
    const std::byte* base = reader.bytes().data();
    return {base, reader.bytes().size(), base + offsetof(layout::ValueHeader, root)};
  }
  static ValueView part(const ValueView& of, const std::byte* cell) noexcept {
    return {of.base_, of.size_bytes_, cell};
  }
  static ValueReader reader(const ValueView& view) noexcept {
    return {view.base_, view.size_bytes_};
  }
  // Our copy: what is decided about is loaded once.
  static layout::Cell cell(const ValueView& view) noexcept {
    return view.cell_ != nullptr ? ValueReader::load_cell(view.cell_) : layout::Cell{};
  }
  // The text where it lies, never in our copy of the cell.
  static Result<std::span<const std::byte>> text(const ValueView& view,
                                                 const layout::Cell& cell) noexcept {
    const auto found = reader(view).text(cell);
    if (!found || cell.detail == layout::kInBlock) return found;
    return std::span(view.cell_ + offsetof(layout::Cell, head), found->size());
  }
  static Result<ValueView> find(const ValueView& view, const ValueKey& key) noexcept {
    const layout::Cell held = cell(view);
    if (static_cast<layout::CellType>(held.type) != layout::CellType::table) {
      return Error::wrong_type;
    }
    const auto table = reader(view).container(held);
    if (!table) return table.error();
    const auto number = reader(view).find(*table, key);
    if (!number) return number.error();
    return part(view, table->entries + std::uint64_t{*number} * sizeof(layout::Entry) +
                          offsetof(layout::Entry, value));
  }
  static Result<ValueView> find(const ValueView& view, std::string_view key) noexcept {
    if (key.size() > layout::kCellTextBytes || view.cell_ == nullptr) {
      return find(view, text_key(key));
    }
    const auto place = reader(view).find_short(view.cell_, key);
    if (!place) return place.error();
    return part(view, *place);
  }
  // Whether the view looks into that buffer.
  static bool looks_into(const ValueView& view, std::span<const std::byte> bytes) noexcept {
    return view.base_ == bytes.data();
  }

  // Throws an error about this part, which it names: value["scans"][3] (text).
  [[noreturn]] static void fail(Error::Code code, const char* attempted, const ValueView& view);

 private:
  struct Looks {
    int left;
    std::uint32_t depth = 0;
    std::string path{};
  };
  static std::string place_of(const ValueView& view);
  static bool find_path(const ValueView& from, const std::byte* wanted, Looks& looks);
  static std::string text_of_key(const ValueView& key);
};

}  // namespace tarn
