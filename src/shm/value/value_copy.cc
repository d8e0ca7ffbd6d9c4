// value_copy.cc - deep copies: what is written is ordered anew, without what was removed.

#include <cstring>

#include "base/checked.h"
#include "shm/value/utf8.h"
#include "shm/value/value_builder.h"

namespace tarn {

using layout::Cell;
using layout::CellType;

Status ValueBuilder::copy(ValuePlace& place, const ValueReader& from, const Cell& cell) noexcept {
  WalkBudget budget(from.bytes().size());
  return copy_tree(place, from, cell, budget);
}

Status ValueBuilder::copy_tree(ValuePlace& place, const ValueReader& from, const Cell& cell,
                               WalkBudget& budget) noexcept {
  const auto type = static_cast<CellType>(cell.type);
  switch (type) {
    case CellType::none:
    case CellType::boolean:
    case CellType::int8:
    case CellType::int16:
    case CellType::int32:
    case CellType::int64:
    case CellType::uint8:
    case CellType::uint16:
    case CellType::uint32:
    case CellType::uint64:
    case CellType::float32:
    case CellType::float64:
      return set(place, Cell{cell.type, 0, 0, 0, cell.payload});
    case CellType::complex: {
      const auto parts = from.complex(cell);
      if (!parts) return parts.error();
      const auto number = static_cast<CellType>(cell.detail);
      if (number_bytes(number) <= 4) {
        return set(place, Cell{cell.type, cell.detail, 0, 0, cell.payload});
      }
      return set_wide_complex(place, number, {parts->real, parts->imaginary});
    }
    case CellType::big_integer: {
      const auto magnitude = from.magnitude(cell);
      if (!magnitude || !budget.spend(magnitude->size())) return Error::corrupt;
      const Status stored = set_big_integer(place, cell.detail != 0, *magnitude);
      // Whoever sent it may have written on after it was looked at.
      if (stored && !is_sound(place)) return Error::corrupt;
      return stored;
    }
    case CellType::text:
    case CellType::bytes: {
      const auto text = from.text(cell);
      if (!text || !budget.spend(text->size())) return Error::corrupt;
      const Status stored = set_text(place, type, *text);
      if (!stored && stored.error() == Error::invalid_argument) return Error::corrupt;
      if (stored && type == CellType::text && !is_sound(place)) return Error::corrupt;
      return stored;
    }
    case CellType::table:
    case CellType::list:
    case CellType::tuple:
      return copy_container(place, from, cell, budget);
    case CellType::array:
      return copy_array(place, from, cell, budget);
    case CellType::reference: {
      const auto reference = from.reference(cell);
      if (!reference) return reference.error();
      return set_reference(place, *reference);
    }
    case CellType::removed:
      return Error::corrupt;
  }
  return Error::version_mismatch;  // what it refers to is not known
}

bool ValueBuilder::is_sound(ValuePlace& place) const noexcept {
  const auto held = cell(place);
  if (!held) return false;
  if (static_cast<CellType>(held->type) == CellType::big_integer) {
    return static_cast<bool>(reader().magnitude(*held));
  }
  const auto text = reader().text(*held);
  return text && is_utf8(*text);
}

Status ValueBuilder::copy_container(ValuePlace& place, const ValueReader& from, const Cell& cell,
                                    WalkBudget& budget) noexcept {
  const auto container = from.container(cell);
  if (!container) return container.error();
  const auto type = static_cast<CellType>(cell.type);
  // Its elements are paid for here, what was removed too: that is looked at as well.
  if (!budget.spend(container->used() * entry_bytes(type))) return Error::corrupt;
  const auto made = set_container(place, type, cell.detail, container->live());
  if (!made) return made.error();
  return copy_entries(place, from, *container, budget);
}

Status ValueBuilder::copy_entries(ValuePlace& place, const ValueReader& from,
                                  const ContainerView& container, WalkBudget& budget) noexcept {
  const bool is_table = static_cast<CellType>(container.header.type) == CellType::table;
  for (std::uint32_t number = 0; number < container.used(); ++number) {
    Cell element;
    Result<ValuePlace> to = Error::corrupt;
    if (is_table) {
      const layout::Entry entry = ValueReader::entry(container, number);
      if (static_cast<CellType>(entry.key.type) == CellType::removed) continue;
      const auto key = from.key(entry.key);
      if (!key || !budget.spend(key->block.size())) return Error::corrupt;
      element = entry.value;
      to = put(place, *key);
    } else {
      element = ValueReader::element(container, number);
      to = append(place);
    }
    if (!to) return to.error();
    if (const auto copied = copy_tree(*to, from, element, budget); !copied) return copied.error();
  }
  return Done{};
}

Status ValueBuilder::copy_array(ValuePlace& place, const ValueReader& from, const Cell& cell,
                                WalkBudget& budget) noexcept {
  const auto array = from.array(cell);
  if (!array) return array.error();
  const std::uint64_t bytes = array->element_count * array->element_bytes;
  if (!budget.spend(bytes)) return Error::corrupt;
  const auto to = set_array(place, cell.detail, array->shape());
  if (!to) return to.error();
  if (bytes > 0) std::memcpy(to->data(), array->elements, bytes);
  return Done{};
}

}  // namespace tarn
