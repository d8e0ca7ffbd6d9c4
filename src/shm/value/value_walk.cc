#include "shm/value/value_walk.h"

#include <algorithm>
#include <cstring>

#include "shm/value/utf8.h"
#include "shm/value/value_number.h"
#include "shm/value/walk_budget.h"

namespace tarn {

using layout::Cell;
using layout::CellType;

namespace {

CellType type_of(const Cell& cell) noexcept { return static_cast<CellType>(cell.type); }

// Honest indexes are half full: a search looks at a few entries.
constexpr std::uint64_t kProbesForEach = 64;

bool is_plain_number(CellType type) noexcept {
  return type >= CellType::int8 && type <= CellType::float64;
}

// --- checking -----------------------------------------------------------------------------------

class Checker {
 public:
  explicit Checker(const ValueReader& reader) noexcept
      : reader_(reader),
        budget_(reader.bytes().size()),
        probes_(kProbesForEach * reader.bytes().size()) {}

  bool check(const Cell& cell, std::uint32_t depth) noexcept {
    switch (type_of(cell)) {
      case CellType::none:
      case CellType::boolean:
        return true;
      case CellType::complex:
        return static_cast<bool>(reader_.complex(cell));
      case CellType::text:
      case CellType::bytes:
      case CellType::big_integer:
        return check_text(cell);
      case CellType::table:
      case CellType::list:
      case CellType::tuple:
        return depth < layout::kMaxDepth && check_container(cell, depth);
      case CellType::array: {
        const auto array = reader_.array(cell);
        return array && budget_.spend(array->element_count * array->element_bytes);
      }
      case CellType::reference:
        return static_cast<bool>(reader_.reference(cell));
      case CellType::removed:
        return false;
      default:
        // What a newer tarn wrote is opaque, and everything else can be read.
        return is_plain_number(type_of(cell)) || type_of(cell) > CellType::reference;
    }
  }

 private:
  bool check_text(const Cell& cell) noexcept {
    const bool is_big = type_of(cell) == CellType::big_integer;
    const auto text = is_big ? reader_.magnitude(cell) : reader_.text(cell);
    if (!text || !budget_.spend(text->size())) return false;
    return type_of(cell) != CellType::text || is_utf8(*text);
  }

  bool check_container(const Cell& cell, std::uint32_t depth) noexcept {
    const auto container = reader_.container(cell);
    if (!container) return false;
    if (!budget_.spend(container->used() * entry_bytes(type_of(cell)))) return false;
    std::uint32_t live = 0;
    for (std::uint32_t number = 0; number < container->used(); ++number) {
      if (type_of(cell) != CellType::table) {
        ++live;
        if (!check(ValueReader::element(*container, number), depth + 1)) return false;
        continue;
      }
      const layout::Entry entry = ValueReader::entry(*container, number);
      if (type_of(entry.key) == CellType::removed) continue;
      ++live;
      if (!check_key(*container, entry.key, number)) return false;
      if (!check(entry.value, depth + 1)) return false;
    }
    return live == container->live();
  }

  // A key is whole, in its one form, and found where it stands.
  bool check_key(const ContainerView& table, const Cell& stored, std::uint32_t number) noexcept {
    const auto key = reader_.key(stored);
    if (!key || !budget_.spend(key->block.size())) return false;
    if (type_of(stored) == CellType::text) {
      const auto text = reader_.text(stored);
      if (!text || !is_utf8(*text)) return false;
    }
    const auto found =
        reader_.find(table, *key, ValueReader::needed_hash(table.header, *key), &probes_);
    return found && *found == number;
  }

  const ValueReader& reader_;
  WalkBudget budget_;
  WalkBudget probes_;
};

// --- comparing ----------------------------------------------------------------------------------

class Comparer {
 public:
  Comparer(const ValueReader& left, const ValueReader& right) noexcept
      : left_(left),
        right_(right),
        budget_(left.bytes().size()),
        probes_(kProbesForEach * (left.bytes().size() + right.bytes().size())) {}

  bool is_corrupt() const noexcept { return is_corrupt_; }

  bool same(const Cell& a, const Cell& b, std::uint32_t depth) noexcept {
    const auto number_a = number_of(left_, a);
    const auto number_b = number_of(right_, b);
    if (number_a && number_b) return equal(*number_a, *number_b);
    if (a.type != b.type) return false;
    switch (type_of(a)) {
      case CellType::none:
        return true;
      case CellType::boolean:
        return (a.payload != 0) == (b.payload != 0);
      case CellType::complex:
        return same_complex(a, b);
      case CellType::text:
      case CellType::bytes:
      case CellType::big_integer:
        return same_text(a, b);
      case CellType::table:
        return same_table(a, b, depth);
      case CellType::list:
      case CellType::tuple:
        return same_list(a, b, depth);
      case CellType::array:
        return same_array(a, b);
      case CellType::reference: {
        const auto from_a = left_.reference(a);
        const auto from_b = right_.reference(b);
        if (!from_a || !from_b) return fail();
        return std::memcmp(&*from_a, &*from_b, sizeof *from_a) == 0;
      }
      default:
        return fail();
    }
  }

 private:
  bool fail() noexcept {
    is_corrupt_ = true;
    return false;
  }

