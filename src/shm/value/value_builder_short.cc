// value_builder_short.cc - the shortest way for what values mostly consist of: short text as a key
// and as a value. Whatever is not so simple is left to the ways that know everything.

#include "shm/value/value_builder.h"
#include "shm/value/value_container.h"
#include "shm/value/value_short_table.h"

namespace tarn {

using layout::Cell;
using layout::CellType;
using layout::ContainerHeader;
using layout::Entry;

namespace {

constexpr std::uint64_t kNotAscii = 0x8080'8080'8080'8080;

// The type and size in front are below 128.
bool is_ascii(const ShortKey& key) noexcept { return ((key.first | key.second) & kNotAscii) == 0; }

ShortKey short_text(std::string_view text) noexcept {
  return short_key(CellType::text, reinterpret_cast<const std::byte*>(text.data()), text.size());
}

}  // namespace

ValuePlace ValueBuilder::put_short(ValuePlace& table, std::string_view text) noexcept {
  const auto at = find(table);
  if (!at) return {};
  std::byte* const base = memory_.base();
  ShortTable in;
  if (open_short_table(base, used(), reinterpret_cast<const std::byte*>(*at), in) != Error::none ||
      in.block < sizeof(layout::ValueHeader)) {
    return {};
  }
  const ShortKey key = short_text(text);
  ShortPlace place;
  const auto code = find_in(in, key, place);
  if (code == Error::not_found) {
    if (in.header.used == in.header.capacity || place.steps > kLongSearch || !is_ascii(key)) {
      return {};
    }
    place.number = in.header.used;
    auto& header = *reinterpret_cast<ContainerHeader*>(base + in.block);
    header.used = in.header.used + 1;
    header.live = in.header.live + 1;
    std::byte* const entries = base + in.block + sizeof header;
    std::byte* const entry = entries + std::uint64_t{place.number} * sizeof(Entry);
    store_words(entry, key);
    store_words(entry + offsetof(Entry, value), ShortKey{});
    if (in.header.index_count != 0) {
      auto* index = reinterpret_cast<std::uint32_t*>(entries + in.header.capacity * sizeof(Entry));
      index[place.word] = place.number + 1;
    }
  } else if (code != Error::none) {
    return {};
  }
  return {in.block, place.number, in.header.epoch, static_cast<std::uint16_t>(table.depth + 1)};
}

bool ValueBuilder::set_short_text(ValuePlace& place, std::string_view text) noexcept {
  const auto at = find(place);
  if (!at || static_cast<CellType>((*at)->type) != CellType::none) return false;
  const ShortKey cell = short_text(text);
  if (!is_ascii(cell)) return false;
  store_words(reinterpret_cast<std::byte*>(*at), cell);
  return true;
}

}  // namespace tarn
