#include "shm/value/value_reader.h"

#include "base/checked.h"
#include "shm/value/value_short_table.h"

namespace tarn {

using layout::Cell;
using layout::CellType;
using layout::ContainerHeader;

namespace {

CellType type_of(const Cell& cell) noexcept { return static_cast<CellType>(cell.type); }

template <class T>
T load(const std::byte* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

std::uint64_t number_bytes(CellType type) noexcept {
  switch (type) {
    case CellType::boolean:
    case CellType::int8:
    case CellType::uint8:
      return 1;
    case CellType::int16:
    case CellType::uint16:
      return 2;
    case CellType::int32:
    case CellType::uint32:
    case CellType::float32:
      return 4;
    case CellType::int64:
    case CellType::uint64:
    case CellType::float64:
      return 8;
    default:
      return 0;
  }
}

std::uint64_t element_bytes(std::uint8_t detail) noexcept {
  const auto type = static_cast<CellType>(detail & ~layout::kComplexFlag);
  const bool is_complex = (detail & layout::kComplexFlag) != 0;
  if (is_complex && type == CellType::boolean) return 0;
  return number_bytes(type) * (is_complex ? 2 : 1);
}

bool is_container(CellType type) noexcept {
  return type == CellType::table || type == CellType::list || type == CellType::tuple;
}

Result<ValueReader> ValueReader::open(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < sizeof(layout::ValueHeader)) return Error::invalid_argument;
  const auto header = load<layout::ValueHeader>(bytes.data());
  if (header.magic != layout::kValueMagic) return Error::invalid_argument;
  if (header.version != layout::kValueVersion) return Error::version_mismatch;
  if (header.flags != 0 || header.reserved != 0) return Error::corrupt;
  if (header.size_bytes < sizeof header || header.size_bytes > bytes.size()) return Error::corrupt;
  if (header.dead_bytes > header.size_bytes) return Error::corrupt;
  return ValueReader(bytes.data(), header.size_bytes);
}

Result<std::span<const std::byte>> ValueReader::text(const Cell& held) const noexcept {
  const bool is_big = type_of(held) == CellType::big_integer;
  if (!is_big && held.detail != layout::kInBlock) {
    if (held.detail > layout::kCellTextBytes) return Error::corrupt;
    const auto* in_cell = reinterpret_cast<const std::byte*>(&held) + offsetof(Cell, head);
    return std::span(in_cell, held.detail);
  }
  const std::byte* header = block(held.payload, sizeof(layout::TextHeader));
  if (header == nullptr) return Error::corrupt;
  const auto size_bytes = load<layout::TextHeader>(header).size_bytes;
  const std::byte* text = block(held.payload + sizeof(layout::TextHeader), size_bytes);
  if (text == nullptr) return Error::corrupt;
  return std::span(text, static_cast<std::size_t>(size_bytes));
}

Result<std::span<const std::byte>> ValueReader::magnitude(const Cell& held) const noexcept {
  const auto bytes = text(held);
  if (!bytes) return bytes.error();
  if (held.detail > (bytes->empty() ? 0 : 1)) return Error::corrupt;
  if (!bytes->empty() && bytes->back() == std::byte{0}) return Error::corrupt;
  return bytes;
}

Result<ValueKey> ValueReader::key(const Cell& held) const noexcept {
  const CellType type = type_of(held);
  if (type != CellType::text && type != CellType::bytes && type != CellType::big_integer) {
    const auto number = number_key(held);
    if (!number) return Error::corrupt;
    return *number;
  }
  const bool is_big = type == CellType::big_integer;
  const auto bytes = is_big ? magnitude(held) : text(held);
  if (!bytes) return bytes.error();
  if (!is_big) return bytes_key(type, *bytes);
  // Never in the cell, however small: its bytes stand in a block, its sign in `detail`. Zero is the
  // key int64 0.
  if (bytes->empty()) return Error::corrupt;
  return ValueKey{Cell{held.type, held.detail, 0, 0, 0}, *bytes};
}

Result<ContainerView> ValueReader::container(const Cell& cell) const noexcept {
  ContainerView view;
  if (cell.payload == 0) return view;
  const std::byte* at = block(cell.payload, sizeof(ContainerHeader));
  if (at == nullptr || cell.payload % layout::kBlockAlign != 0) return Error::corrupt;
  view.header = load<ContainerHeader>(at);
  const ContainerHeader& header = view.header;
  if (!makes_sense(header, cell.type)) return Error::corrupt;
  // None of these can wrap: they are products of 32-bit numbers and small constants.
  const std::uint64_t entries_bytes = header.capacity * entry_bytes(type_of(cell));
  const std::uint64_t index_bytes = header.index_count * std::uint64_t{sizeof(std::uint32_t)};
  view.entries = block(cell.payload + sizeof(ContainerHeader), entries_bytes + index_bytes);
  if (view.entries == nullptr) return Error::corrupt;
  view.index = view.entries + entries_bytes;
  return view;
}

Result<ArrayView> ValueReader::array(const Cell& cell) const noexcept {
  ArrayView view;
  view.number = static_cast<CellType>(cell.detail & ~layout::kComplexFlag);
  view.is_complex = (cell.detail & layout::kComplexFlag) != 0;
  view.element_bytes = tarn::element_bytes(cell.detail);
  const std::byte* at = block(cell.payload, sizeof(layout::ArrayHeader));
  if (view.element_bytes == 0 || at == nullptr) return Error::corrupt;
  if (cell.payload % layout::kBlockAlign != 0) return Error::corrupt;
  const auto header = load<layout::ArrayHeader>(at);
  view.dimensions = header.dimensions;
  view.element_count = header.element_count;
  if (header.dimensions == 0 || header.dimensions > layout::kMaxDimensions) return Error::corrupt;
  const std::uint64_t shape_at = cell.payload + sizeof header;
  const std::byte* shape = block(shape_at, header.dimensions * sizeof(std::uint64_t));
  if (shape == nullptr) return Error::corrupt;
  std::memcpy(view.extents.data(), shape, header.dimensions * sizeof(std::uint64_t));
  std::uint64_t product = 1;
  for (const std::uint64_t extent : view.shape()) {
    const auto next = checked_multiply(product, extent);
    if (!next) return Error::corrupt;
    product = *next;
  }
  const auto bytes = checked_multiply(header.element_count, view.element_bytes);
  if (product != header.element_count || !bytes) return Error::corrupt;
  const std::uint64_t elements_at =
      round_up(shape_at + header.dimensions * sizeof(std::uint64_t), layout::kArrayAlign);
  view.elements = block(elements_at, *bytes);
  if (view.elements == nullptr) return Error::corrupt;
  return view;
}

Result<WideNumbers> ValueReader::complex(const Cell& cell) const noexcept {
  const std::uint64_t part_bytes = number_bytes(static_cast<CellType>(cell.detail));
  if (part_bytes == 0 || static_cast<CellType>(cell.detail) == CellType::boolean) {
    return Error::corrupt;
  }
  if (part_bytes <= 4) return WideNumbers{cell.payload & 0xFFFFFFFF, cell.payload >> 32};
  const std::byte* at = block(cell.payload, sizeof(layout::WideComplex));
  if (at == nullptr) return Error::corrupt;
  const auto wide = load<layout::WideComplex>(at);
  return WideNumbers{wide.real, wide.imaginary};
}

Result<layout::ReferenceBlock> ValueReader::reference(const Cell& cell) const noexcept {
  const std::byte* at = block(cell.payload, sizeof(layout::ReferenceBlock));
  if (at == nullptr) return Error::corrupt;
  return load<layout::ReferenceBlock>(at);
}

layout::Entry ValueReader::entry(const ContainerView& table, std::uint32_t number) noexcept {
  return load<layout::Entry>(table.entries + std::uint64_t{number} * sizeof(layout::Entry));
}

bool ValueReader::is_key(const Cell& stored, const ValueKey& key,
                         std::uint32_t hash) const noexcept {
  if (!key.is_in_block()) return std::memcmp(&stored, &key.cell, sizeof stored) == 0;
  if (stored.type != key.cell.type || stored.detail != key.cell.detail || stored.word != hash) {
    return false;
  }
  const auto bytes = text(stored);
  return bytes && bytes->size() == key.block.size() &&
         std::memcmp(bytes->data(), key.block.data(), key.block.size()) == 0;
}

Result<std::uint32_t> ValueReader::find(const ContainerView& table, const ValueKey& key,
                                        std::uint32_t hash, WalkBudget* budget) const noexcept {
  const ContainerHeader& header = table.header;
  const auto key_at = [&](std::uint32_t number) {
    return load_cell(table.entries + std::uint64_t{number} * sizeof(layout::Entry));
  };
  if (header.index_count == 0) {
    if (budget != nullptr && !budget->spend(header.used * sizeof(Cell))) return Error::corrupt;
    for (std::uint32_t number = 0; number < header.used; ++number) {
      if (is_key(key_at(number), key, hash)) return number;
    }
    return Error::not_found;
  }
  const std::uint32_t mask = header.index_count - 1;
  for (std::uint32_t step = 0; step < header.index_count; ++step) {
    const auto found =
        load<std::uint32_t>(table.index + std::uint64_t{(hash + step) & mask} * sizeof(hash));
    if (found == 0) return Error::not_found;
    if (found > header.used) return Error::corrupt;
    if (budget != nullptr && !budget->spend(sizeof(Cell))) return Error::corrupt;
    if (is_key(key_at(found - 1), key, hash)) return found - 1;
  }
  return Error::not_found;
}

Result<const std::byte*> ValueReader::find_short(const std::byte* table,
                                                 std::string_view text) const noexcept {
  ShortTable opened;
  if (const auto code = open_short_table(base_, size_bytes_, table, opened); code != Error::none) {
    return code;
  }
  const ShortKey key =
      short_key(CellType::text, reinterpret_cast<const std::byte*>(text.data()), text.size());
  ShortPlace place;
  if (const auto code = find_in(opened, key, place); code != Error::none) return code;
  return opened.entries + std::uint64_t{place.number} * sizeof(layout::Entry) +
         offsetof(layout::Entry, value);
}

}  // namespace tarn