  bool same_complex(const Cell& a, const Cell& b) noexcept {
    const auto parts_a = left_.complex(a);
    const auto parts_b = right_.complex(b);
    if (!parts_a || !parts_b) return fail();
    const auto part = [](const Cell& of, std::uint64_t bits) {
      return *number_of({}, Cell{of.detail, 0, 0, 0, bits});
    };
    return equal(part(a, parts_a->real), part(b, parts_b->real)) &&
           equal(part(a, parts_a->imaginary), part(b, parts_b->imaginary));
  }

  bool same_text(const Cell& a, const Cell& b) noexcept {
    const auto text_a = left_.text(a);
    const auto text_b = right_.text(b);
    if (!text_a || !text_b || !budget_.spend(text_a->size())) return fail();
    const bool is_big = type_of(a) == CellType::big_integer;
    return (!is_big || a.detail == b.detail) && text_a->size() == text_b->size() &&
           (text_a->empty() || std::memcmp(text_a->data(), text_b->data(), text_a->size()) == 0);
  }

  bool open(const Cell& a, const Cell& b, std::uint32_t depth, ContainerView& in_a,
            ContainerView& in_b) noexcept {
    const auto container_a = left_.container(a);
    const auto container_b = right_.container(b);
    if (!container_a || !container_b || depth >= layout::kMaxDepth) return fail();
    if (!budget_.spend(container_a->used() * entry_bytes(type_of(a)))) return fail();
    in_a = *container_a;
    in_b = *container_b;
    return true;
  }

  bool same_list(const Cell& a, const Cell& b, std::uint32_t depth) noexcept {
    ContainerView in_a;
    ContainerView in_b;
    if (!open(a, b, depth, in_a, in_b)) return false;
    if (in_a.used() != in_b.used()) return false;
    for (std::uint32_t i = 0; i < in_a.used(); ++i) {
      if (!same(ValueReader::element(in_a, i), ValueReader::element(in_b, i), depth + 1)) {
        return false;
      }
    }
    return true;
  }

  bool same_table(const Cell& a, const Cell& b, std::uint32_t depth) noexcept {
    ContainerView in_a;
    ContainerView in_b;
    if (!open(a, b, depth, in_a, in_b)) return false;
    if (in_a.live() != in_b.live()) return false;
    const bool in_order = (a.detail & b.detail & layout::kOrderMatters) != 0;
    std::uint32_t next_b = 0;
    for (std::uint32_t i = 0; i < in_a.used(); ++i) {
      const layout::Entry entry = ValueReader::entry(in_a, i);
      if (type_of(entry.key) == CellType::removed) continue;
      const auto key = left_.key(entry.key);
      if (!key) return fail();
      const auto found =
          right_.find(in_b, *key, ValueReader::needed_hash(in_b.header, *key), &probes_);
      if (!found && found.error() == Error::corrupt) return fail();
      if (!found || (in_order && *found < next_b)) return false;
      next_b = *found + 1;
      if (!same(entry.value, ValueReader::entry(in_b, *found).value, depth + 1)) return false;
    }
    return true;
  }

  bool same_array(const Cell& a, const Cell& b) noexcept {
    const auto array_a = left_.array(a);
    const auto array_b = right_.array(b);
    if (!array_a || !array_b) return fail();
    if (a.detail != b.detail || array_a->dimensions != array_b->dimensions) return false;
    if (array_a->element_count != array_b->element_count) return false;
    if (!std::ranges::equal(array_a->shape(), array_b->shape())) return false;
    if (!budget_.spend(array_a->element_count * array_a->element_bytes)) return fail();
    return same_elements(*array_a, *array_b);
  }

  static bool same_elements(const ArrayView& a, const ArrayView& b) noexcept {
    const std::uint64_t bytes = a.element_count * a.element_bytes;
    if (a.number != CellType::float32 && a.number != CellType::float64) {
      return bytes == 0 || std::memcmp(a.elements, b.elements, bytes) == 0;
    }
    // Zeros of both signs are equal, and no NaN is equal to anything.
    const std::uint64_t step = number_bytes(a.number);
    for (std::uint64_t at = 0; at < bytes; at += step) {
      const auto number = [&](const std::byte* elements) {
        std::uint64_t bits = 0;
        std::memcpy(&bits, elements + at, step);
        return *number_of({}, Cell{static_cast<std::uint8_t>(a.number), 0, 0, 0, bits});
      };
      if (!equal(number(a.elements), number(b.elements))) return false;
    }
    return true;
  }

  const ValueReader& left_;
  const ValueReader& right_;
  WalkBudget budget_;
  WalkBudget probes_;
  bool is_corrupt_ = false;
};

}  // namespace

Status check_value(const ValueReader& reader, const Cell& cell) noexcept {
  Checker checker(reader);
  if (!checker.check(cell, 0)) return Error::corrupt;
  return Done{};
}

Result<bool> equal(const ValueReader& left, const Cell& a, const ValueReader& right,
                   const Cell& b) noexcept {
  Comparer comparer(left, right);
  const bool is_same = comparer.same(a, b, 0);
  if (comparer.is_corrupt()) return Error::corrupt;
  return is_same;
}

}  // namespace tarn
