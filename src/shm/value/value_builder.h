// value_builder.h - changing a value that is ours: nobody else has it yet.
//
// The buffer may have come from elsewhere and been copied here (Message::edit), so it is input too:
// each offset is checked before it is followed. Blocks never move within the buffer but for growing
// containers, which leave the number of their new place behind: a ValuePlace stays good while the
// value grows. What is replaced by something longer stays as dead bytes until the value is copied.
//
// Process-local; one thread at a time. Nothing here waits.
// Crash: the buffer is this process's alone until it is pushed, and dies with it.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "shm/value/value_key.h"
#include "shm/value/value_reader.h"
#include "shm/value/walk_budget.h"

namespace tarn {

// Where the buffer stands, and where more comes from.
class ValueMemory {
 public:
  virtual ~ValueMemory() = default;
  // Makes room for at least that much, keeping the first `used_bytes`; base() may change. Whoever
  // implements it keeps the story of a refusal.
  virtual Status grow(std::uint64_t at_least, std::uint64_t used_bytes) noexcept = 0;
  std::byte* base() const noexcept { return base_; }
  std::uint64_t capacity() const noexcept { return capacity_; }

 protected:
  std::byte* base_ = nullptr;  // aligned to kArrayAlign, or to kBlockAlign below 64 bytes
  std::uint64_t capacity_ = 0;
};

// One cell of a value: the root, or an entry of a container. Good until something is removed from
// that container.
struct ValuePlace {
  std::uint64_t block = 0;  // 0: the root
  std::uint32_t number = 0;
  std::uint16_t epoch = 0;
  std::uint16_t depth = 0;
};

class ValueBuilder {
 public:
  explicit ValueBuilder(ValueMemory& memory) noexcept : memory_(memory) {}

  // Fresh bytes: none at the root. Requires: room for a header.
  void format() noexcept;
  ValueReader reader() const noexcept { return {memory_.base(), used()}; }

  // What stands there. not_found: it was removed, or its table was compacted.
  Result<layout::Cell> cell(ValuePlace& place) const noexcept;
  // Where that cell stands now.
  Result<const std::byte*> address(ValuePlace& place) const noexcept;

  // --- scalars ---
  Status set(ValuePlace& place, layout::Cell scalar) noexcept;
  Status set_text(ValuePlace& place, layout::CellType type,
                  std::span<const std::byte> bytes) noexcept;
  Status set_big_integer(ValuePlace& place, bool negative,
                         std::span<const std::byte> magnitude) noexcept;
  Status set_wide_complex(ValuePlace& place, layout::CellType number,
                          layout::WideComplex parts) noexcept;
  Status set_reference(ValuePlace& place, const layout::ReferenceBlock& reference) noexcept;

  // --- containers ---
  // An empty one, with room for `expected` entries. Requires: is_container(type).
  Status set_container(ValuePlace& place, layout::CellType type, std::uint8_t detail,
                       std::uint64_t expected) noexcept;
  // Room for so many entries in all.
  Status reserve(ValuePlace& place, std::uint64_t expected) noexcept;
  // The key's value, put in as none when it is new. A none becomes a table first. wrong_type: it is
  // something else.
  Result<ValuePlace> put(ValuePlace& table, const ValueKey& key) noexcept;
  // As put() and set_text(), for text of at most kCellTextBytes. The root's place, or false:
  // nothing was done, and these two know what to do.
  ValuePlace put_short(ValuePlace& table, std::string_view text) noexcept;
  bool set_short_text(ValuePlace& place, std::string_view text) noexcept;
  // A new last element, none. A none becomes a list first.
  Result<ValuePlace> append(ValuePlace& list) noexcept;
  // The element's place; not_found beyond the end.
  Result<ValuePlace> element(ValuePlace& list, std::uint64_t number) const noexcept;
  Status remove(ValuePlace& table, const ValueKey& key) noexcept;
  Status remove(ValuePlace& list, std::uint64_t number) noexcept;
  // All entries go; the room stays.
  Status clear(ValuePlace& container) noexcept;

  // --- arrays ---
  // Elements to fill in, not cleared, aligned to kArrayAlign in the buffer. One that has this shape
  // and type already is taken as it is.
  Result<std::span<std::byte>> set_array(ValuePlace& place, std::uint8_t detail,
                                         std::span<const std::uint64_t> shape) noexcept;

  // A deep copy of `cell`, of another value or of a part of this one that does not hold `place`.
  // corrupt: it makes no sense, or is more than its buffer can honestly hold.
  Status copy(ValuePlace& place, const ValueReader& from, const layout::Cell& cell) noexcept;

 private:
  Status copy_tree(ValuePlace& place, const ValueReader& from, const layout::Cell& cell,
                   WalkBudget& budget) noexcept;
  Status copy_container(ValuePlace& place, const ValueReader& from, const layout::Cell& cell,
                        WalkBudget& budget) noexcept;
  Status copy_entries(ValuePlace& place, const ValueReader& from, const ContainerView& container,
                      WalkBudget& budget) noexcept;
  Status copy_array(ValuePlace& place, const ValueReader& from, const layout::Cell& cell,
                    WalkBudget& budget) noexcept;
  struct Container;  // a header of ours, checked, at its present address

  std::uint64_t used() const noexcept;
  // A new block of cleared bytes.
  Result<std::uint64_t> allocate(std::uint64_t size_bytes, std::uint64_t align) noexcept;
  void note_dead(std::uint64_t size_bytes) noexcept;
  void note_replaced(const layout::Cell& cell) noexcept;
  bool is_sound(ValuePlace& place) const noexcept;
  // The address of the place's cell, after what moved has been followed.
  Result<layout::Cell*> find(ValuePlace& place) const noexcept;
  // Follows what moved. Error::none: `found` is good, and of that type. Requires:
  // is_container(type).
  Error::Code open(std::uint64_t block, layout::CellType type, Container& found) const noexcept;
  // Where a container's header stands now; null when it stands nowhere.
  layout::ContainerHeader* present(std::uint64_t& block) const noexcept;
  // The container that the cell at `place` holds, made when it is none.
  Error::Code open_for(ValuePlace& place, layout::CellType made_of_none, Container& found) noexcept;
  Result<std::uint64_t> make_container(layout::CellType type, std::uint64_t capacity) noexcept;
  // The same entries in a block with more room.
  Error::Code move(ValuePlace& place, std::uint64_t capacity, Container& moved) noexcept;
  Result<layout::Cell> store_text(layout::CellType type, std::span<const std::byte> bytes,
                                  const layout::Cell& before) noexcept;
  // Room for one more in a container that has none.
  Error::Code make_room(ValuePlace& place, Container& full) noexcept;
  // The key as it stands in a table of that seed: what does not fit in its cell goes to a block.
  Result<layout::Cell> store_key(const ValueKey& key) noexcept;
  // False when the index has no free word.
  bool index(Container& table, std::uint32_t number, std::uint32_t hash) noexcept;
  Error::Code index_all(Container& table) noexcept;

  ValueMemory& memory_;
};

}  // namespace tarn
