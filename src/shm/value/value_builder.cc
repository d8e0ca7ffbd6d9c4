#include "shm/value/value_builder.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "shm/value/utf8.h"
#include "shm/value/value_container.h"

namespace tarn {

using layout::Cell;
using layout::CellType;
using layout::ContainerHeader;
using layout::ValueHeader;

namespace {

// A container moves to twice the room each time, so that no chain of moves is longer.
constexpr int kMostMoves = 64;

ValueHeader& header_of(ValueMemory& memory) noexcept {
  return *reinterpret_cast<ValueHeader*>(memory.base());
}

CellType type_of(const Cell& cell) noexcept { return static_cast<CellType>(cell.type); }

bool is_wide_complex(const Cell& cell) noexcept {
  return type_of(cell) == CellType::complex &&
         number_bytes(static_cast<CellType>(cell.detail)) == 8;
}

Cell block_cell(CellType type, std::uint8_t detail, std::uint64_t offset) noexcept {
  return {static_cast<std::uint8_t>(type), detail, 0, 0, offset};
}

}  // namespace

void ValueBuilder::format() noexcept {
  header_of(memory_) =
      ValueHeader{layout::kValueMagic, layout::kValueVersion, 0, sizeof(ValueHeader), 0, 0, Cell{}};
}

std::uint64_t ValueBuilder::used() const noexcept {
  // A header that was copied from elsewhere may claim more than there is.
  return std::min(header_of(memory_).size_bytes, memory_.capacity());
}

void ValueBuilder::note_dead(std::uint64_t size_bytes) noexcept {
  std::uint64_t& dead = header_of(memory_).dead_bytes;
  dead += std::min(round_up(size_bytes, layout::kBlockAlign), used() - std::min(dead, used()));
}

Result<std::uint64_t> ValueBuilder::allocate(std::uint64_t size_bytes,
                                             std::uint64_t align) noexcept {
  const std::uint64_t before = used();
  const std::uint64_t begin = round_up(before, align);
  const auto end = checked_add(begin, size_bytes);
  if (!end) return Error::too_large;
  if (*end > memory_.capacity()) {
    if (const auto grown = memory_.grow(*end, before); !grown) return grown.error();
  }
  std::memset(memory_.base() + before, 0, begin - before);
  header_of(memory_).size_bytes = *end;
  return begin;
}

// --- places -------------------------------------------------------------------------------------

ContainerHeader* ValueBuilder::present(std::uint64_t& block) const noexcept {
  const std::uint64_t end = used();
  for (int move = 0; move < kMostMoves; ++move) {
    if (block % layout::kBlockAlign != 0 || block < sizeof(ValueHeader)) return nullptr;
    if (block > end || sizeof(ContainerHeader) > end - block) return nullptr;
    auto* header = reinterpret_cast<ContainerHeader*>(memory_.base() + block);
    if (header->moved_to == 0) [[likely]]
      return header;
    block = header->moved_to;
  }
  return nullptr;
}

Error::Code ValueBuilder::open(std::uint64_t block, CellType type,
                               Container& found) const noexcept {
  found.header = present(block);
  if (found.header == nullptr || found.type() != type) return Error::corrupt;
  const ContainerHeader& header = *found.header;
  const std::uint64_t entries_bytes = header.capacity * entry_bytes(found.type());
  const std::uint64_t index_bytes = header.index_count * std::uint64_t{sizeof(std::uint32_t)};
  const std::uint64_t behind = used() - block - sizeof header;
  const bool is_sound = header.used <= header.capacity && header.live <= header.used &&
                        (header.index_count & (header.index_count - 1)) == 0 &&
                        entries_bytes + index_bytes <= behind;
  if (!is_sound) return Error::corrupt;
  found.block = block;
  found.entries = memory_.base() + block + sizeof header;
  found.index = found.entries + entries_bytes;
  return Error::none;
}

Result<Cell*> ValueBuilder::find(ValuePlace& place) const noexcept {
  if (place.block == 0) return &header_of(memory_).root;
  const ContainerHeader* header = present(place.block);
  if (header == nullptr) return Error::corrupt;
  if (header->epoch != place.epoch || place.number >= header->used) return Error::not_found;
  const auto type = static_cast<CellType>(header->type);
  const std::uint64_t stride = entry_bytes(type);
  const std::uint64_t end =
      place.block + sizeof *header + (place.number + std::uint64_t{1}) * stride;
  if (end > used()) return Error::corrupt;
  // The value of an entry, and an element itself, are the last 16 bytes of theirs.
  auto* cell = reinterpret_cast<Cell*>(memory_.base() + end - sizeof(Cell));
  if (type_of(*cell) == CellType::removed) return Error::not_found;
  return cell;
}

Result<Cell> ValueBuilder::cell(ValuePlace& place) const noexcept {
  const auto found = find(place);
  if (!found) return found.error();
  return **found;
}

Result<const std::byte*> ValueBuilder::address(ValuePlace& place) const noexcept {
  const auto found = find(place);
  if (!found) return found.error();
  return reinterpret_cast<const std::byte*>(*found);
}

// --- scalars ------------------------------------------------------------------------------------

Status ValueBuilder::set(ValuePlace& place, Cell scalar) noexcept {
  const auto found = find(place);
  if (!found) return found.error();
  if ((*found)->payload != scalar.payload) note_replaced(**found);
  **found = scalar;
  return Done{};
}

// Counts the block of what is replaced; what a container held is not looked for.
void ValueBuilder::note_replaced(const Cell& cell) noexcept {
  switch (type_of(cell)) {
    case CellType::text:
    case CellType::bytes:
      if (cell.detail != layout::kInBlock) return;
      [[fallthrough]];
    case CellType::big_integer: {
      const auto text = reader().text(cell);
      if (text) note_dead(text->size() + sizeof(layout::TextHeader));
      return;
    }
    case CellType::complex:
      if (is_wide_complex(cell)) note_dead(sizeof(layout::WideComplex));
      return;
    case CellType::array: {
      const auto array = reader().array(cell);
      if (array) note_dead(array->element_count * array->element_bytes);
      return;
    }
    case CellType::reference:
      note_dead(sizeof(layout::ReferenceBlock));
      return;
    case CellType::table:
    case CellType::list:
    case CellType::tuple: {
      Container container;
      if (cell.payload != 0 && open(cell.payload, type_of(cell), container) == Error::none) {
        note_dead(container.size_bytes());
      }
      return;
    }
    default:
      return;
  }
}

Result<Cell> ValueBuilder::store_text(CellType type, std::span<const std::byte> bytes,
                                      const Cell& before) noexcept {
  const bool is_text = type == CellType::text || type == CellType::bytes;
  if (is_text && bytes.size() <= layout::kCellTextBytes) return short_text_cell(type, bytes);
  const std::uint64_t size_bytes = bytes.size() + sizeof(layout::TextHeader);
  std::uint64_t offset = 0;
  const bool had_block = before.type == static_cast<std::uint8_t>(type) &&
                         (!is_text || before.detail == layout::kInBlock);
  if (had_block) {
    const auto old = reader().text(before);
    if (old && bytes.size() <= old->size()) offset = before.payload;
  }
  if (offset == 0) {
    const auto made = allocate(size_bytes, layout::kBlockAlign);
    if (!made) return made.error();
    offset = *made;
  }
  const layout::TextHeader header{bytes.size()};
  std::memcpy(memory_.base() + offset, &header, sizeof header);
  if (!bytes.empty()) {
    std::memcpy(memory_.base() + offset + sizeof header, bytes.data(), bytes.size());
  }
  return block_cell(type, layout::kInBlock, offset);
}

Status ValueBuilder::set_text(ValuePlace& place, CellType type,
                              std::span<const std::byte> bytes) noexcept {
  if (type == CellType::text && !is_utf8(bytes)) return Error::invalid_argument;
  const auto found = find(place);
  if (!found) return found.error();
  const std::byte* const before = memory_.base();
  const auto stored = store_text(type, bytes, **found);
  if (!stored) return stored.error();
  // Not through `found` when the buffer has moved.
  if (memory_.base() != before || type_of(**found) != CellType::none) return set(place, *stored);
  **found = *stored;
  return Done{};
}

Status ValueBuilder::set_big_integer(ValuePlace& place, bool negative,
                                     std::span<const std::byte> magnitude) noexcept {
  while (!magnitude.empty() && magnitude.back() == std::byte{0}) {
    magnitude = magnitude.first(magnitude.size() - 1);
  }
  const auto before = cell(place);
  if (!before) return before.error();
  const auto stored = store_text(CellType::big_integer, magnitude, *before);
  if (!stored) return stored.error();
  Cell number = *stored;
  number.detail = negative && !magnitude.empty() ? 1 : 0;
  return set(place, number);
}

Status ValueBuilder::set_wide_complex(ValuePlace& place, CellType number,
                                      layout::WideComplex parts) noexcept {
  const auto before = cell(place);
  if (!before) return before.error();
  const bool has_room = is_wide_complex(*before) && reader().complex(*before);
  const auto offset = has_room ? Result<std::uint64_t>(before->payload)
                               : allocate(sizeof parts, layout::kBlockAlign);
  if (!offset) return offset.error();
  std::memcpy(memory_.base() + *offset, &parts, sizeof parts);
  return set(place, block_cell(CellType::complex, static_cast<std::uint8_t>(number), *offset));
}

Status ValueBuilder::set_reference(ValuePlace& place,
                                   const layout::ReferenceBlock& reference) noexcept {
  if (const auto found = find(place); !found) return found.error();
  const auto offset = allocate(sizeof reference, layout::kBlockAlign);
  if (!offset) return offset.error();
  std::memcpy(memory_.base() + *offset, &reference, sizeof reference);
  return set(place, block_cell(CellType::reference, 0, *offset));
}

// --- arrays -------------------------------------------------------------------------------------

Result<std::span<std::byte>> ValueBuilder::set_array(
    ValuePlace& place, std::uint8_t detail, std::span<const std::uint64_t> shape) noexcept {
  const std::uint64_t one = element_bytes(detail);
  if (one == 0 || shape.empty() || shape.size() > layout::kMaxDimensions) {
    return Error::invalid_argument;
  }
  std::uint64_t count = 1;
  for (const std::uint64_t extent : shape) {
    const auto product = checked_multiply(count, extent);
    if (!product) return Error::too_large;
    count = *product;
  }
  const auto elements_bytes = checked_multiply(count, one);
  if (!elements_bytes) return Error::too_large;
  const auto before = cell(place);
  if (!before) return before.error();
  if (type_of(*before) == CellType::array && before->detail == detail) {
    const auto old = reader().array(*before);
    if (old && std::ranges::equal(old->shape(), shape)) {
      // Ours to write: the reader looks at the same buffer.
      return std::span(const_cast<std::byte*>(old->elements), *elements_bytes);
    }
  }
  const std::uint64_t front = sizeof(layout::ArrayHeader) + shape.size_bytes();
  // The elements' own alignment leaves a gap behind the shape that depends on where it stands.
  const std::uint64_t begin = round_up(used(), layout::kBlockAlign);
  const std::uint64_t elements_at = round_up(begin + front, layout::kArrayAlign);
  const auto size_bytes = checked_add(elements_at - begin, *elements_bytes);
  if (!size_bytes) return Error::too_large;
  const auto offset = allocate(*size_bytes, layout::kBlockAlign);
  if (!offset) return offset.error();
  std::byte* at = memory_.base() + *offset;
  std::memset(at, 0, elements_at - begin);
  const layout::ArrayHeader header{count, static_cast<std::uint32_t>(shape.size()), 0};
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + sizeof header, shape.data(), shape.size_bytes());
  if (const auto stored = set(place, block_cell(CellType::array, detail, *offset)); !stored) {
    return stored.error();
  }
  return std::span(memory_.base() + elements_at, *elements_bytes);
}

}  // namespace tarn
