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
// An index in which a search takes longer was made so on purpose: it gets another seed.
constexpr std::uint32_t kLongSearch = 512;

std::uint32_t index_count_for(CellType type, std::uint64_t capacity) noexcept {
  if (type != CellType::table || capacity <= kUnindexed) return 0;
  // At most half full, so that a search is short.
  return static_cast<std::uint32_t>(std::bit_ceil(capacity) * 2);
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
  if (place.depth + 1u >= layout::kMaxDepth) return Error::out_of_range;
  if (const auto found = find(place); !found) return found.error();
  std::uint64_t offset = 0;  // without a block it is empty
  if (expected > 0) {
    const auto made = make_container(type, expected);
    if (!made) return made.error();
    offset = *made;
  }
  return set(place, Cell{static_cast<std::uint8_t>(type), detail, 0, 0, offset});
}

Result<ValueBuilder::Container> ValueBuilder::open_for(ValuePlace& place,
                                                       CellType made_of_none) noexcept {
  const auto found = cell(place);
  if (!found) return found.error();
  Cell held = *found;
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
  return open(held.payload);
}

Result<ValueBuilder::Container> ValueBuilder::move(ValuePlace& place,
                                                   std::uint64_t capacity) noexcept {
  const auto held = cell(place);
  if (!held) return held.error();
  const auto made = make_container(static_cast<CellType>(held->type), capacity);
  if (!made) return made.error();
  // Opened after the buffer may have moved.
  auto before = open(held->payload);
  auto after = open(*made);
  if (!before || !after) return Error::corrupt;
  after->header->used = before->header->used;
  after->header->live = before->header->live;
  after->header->seed = before->header->seed;
  after->header->epoch = before->header->epoch;
  std::memcpy(after->entries, before->entries, before->header->used * entry_bytes(before->type()));
  before->header->moved_to = *made;
  note_dead(before->size_bytes());
  Cell moved = *held;
  moved.payload = *made;
  if (const auto stored = set(place, moved); !stored) return stored.error();
  if (const auto indexed = index_all(*after); !indexed) return indexed.error();
  return *after;
}

Status ValueBuilder::reserve(ValuePlace& place, std::uint64_t expected) noexcept {
  const auto held = cell(place);
  if (!held) return held.error();
  const auto type = static_cast<CellType>(held->type);
  if (!is_container(type)) return Error::wrong_type;
  const auto opened = open_for(place, type == CellType::table ? type : CellType::list);
  if (!opened) return opened.error();
  if (expected <= opened->header->capacity) return Done{};
  const auto moved = move(place, expected);
  if (!moved) return moved.error();
  return Done{};
}

// --- the index ----------------------------------------------------------------------------------

void ValueBuilder::index(Container& table, std::uint32_t number, std::uint32_t hash) noexcept {
  auto* words = reinterpret_cast<std::uint32_t*>(table.index);
  const std::uint32_t mask = table.header->index_count - 1;
  for (std::uint32_t step = 0; step <= mask; ++step) {
    std::uint32_t& word = words[(hash + step) & mask];
    if (word != 0) continue;
    word = number + 1;
    if (step > kLongSearch && table.header->seed == 0) table.header->seed = random_seed();
    return;
  }
}

// Makes the whole index anew; with another seed where keys were made to collide.
Status ValueBuilder::index_all(Container& table) noexcept {
  if (table.type() != CellType::table) return Done{};
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
      if (index_count != 0) index(table, number, hash);
    }
    again = seed != table.header->seed;
  }
  return Done{};
}

// --- entries ------------------------------------------------------------------------------------

Result<Cell> ValueBuilder::store_key(const ValueKey& key) noexcept {
  const auto type = static_cast<CellType>(key.cell.type);
  if (type == CellType::text) {
    const auto bytes =
        key.is_in_block() ? Result<std::span<const std::byte>>(key.block) : reader().text(key.cell);
    if (!bytes || !is_utf8(*bytes)) return Error::invalid_argument;
  }
  Cell stored = key.cell;
  if (!key.is_in_block()) return stored;
  const auto in_block = store_text(type, key.block, Cell{});
  if (!in_block) return in_block.error();
  stored.payload = in_block->payload;
  return stored;
}

