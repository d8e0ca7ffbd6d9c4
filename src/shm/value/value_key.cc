#include "shm/value/value_key.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "shm/value/value_short_key.h"

namespace tarn {

using layout::Cell;
using layout::CellType;

namespace {

Cell number_cell(CellType type, std::uint64_t payload) noexcept {
  return {static_cast<std::uint8_t>(type), 0, 0, 0, payload};
}

std::optional<ValueKey> float_key(double number) noexcept {
  if (std::isnan(number)) return std::nullopt;
  const double canonical = number == 0 ? 0.0 : number;
  return ValueKey{number_cell(CellType::float64, std::bit_cast<std::uint64_t>(canonical)), {}};
}

}  // namespace

Cell short_text_cell(CellType type, std::span<const std::byte> bytes) noexcept {
  return std::bit_cast<Cell>(short_key(type, bytes.data(), bytes.size()));
}

ValueKey bytes_key(CellType type, std::span<const std::byte> bytes) noexcept {
  if (bytes.size() <= layout::kCellTextBytes) return {short_text_cell(type, bytes), {}};
  return {Cell{static_cast<std::uint8_t>(type), layout::kInBlock, 0, 0, 0}, bytes};
}

ValueKey text_key(std::string_view text) noexcept {
  return bytes_key(CellType::text, std::as_bytes(std::span(text.data(), text.size())));
}

ValueKey integer_key(std::int64_t number) noexcept {
  return {number_cell(CellType::int64, static_cast<std::uint64_t>(number)), {}};
}

ValueKey unsigned_key(std::uint64_t number) noexcept {
  if (number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return integer_key(static_cast<std::int64_t>(number));
  }
  return {number_cell(CellType::uint64, number), {}};
}

std::optional<ValueKey> number_key(const Cell& cell) noexcept {
  switch (static_cast<CellType>(cell.type)) {
    case CellType::none:
      return ValueKey{number_cell(CellType::none, 0), {}};
    case CellType::boolean:
      return ValueKey{number_cell(CellType::boolean, cell.payload != 0), {}};
    case CellType::int8:
      return integer_key(static_cast<std::int8_t>(cell.payload));
    case CellType::int16:
      return integer_key(static_cast<std::int16_t>(cell.payload));
    case CellType::int32:
      return integer_key(static_cast<std::int32_t>(cell.payload));
    case CellType::int64:
      return integer_key(static_cast<std::int64_t>(cell.payload));
    case CellType::uint8:
      return unsigned_key(static_cast<std::uint8_t>(cell.payload));
    case CellType::uint16:
      return unsigned_key(static_cast<std::uint16_t>(cell.payload));
    case CellType::uint32:
      return unsigned_key(static_cast<std::uint32_t>(cell.payload));
    case CellType::uint64:
      return unsigned_key(cell.payload);
    case CellType::float32:
      return float_key(std::bit_cast<float>(static_cast<std::uint32_t>(cell.payload)));
    case CellType::float64:
      return float_key(std::bit_cast<double>(cell.payload));
    default:
      return std::nullopt;
  }
}

std::uint32_t key_hash(const ValueKey& key, std::uint32_t seed) noexcept {
  if (key.is_in_block()) {
    return static_cast<std::uint32_t>(
        XXH3_64bits_withSeed(key.block.data(), key.block.size(), seed));
  }
  return hash_of(std::bit_cast<ShortKey>(key.cell), seed);
}

}  // namespace tarn
