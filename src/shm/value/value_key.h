// value_key.h - the keys of tables: one form for each key, so that equal keys are equal bytes.
//
// Integers of every width are int64, or uint64 above its range; floating-point numbers are float64,
// without negative zero and without NaN. 1, 1.0 and "1" are three keys.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "shm/value/value_layout.h"

namespace tarn {

// A key to look for or to put in. Borrows its bytes.
struct ValueKey {
  layout::Cell cell;                 // payload 0 when the key needs a block
  std::span<const std::byte> block;  // what does not fit into the cell

  bool is_in_block() const noexcept { return !block.empty(); }
};

// The cell for text or bytes that fit into it. Requires: at most kCellTextBytes.
layout::Cell short_text_cell(layout::CellType type, std::span<const std::byte> bytes) noexcept;

ValueKey text_key(std::string_view text) noexcept;
ValueKey bytes_key(layout::CellType type, std::span<const std::byte> bytes) noexcept;
ValueKey integer_key(std::int64_t number) noexcept;
ValueKey unsigned_key(std::uint64_t number) noexcept;
// The one form of a cell that holds none, a boolean or a number of fixed size; nothing for NaN, and
// for all else: ValueReader::key() knows text.
std::optional<ValueKey> number_key(const layout::Cell& cell) noexcept;

// Where a table's index begins its search. Source: XXH3, 64 bits, of the cell's 16 bytes, or of the
// block's bytes; Yann Collet, https://xxhash.com.
std::uint32_t key_hash(const ValueKey& key, std::uint32_t seed) noexcept;

}  // namespace tarn
