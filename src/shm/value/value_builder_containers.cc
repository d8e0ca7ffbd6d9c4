// value_builder_containers.cc - tables, lists and tuples of a value that is being built.

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/checked.h"
#include "os/process.h"
#include "shm/value/utf8.h"
#include "shm/value/value_builder.h"
#include "shm/value/value_container.h"

namespace tarn {

using layout::Cell;
using layout::CellType;
using layout::ContainerHeader;
using layout::Entry;

namespace {

constexpr std::uint64_t kMostEntries = std::uint64_t{1} << 31;
// A table's index is twice as large, and its words count entries from 1.
constexpr std::uint64_t kMostKeys = std::uint64_t{1} << 30;
constexpr std::uint32_t kFirstCapacity = 8;
// Up to so many entries are found by looking at all of them: one line holds two keys.
constexpr std::uint32_t kUnindexed = 8;

std::uint32_t index_count_for(CellType type, std::uint64_t capacity) noexcept {
  if (type != CellType::table || capacity <= kUnindexed) return 0;
  // At most half full, so that a search is short.
  return static_cast<std::uint32_t>(std::bit_ceil(capacity) * 2);
}

// Whether the key's text is UTF-8.
bool is_key_text(const ValueKey& key) noexcept {
  if (key.is_in_block()) return is_utf8(key.block);
  constexpr std::uint64_t kNotAscii = 0x8080808080808080;
  const std::uint64_t front = std::uint64_t{key.cell.word} << 16 | key.cell.head;
  if (((front | key.cell.payload) & kNotAscii) == 0) return true;
  const auto bytes = ValueReader().text(key.cell);
  return bytes && is_utf8(*bytes);
}

std::uint32_t random_seed() noexcept {
  std::uint32_t seed = 0;
  os::random_bytes(&seed, sizeof seed);
  return seed;
}

}  // namespace

Result<std::uint64_t> ValueBuilder::make_container(CellType type, std::uint64_t capacity) noexcept {
  if (capacity > (type == CellType::table ? kMostKeys : kMostEntries)) return Error::too_large;
  const std::uint32_t index_count = index_count_for(type, capacity);
  const std::uint64_t size_bytes = sizeof(ContainerHeader) + capacity * entry_bytes(type) +
                                   index_count * std::uint64_t{sizeof(std::uint32_t)};
  const auto offset = allocate(size_bytes, layout::kBlockAlign);
  if (!offset) return offset;
  std::memset(memory_.base() + *offset, 0, size_bytes);
  auto& header = *reinterpret_cast<ContainerHeader*>(memory_.base() + *offset);
  header.capacity = static_cast<std::uint32_t>(capacity);
  header.index_count = index_count;
  header.type = static_cast<std::uint16_t>(type);
  return offset;
}

Status ValueBuilder::set_container(ValuePlace& place, CellType type, std::uint8_t detail,
                                   std::uint64_t expected) noexcept {
  if (place.depth >= layout::kMaxDepth) return Error::out_of_range;
  if (const auto found = find(place); !found) return found.error();
  std::uint64_t offset = 0;  // without a block it is empty
  if (expected > 0) {
    const auto made = make_container(type, expected);
    if (!made) return made.error();
    offset = *made;
  }
  return set(place, Cell{static_cast<std::uint8_t>(type), detail, 0, 0, offset});
}

Error::Code ValueBuilder::open_for(ValuePlace& place, CellType made_of_none,
                                   Container& found) noexcept {
  const auto at = find(place);
  if (!at) return at.error();
  Cell held = **at;
  if (static_cast<CellType>(held.type) == CellType::none) {
    const auto made = set_container(place, made_of_none, 0, kFirstCapacity);
    if (!made) return made.error();
    const auto remade = cell(place);
    if (!remade) return remade.error();
    held = *remade;
  }
  const auto type = static_cast<CellType>(held.type);
  const bool fits = made_of_none == CellType::table
                        ? type == CellType::table
                        : type == CellType::list || type == CellType::tuple;
  if (!fits) return Error::wrong_type;
  if (held.payload == 0) {
    const auto made = make_container(type, kFirstCapacity);
    if (!made) return made.error();
    held.payload = *made;
    if (const auto stored = set(place, held); !stored) return stored.error();
  }
  return open(held.payload, type, found);
}

Error::Code ValueBuilder::move(ValuePlace& place, std::uint64_t capacity,
                               Container& moved) noexcept {
  const auto held = cell(place);
  if (!held) return held.error();
  const auto made = make_container(static_cast<CellType>(held->type), capacity);
  if (!made) return made.error();
  // Opened after the buffer may have moved.
  Container before;
  const auto type = static_cast<CellType>(held->type);
  if (open(held->payload, type, before) != Error::none) return Error::corrupt;
  if (open(*made, type, moved) != Error::none) return Error::corrupt;
  if (before.header->used > moved.header->capacity) return Error::corrupt;
  moved.header->used = before.header->used;
  moved.header->live = before.header->live;
  moved.header->seed = before.header->seed;
  moved.header->epoch = before.header->epoch;
  std::memcpy(moved.entries, before.entries, before.header->used * entry_bytes(before.type()));
  before.header->moved_to = *made;
  note_dead(before.size_bytes());
  const auto at = find(place);
  if (!at) return at.error();
  (*at)->payload = *made;
  return index_all(moved);
}

Status ValueBuilder::reserve(ValuePlace& place, std::uint64_t expected) noexcept {
  const auto held = cell(place);
  if (!held) return held.error();
  const auto type = static_cast<CellType>(held->type);
  if (!is_container(type)) return Error::wrong_type;
  Container container;
  Error::Code code = open_for(place, type == CellType::table ? type : CellType::list, container);
  if (code == Error::none && expected > container.header->capacity) {
    code = move(place, expected, container);
  }
  if (code != Error::none) return code;
  return Done{};
}

// --- the index ----------------------------------------------------------------------------------

bool ValueBuilder::index(Container& table, std::uint32_t number, std::uint32_t hash) noexcept {
  auto* words = reinterpret_cast<std::uint32_t*>(table.index);
  const std::uint32_t mask = table.header->index_count - 1;
  for (std::uint32_t step = 0; step <= mask; ++step) {
    std::uint32_t& word = words[(hash + step) & mask];
    if (word != 0) continue;
    word = number + 1;
    if (step > kLongSearch && table.header->seed == 0) table.header->seed = random_seed();
    return true;
  }
  return false;
}

// Makes the whole index anew; with another seed where keys were made to collide.
Error::Code ValueBuilder::index_all(Container& table) noexcept {
  if (table.type() != CellType::table) return Error::none;
  const std::uint32_t index_count = table.header->index_count;
  for (bool again = true; again;) {
    const std::uint32_t seed = table.header->seed;
    std::memset(table.index, 0, index_count * sizeof(std::uint32_t));
    for (std::uint32_t number = 0; number < table.header->used; ++number) {
      Cell& stored = table.entry(number).key;
      if (static_cast<CellType>(stored.type) == CellType::removed) continue;
      const auto key = reader().key(stored);
      if (!key) return Error::corrupt;
      const std::uint32_t hash = key_hash(*key, seed);
      if (key->is_in_block()) stored.word = hash;
      if (index_count != 0 && !index(table, number, hash)) return Error::corrupt;
    }
    again = seed != table.header->seed;
  }
  return Error::none;
}

// --- entries ------------------------------------------------------------------------------------

Result<Cell> ValueBuilder::store_key(const ValueKey& key) noexcept {
  const auto type = static_cast<CellType>(key.cell.type);
  if (type == CellType::text && !is_key_text(key)) return Error::invalid_argument;
  Cell stored = key.cell;
  if (!key.is_in_block()) return stored;
  const auto in_block = store_text(type, key.block, Cell{});
  if (!in_block) return in_block.error();
  stored.payload = in_block->payload;
  return stored;
}

Result<ValuePlace> ValueBuilder::put(ValuePlace& table, const ValueKey& key) noexcept {
  Container in;
  if (const auto code = open_for(table, CellType::table, in); code != Error::none) return code;
  const auto place_of = [&](std::uint32_t number) {
    return ValuePlace{in.block, number, in.header->epoch,
                      static_cast<std::uint16_t>(table.depth + 1)};
  };
  std::uint32_t hash = ValueReader::needed_hash(*in.header, key);
  const auto found = reader().find(in.view(), key, hash);
  if (found) return place_of(*found);
  if (found.error() != Error::not_found) return found.error();
  if (in.header->used == in.header->capacity) {
    if (const auto code = make_room(table, in); code != Error::none) return code;
    hash = ValueReader::needed_hash(*in.header, key);
  }
  auto stored = store_key(key);
  if (!stored) return stored.error();
  if (key.is_in_block()) {
    stored->word = hash;
    // The buffer may have moved.
    if (const auto code = open(in.block, CellType::table, in); code != Error::none) return code;
    // Who sent the key may have written on after it was looked at: what counts is our copy.
    const auto kept = reader().key(*stored);
    const bool is_text = static_cast<CellType>(key.cell.type) == CellType::text;
    if (!kept || key_hash(*kept, in.header->seed) != hash || (is_text && !is_key_text(*kept))) {
      return Error::corrupt;
    }
  }
  ContainerHeader& header = *in.header;
  if (header.used >= header.capacity) return Error::corrupt;
  const std::uint32_t number = header.used;
  in.entry(number) = Entry{*stored, Cell{}};
  ++header.used;
  ++header.live;
  if (header.index_count != 0) {
    const std::uint32_t seed = header.seed;
    if (!index(in, number, hash)) return Error::corrupt;
    if (seed != header.seed) {
      if (const auto code = index_all(in); code != Error::none) return code;
    }
  }
  return place_of(number);
}

Error::Code ValueBuilder::make_room(ValuePlace& place, Container& full) noexcept {
  ContainerHeader& header = *full.header;
  if (full.type() != CellType::table || header.live > header.used / 2) {
    const std::uint64_t twice = std::uint64_t{header.capacity} * 2;
    return move(place, std::max<std::uint64_t>(twice, kFirstCapacity), full);
  }
  // Most of them were removed: the others move together, and get other numbers.
  std::uint32_t kept = 0;
  for (std::uint32_t number = 0; number < header.used; ++number) {
    if (static_cast<CellType>(full.entry(number).key.type) == CellType::removed) continue;
    full.entry(kept++) = full.entry(number);
  }
  header.used = header.live = kept;
  ++header.epoch;
  if (header.used < header.capacity) return index_all(full);
  // Nothing was removed, whatever its header said.
  const std::uint64_t twice = std::uint64_t{header.capacity} * 2;
  return move(place, std::max<std::uint64_t>(twice, kFirstCapacity), full);
}

Result<ValuePlace> ValueBuilder::append(ValuePlace& list) noexcept {
  Container in;
  if (const auto code = open_for(list, CellType::list, in); code != Error::none) return code;
  if (in.header->used == in.header->capacity) {
    if (const auto code = make_room(list, in); code != Error::none) return code;
  }
  ContainerHeader& header = *in.header;
  if (header.used >= header.capacity) return Error::corrupt;
  const std::uint32_t number = header.used;
  in.cell(number) = Cell{};
  ++header.used;
  ++header.live;
  return ValuePlace{in.block, number, header.epoch, static_cast<std::uint16_t>(list.depth + 1)};
}

Result<ValuePlace> ValueBuilder::element(ValuePlace& list, std::uint64_t number) const noexcept {
  const auto held = cell(list);
  if (!held) return held.error();
  const auto type = static_cast<CellType>(held->type);
  if (type != CellType::list && type != CellType::tuple) return Error::wrong_type;
  if (held->payload == 0) return Error::not_found;
  Container in;
  if (const auto code = open(held->payload, static_cast<CellType>(held->type), in);
      code != Error::none) {
    return code;
  }
  if (number >= in.header->used) return Error::not_found;
  return ValuePlace{in.block, static_cast<std::uint32_t>(number), in.header->epoch,
                    static_cast<std::uint16_t>(list.depth + 1)};
}

Status ValueBuilder::remove(ValuePlace& table, const ValueKey& key) noexcept {
  const auto held = cell(table);
  if (!held) return held.error();
  if (static_cast<CellType>(held->type) != CellType::table) return Error::wrong_type;
  if (held->payload == 0) return Error::not_found;
  Container in;
  if (const auto code = open(held->payload, static_cast<CellType>(held->type), in);
      code != Error::none) {
    return code;
  }
  const auto number = reader().find(in.view(), key);
  if (!number) return number.error();
  Cell gone{};
  gone.type = static_cast<std::uint8_t>(CellType::removed);
  note_replaced(in.entry(*number).key);
  note_replaced(in.entry(*number).value);
  in.entry(*number) = Entry{gone, gone};
  if (in.header->live > 0) --in.header->live;
  return Done{};
}

Status ValueBuilder::remove(ValuePlace& list, std::uint64_t number) noexcept {
  const auto held = cell(list);
  const auto place = element(list, number);
  if (!held || !place) return held ? place.error() : held.error();
  Container in;
  if (const auto code = open(place->block, static_cast<CellType>(held->type), in);
      code != Error::none) {
    return code;
  }
  ContainerHeader& header = *in.header;
  if (number >= header.used) return Error::not_found;
  note_replaced(in.cell(static_cast<std::uint32_t>(number)));
  std::byte* at = in.entries + number * sizeof(Cell);
  std::memmove(at, at + sizeof(Cell), (header.used - number - 1) * sizeof(Cell));
  --header.used;
  header.live = header.used;
  // Later elements have other numbers now.
  ++header.epoch;
  in.cell(header.used) = Cell{};
  return Done{};
}

Status ValueBuilder::clear(ValuePlace& container) noexcept {
  const auto held = cell(container);
  if (!held) return held.error();
  if (!is_container(static_cast<CellType>(held->type))) return Error::wrong_type;
  if (held->payload == 0) return Done{};
  Container in;
  if (const auto code = open(held->payload, static_cast<CellType>(held->type), in);
      code != Error::none) {
    return code;
  }
  const std::uint64_t bytes = in.size_bytes() - sizeof(ContainerHeader);
  std::memset(in.entries, 0, bytes);
  in.header->used = in.header->live = 0;
  ++in.header->epoch;
  return Done{};
}

}  // namespace tarn