Result<ValuePlace> ValueBuilder::put(ValuePlace& table, const ValueKey& key) noexcept {
  auto opened = open_for(table, CellType::table);
  if (!opened) return opened.error();
  const auto place_of = [&](const Container& in, std::uint32_t number) {
    return ValuePlace{in.block, number, in.header->epoch,
                      static_cast<std::uint16_t>(table.depth + 1)};
  };
  const auto found = reader().find(opened->view(), key);
  if (found) return place_of(*opened, *found);
  if (found.error() != Error::not_found) return found.error();
  if (opened->header->used == opened->header->capacity) {
    opened = make_room(table, *opened);
    if (!opened) return opened.error();
  }
  auto stored = store_key(key);
  if (!stored) return stored.error();
  opened = open(opened->block);  // the buffer may have moved
  if (!opened) return opened.error();
  ContainerHeader& header = *opened->header;
  const std::uint32_t hash =
      key.is_in_block() || header.index_count != 0 ? key_hash(key, header.seed) : 0;
  if (key.is_in_block()) stored->word = hash;
  const std::uint32_t number = header.used;
  opened->entry(number) = Entry{*stored, Cell{}};
  ++header.used;
  ++header.live;
  if (header.index_count != 0) {
    const std::uint32_t seed = header.seed;
    index(*opened, number, hash);
    if (seed != header.seed) {
      if (const auto indexed = index_all(*opened); !indexed) return indexed.error();
    }
  }
  return place_of(*opened, number);
}

Result<ValueBuilder::Container> ValueBuilder::make_room(ValuePlace& place,
                                                        Container& full) noexcept {
  ContainerHeader& header = *full.header;
  if (full.type() != CellType::table || header.live > header.used / 2) {
    return move(place, std::max<std::uint64_t>(std::uint64_t{header.capacity} * 2, kFirstCapacity));
  }
  // Most of them were removed: the others move together, and get other numbers.
  std::uint32_t kept = 0;
  for (std::uint32_t number = 0; number < header.used; ++number) {
    if (static_cast<CellType>(full.entry(number).key.type) == CellType::removed) continue;
    full.entry(kept++) = full.entry(number);
  }
  header.used = header.live = kept;
  ++header.epoch;
  if (const auto indexed = index_all(full); !indexed) return indexed.error();
  return full;
}

Result<ValuePlace> ValueBuilder::append(ValuePlace& list) noexcept {
  auto opened = open_for(list, CellType::list);
  if (!opened) return opened.error();
  if (opened->header->used == opened->header->capacity) {
    opened = make_room(list, *opened);
    if (!opened) return opened.error();
  }
  ContainerHeader& header = *opened->header;
  const std::uint32_t number = header.used;
  opened->cell(number) = Cell{};
  ++header.used;
  ++header.live;
  return ValuePlace{opened->block, number, header.epoch,
                    static_cast<std::uint16_t>(list.depth + 1)};
}

Result<ValuePlace> ValueBuilder::element(ValuePlace& list, std::uint64_t number) const noexcept {
  const auto held = cell(list);
  if (!held) return held.error();
  const auto type = static_cast<CellType>(held->type);
  if (type != CellType::list && type != CellType::tuple) return Error::wrong_type;
  if (held->payload == 0) return Error::not_found;
  const auto opened = open(held->payload);
  if (!opened) return opened.error();
  if (number >= opened->header->used) return Error::not_found;
  return ValuePlace{opened->block, static_cast<std::uint32_t>(number), opened->header->epoch,
                    static_cast<std::uint16_t>(list.depth + 1)};
}

Status ValueBuilder::remove(ValuePlace& table, const ValueKey& key) noexcept {
  const auto held = cell(table);
  if (!held) return held.error();
  if (static_cast<CellType>(held->type) != CellType::table) return Error::wrong_type;
  if (held->payload == 0) return Error::not_found;
  const auto opened = open(held->payload);
  if (!opened) return opened.error();
  const auto number = reader().find(opened->view(), key);
  if (!number) return number.error();
  Cell gone{};
  gone.type = static_cast<std::uint8_t>(CellType::removed);
  opened->entry(*number) = Entry{gone, gone};
  if (opened->header->live > 0) --opened->header->live;
  return Done{};
}

Status ValueBuilder::remove(ValuePlace& list, std::uint64_t number) noexcept {
  const auto place = element(list, number);
  if (!place) return place.error();
  const auto opened = open(place->block);
  if (!opened) return opened.error();
  ContainerHeader& header = *opened->header;
  std::byte* at = opened->entries + number * sizeof(Cell);
  std::memmove(at, at + sizeof(Cell), (header.used - number - 1) * sizeof(Cell));
  --header.used;
  header.live = header.used;
  opened->cell(header.used) = Cell{};
  return Done{};
}

Status ValueBuilder::clear(ValuePlace& container) noexcept {
  const auto held = cell(container);
  if (!held) return held.error();
  if (!is_container(static_cast<CellType>(held->type))) return Error::wrong_type;
  if (held->payload == 0) return Done{};
  const auto opened = open(held->payload);
  if (!opened) return opened.error();
  const std::uint64_t bytes = opened->size_bytes() - sizeof(ContainerHeader);
  std::memset(opened->entries, 0, bytes);
  opened->header->used = opened->header->live = 0;
  ++opened->header->epoch;
  return Done{};
}

}  // namespace tarn
