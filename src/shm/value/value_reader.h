// value_reader.h - looking into a value that somebody else wrote.
//
// Every function is total: whatever the bytes are, it returns an answer or Error::corrupt, touches
// nothing outside them, and ends after work that is bounded by their size. What decides is loaded
// once into a local copy, so that a writer who keeps writing cannot change it after the check.
//
// Process-local; borrows the bytes. Thread-safe, since nothing is changed.
#pragma once

#include <array>
#include <cstring>
#include <span>

#include "base/result.h"
#include "shm/value/value_key.h"
#include "shm/value/value_layout.h"
#include "shm/value/walk_budget.h"

namespace tarn {

// A table, list or tuple whose header has been checked against the buffer.
struct ContainerView {
  layout::ContainerHeader header{};    // our copy
  const std::byte* entries = nullptr;  // `capacity` of them lie inside the buffer
  const std::byte* index = nullptr;    // behind them

  std::uint32_t used() const noexcept { return header.used; }
  std::uint32_t live() const noexcept { return header.live; }
};

// The shape and elements of an array, checked against the buffer.
struct ArrayView {
  layout::CellType number{};  // of its elements, or of their two parts
  bool is_complex = false;
  std::uint32_t dimensions = 0;
  std::uint64_t element_count = 0;
  std::uint64_t element_bytes = 0;  // of one
  // Our copy, `dimensions` of it: their product is the count whatever is written meanwhile.
  std::array<std::uint64_t, layout::kMaxDimensions> extents;
  const std::byte* elements = nullptr;  // aligned to kArrayAlign in the buffer

  std::span<const std::uint64_t> shape() const noexcept {
    return std::span(extents).first(dimensions);
  }
};

struct WideNumbers {
  std::uint64_t real;
  std::uint64_t imaginary;
};

class ValueReader {
 public:
  ValueReader() noexcept = default;
  // Requires: open() has accepted these bytes, or they are ours.
  ValueReader(const std::byte* base, std::uint64_t size_bytes) noexcept
      : base_(base), size_bytes_(size_bytes) {}

  // invalid_argument: no value begins here. version_mismatch: one of another version does.
  // corrupt: it is cut off, or its header makes no sense. Requires: is_aligned().
  static bool is_aligned(const std::byte* base) noexcept {
    return reinterpret_cast<std::uintptr_t>(base) % layout::kBlockAlign == 0;
  }
  static Result<ValueReader> open(std::span<const std::byte> bytes) noexcept;

  std::span<const std::byte> bytes() const noexcept {
    return {base_, static_cast<std::size_t>(size_bytes_)};
  }
  layout::Cell root() const noexcept {
    return load_cell(base_ + offsetof(layout::ValueHeader, root));
  }
  static layout::Cell load_cell(const std::byte* at) noexcept {
    layout::Cell cell;
    std::memcpy(&cell, at, sizeof cell);
    return cell;
  }

  // Text, bytes, or the magnitude of a big integer. `held` must outlive the answer: short text
  // stands in it.
  Result<std::span<const std::byte>> text(const layout::Cell& held) const noexcept;
  // The magnitude of a big integer in its one form: without a zero at its end, with a sign that is
  // one, and empty only for zero, which has none. Its bytes may change while they are read, like
  // all bytes of a maker who writes on; their number does not.
  Result<std::span<const std::byte>> magnitude(const layout::Cell& held) const noexcept;
  // The one form of this key; corrupt for what cannot be one. Borrows `held` and the buffer.
  Result<ValueKey> key(const layout::Cell& held) const noexcept;
  // A table, list or tuple; one without entries may have no block.
  Result<ContainerView> container(const layout::Cell& cell) const noexcept;
  Result<ArrayView> array(const layout::Cell& cell) const noexcept;
  // A complex number's two parts, as the bits of its number type.
  Result<WideNumbers> complex(const layout::Cell& cell) const noexcept;
  Result<layout::ReferenceBlock> reference(const layout::Cell& cell) const noexcept;

  // The number of the key's entry, or not_found. Entry numbers count removed ones too.
  Result<std::uint32_t> find(const ContainerView& table, const ValueKey& key) const noexcept {
    return find(table, key, needed_hash(table.header, key));
  }
  // The same with needed_hash() of the table and key. Looking at an entry spends its size from
  // `budget`, if there is one: keys that collide make a search long.
  Result<std::uint32_t> find(const ContainerView& table, const ValueKey& key, std::uint32_t hash,
                             WalkBudget* budget = nullptr) const noexcept;
  // What stands for a text that fits into a cell, as find() would find it; the shortest way there.
  // `table` is the cell of any thing. wrong_type, not_found, corrupt.
  Result<const std::byte*> find_short(const std::byte* table, std::string_view text) const noexcept;
  // The key's hash where looking needs it, else 0.
  static std::uint32_t needed_hash(const layout::ContainerHeader& table,
                                   const ValueKey& key) noexcept {
    return key.is_in_block() || table.index_count != 0 ? key_hash(key, table.seed) : 0;
  }
  // Requires: number < used().
  static layout::Entry entry(const ContainerView& table, std::uint32_t number) noexcept;
  static layout::Cell element(const ContainerView& list, std::uint32_t number) noexcept {
    return load_cell(list.entries + std::uint64_t{number} * sizeof(layout::Cell));
  }

 private:
  // `size_bytes` bytes at `offset`, or null.
  const std::byte* block(std::uint64_t offset, std::uint64_t size_bytes) const noexcept {
    if (offset > size_bytes_ || size_bytes > size_bytes_ - offset) return nullptr;
    return base_ + offset;
  }
  bool is_key(const layout::Cell& stored, const ValueKey& key, std::uint32_t hash) const noexcept;

  const std::byte* base_ = nullptr;
  std::uint64_t size_bytes_ = 0;
};

// Bytes of one number of that type; 0 for what is no number of fixed size.
std::uint64_t number_bytes(layout::CellType type) noexcept;
// Bytes of one element of an array with that `detail`; 0 when there is no such type.
std::uint64_t element_bytes(std::uint8_t detail) noexcept;
bool is_container(layout::CellType type) noexcept;
// Of one entry of a container: a table's have a key besides.
constexpr std::uint64_t entry_bytes(layout::CellType type) noexcept {
  return type == layout::CellType::table ? sizeof(layout::Entry) : sizeof(layout::Cell);
}

}  // namespace tarn
