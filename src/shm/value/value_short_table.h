// value_short_table.h - a table in which text is looked for that fits into a key's cell: the
// shortest way there, for the reader and the builder.
//
// The bytes may be another process's, who writes on: each word is loaded once.
#pragma once

#include "base/result.h"
#include "shm/value/value_layout.h"
#include "shm/value/value_short_key.h"

namespace tarn {

// Whether a container's numbers fit together; `type` is that of the cell that refers to it.
inline bool makes_sense(const layout::ContainerHeader& header, std::uint8_t type) noexcept {
  if (header.type != type || header.moved_to != 0) return false;
  if (header.used > header.capacity || header.live > header.used) return false;
  if ((header.index_count & (header.index_count - 1)) != 0) return false;
  if (static_cast<layout::CellType>(type) != layout::CellType::table) {
    return header.live == header.used && header.index_count == 0;
  }
  // Searches end at a free word of the index; only small tables may be without one.
  if (header.index_count != 0) return header.used < header.index_count;
  return header.used <= layout::kMostUnindexed;
}

// Field by field: a builder has just written some of them, and a load of more than one would wait
// until they are in the cache.
inline void load_header(const std::byte* at, layout::ContainerHeader& header) noexcept {
  const auto& there = *reinterpret_cast<const volatile layout::ContainerHeader*>(at);
  header.moved_to = there.moved_to;
  header.capacity = there.capacity;
  header.used = there.used;
  header.live = there.live;
  header.index_count = there.index_count;
  header.seed = there.seed;
  header.type = there.type;
  header.epoch = there.epoch;
}

// Checked against its buffer.
struct ShortTable {
  std::uint64_t block = 0;
  layout::ContainerHeader header{};  // our copy
  const std::byte* entries = nullptr;
  const std::byte* index = nullptr;
};

// `cell` is any cell of the buffer. wrong_type; not_found: it has no block yet; corrupt.
inline Error::Code open_short_table(const std::byte* base, std::uint64_t size_bytes,
                                    const std::byte* cell, ShortTable& found) noexcept {
  const auto type = static_cast<std::uint8_t>(load_word(cell));
  if (static_cast<layout::CellType>(type) != layout::CellType::table) return Error::wrong_type;
  found.block = load_word(cell + offsetof(layout::Cell, payload));
  if (found.block == 0) return Error::not_found;
  if (found.block % layout::kBlockAlign != 0 || found.block > size_bytes ||
      sizeof found.header > size_bytes - found.block) {
    return Error::corrupt;
  }
  load_header(base + found.block, found.header);
  if (!makes_sense(found.header, type)) return Error::corrupt;
  // None of these can wrap: they are products of 32-bit numbers and small constants.
  const std::uint64_t entries_bytes = found.header.capacity * std::uint64_t{sizeof(layout::Entry)};
  const std::uint64_t index_bytes = found.header.index_count * std::uint64_t{sizeof(std::uint32_t)};
  if (entries_bytes + index_bytes > size_bytes - found.block - sizeof found.header) {
    return Error::corrupt;
  }
  found.entries = base + found.block + sizeof found.header;
  found.index = found.entries + entries_bytes;
  return Error::none;
}

// Where a key is, or would be noted.
struct ShortPlace {
  std::uint32_t number = 0;  // of its entry
  std::uint32_t word = 0;    // not found: the index's free word that ended the search
  std::uint32_t steps = 0;   // of that search
};

// not_found, corrupt.
inline Error::Code find_in(const ShortTable& table, const ShortKey& key,
                           ShortPlace& place) noexcept {
  const layout::ContainerHeader& header = table.header;
  const auto is_at = [&](std::uint64_t number) {
    const std::byte* entry = table.entries + number * sizeof(layout::Entry);
    return load_word(entry) == key.first &&
           load_word(entry + offsetof(layout::Cell, payload)) == key.second;
  };
  if (header.index_count == 0) {
    while (place.number < header.used && !is_at(place.number)) ++place.number;
    return place.number < header.used ? Error::none : Error::not_found;
  }
  const std::uint32_t mask = header.index_count - 1;
  const std::uint32_t hash = hash_of(key, header.seed);
  for (; place.steps <= mask; ++place.steps) {
    place.word = (hash + place.steps) & mask;
    std::uint32_t found = 0;
    std::memcpy(&found, table.index + std::uint64_t{place.word} * sizeof found, sizeof found);
    if (found == 0) return Error::not_found;
    if (found > header.used) return Error::corrupt;
    place.number = found - 1;
    if (is_at(place.number)) return Error::none;
  }
  return Error::corrupt;
}

}  // namespace tarn
