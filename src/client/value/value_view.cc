#include "tarn/value_view.h"

#include "client/value/value_access.h"
#include "client/value/value_store.h"
#include "shm/value/utf8.h"
#include "shm/value/value_number.h"
#include "shm/value/value_walk.h"

namespace tarn {

using detail::throw_value_error;
using layout::Cell;
using layout::CellType;

namespace {

CellType type_of(const Cell& cell) noexcept { return static_cast<CellType>(cell.type); }

bool is_listed(CellType type) noexcept { return type == CellType::list || type == CellType::tuple; }

std::uint8_t detail_of(ElementType type) noexcept {
  const auto number = static_cast<std::uint8_t>(type.number);
  return type.is_complex ? static_cast<std::uint8_t>(number | layout::kComplexFlag) : number;
}

}  // namespace

std::string_view name_of(ValueType type) noexcept {
  constexpr std::string_view names[] = {
      "none",   "boolean", "int8",   "int16",   "int32",   "int64",   "uint8",
      "uint16", "uint32",  "uint64", "float32", "float64", "complex", "big_integer",
      "text",   "bytes",   "table",  "list",    "tuple",   "array",   "reference"};
  const auto index = static_cast<std::size_t>(type);
  return index < std::size(names) ? names[index] : "unknown";
}

// --- opening ------------------------------------------------------------------------------------

std::optional<ValueView> find_value(std::span<const std::byte> bytes) noexcept {
  if (!ValueReader::is_aligned(bytes.data())) return std::nullopt;
  const auto opened = ValueReader::open(bytes);
  if (!opened) return std::nullopt;
  return ValueView::Access::root(*opened);
}

ValueView value_in(std::span<const std::byte> bytes) {
  if (!ValueReader::is_aligned(bytes.data())) {
    throw Error(Error::invalid_argument, "read a value", "bytes that are not aligned to 16",
                "copy them to where they are, or take Value::from_bytes()");
  }
  const auto opened = ValueReader::open(bytes);
  if (opened) return ValueView::Access::root(*opened);
  if (opened.error() == Error::invalid_argument) {
    throw Error(Error::wrong_type, "read a value", "bytes that are none",
                "read them with bytes(), or have the producer push a Value");
  }
  if (opened.error() == Error::version_mismatch) {
    throw Error(Error::version_mismatch, "read a value", "a value of another version",
                "use the same version of tarn at both ends");
  }
  throw_value_error(opened.error(), "read a value");
}

// --- what it is ---------------------------------------------------------------------------------

ValueType ValueView::type() const noexcept {
  return static_cast<ValueType>(Access::cell(*this).type);
}

bool ValueView::order_matters() const noexcept {
  const Cell cell = Access::cell(*this);
  return type_of(cell) == CellType::table && (cell.detail & layout::kOrderMatters) != 0;
}

std::size_t ValueView::size() const {
  const Cell cell = Access::cell(*this);
  const ValueReader reader = Access::reader(*this);
  if (is_container(type_of(cell))) {
    const auto container = reader.container(cell);
    if (!container) Access::fail(container.error(), "count the entries of", *this);
    return container->live();
  }
  if (type_of(cell) == CellType::array) {
    const auto array = reader.array(cell);
    if (!array) Access::fail(array.error(), "count the elements of", *this);
    return array->element_count;
  }
  if (type_of(cell) == CellType::text || type_of(cell) == CellType::bytes) {
    const auto text = Access::text(*this, cell);
    if (!text) Access::fail(text.error(), "measure the text of", *this);
    return text->size();
  }
  return 0;
}

// --- tables and lists ---------------------------------------------------------------------------

std::optional<ValueView> ValueView::find(std::string_view key) const noexcept {
  const auto found = Access::find(*this, key);
  if (!found) return std::nullopt;
  return *found;
}

std::optional<ValueView> ValueView::find_number(std::int64_t key) const noexcept {
  const auto found = Access::find(*this, integer_key(key));
  if (!found) return std::nullopt;
  return *found;
}

ValueView ValueView::operator[](std::string_view key) const {
  const auto found = Access::find(*this, key);
  if (found) return *found;
  const std::string attempted = "look up '" + std::string(key.substr(0, 64)) + "' in";
  Access::fail(found.error(), attempted.c_str(), *this);
}

ValueView ValueView::at(std::uint64_t index) const {
  const Cell cell = Access::cell(*this);
  if (!is_listed(type_of(cell))) Access::fail(Error::wrong_type, "take an element of", *this);
  const auto list = Access::reader(*this).container(cell);
  if (!list) Access::fail(list.error(), "take an element of", *this);
  if (index >= list->used()) {
    const std::string attempted = "take element " + std::to_string(index) + " of";
    Access::fail(Error::not_found, attempted.c_str(), *this);
  }
  return Access::part(*this, list->entries + index * sizeof(Cell));
}

EntryRange ValueView::entries() const {
  EntryRange range;
  const Cell cell = Access::cell(*this);
  if (type_of(cell) != CellType::table) return range;
  const auto table = Access::reader(*this).container(cell);
  if (!table) Access::fail(table.error(), "list the entries of", *this);
  range.table_ = *this;
  range.entries_ = table->entries;
  range.used_ = table->used();
  return range;
}

ElementRange ValueView::elements() const {
  ElementRange range;
  const Cell cell = Access::cell(*this);
  if (!is_listed(type_of(cell))) return range;
  const auto list = Access::reader(*this).container(cell);
  if (!list) Access::fail(list.error(), "list the elements of", *this);
  range.list_ = *this;
  range.elements_ = list->entries;
  range.used_ = list->used();
  return range;
}

void EntryRange::iterator::skip_removed() noexcept {
  while (number_ < used_) {
    const std::byte* key = entries_ + number_ * sizeof(layout::Entry);
    if (type_of(ValueReader::load_cell(key)) != CellType::removed) return;
    ++number_;
  }
}

ValueEntry EntryRange::iterator::operator*() const noexcept {
  const std::byte* key = entries_ + number_ * sizeof(layout::Entry);
  return {ValueView::Access::part(table_, key),
          ValueView::Access::part(table_, key + offsetof(layout::Entry, value))};
}

ValueView ElementRange::iterator::operator*() const noexcept {
  return ValueView::Access::part(list_, elements_ + number_ * sizeof(Cell));
}

// --- text and the like --------------------------------------------------------------------------

std::optional<std::string_view> ValueView::try_text() const noexcept {
  const Cell cell = Access::cell(*this);
  if (type_of(cell) != CellType::text) return std::nullopt;
  const auto text = Access::text(*this, cell);
  if (!text || !is_utf8(*text)) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(text->data()), text->size());
}

std::string_view ValueView::text() const {
  const auto found = try_text();
  if (found) return *found;
  const bool is_text = type() == ValueType::text;
  Access::fail(is_text ? Error::corrupt : Error::wrong_type, "read the text of", *this);
}

std::span<const std::byte> ValueView::bytes() const {
  const Cell cell = Access::cell(*this);
  if (type_of(cell) != CellType::text && type_of(cell) != CellType::bytes) {
    Access::fail(Error::wrong_type, "read the bytes of", *this);
  }
  const auto found = Access::text(*this, cell);
  if (!found) Access::fail(found.error(), "read the bytes of", *this);
  return *found;
}

BigIntegerView ValueView::big_integer() const {
  const Cell cell = Access::cell(*this);
  if (type_of(cell) != CellType::big_integer) {
    Access::fail(Error::wrong_type, "read the big integer of", *this);
  }
  const auto found = Access::reader(*this).magnitude(cell);
  if (!found) Access::fail(found.error(), "read the big integer of", *this);
  return {cell.detail != 0, *found};
}

ReferenceView ValueView::reference() const {
  const Cell cell = Access::cell(*this);
  if (type_of(cell) != CellType::reference) {
    Access::fail(Error::wrong_type, "read the reference of", *this);
  }
  const auto found = Access::reader(*this).reference(cell);
  if (!found) Access::fail(found.error(), "read the reference of", *this);
  ReferenceView reference;
  reference.kind = found->kind;
  std::copy(std::begin(found->words), std::end(found->words), std::begin(reference.words));
  return reference;
}

ElementType ValueView::element_type() const {
  const Cell cell = Access::cell(*this);
  if (type_of(cell) == CellType::complex) return {static_cast<ValueType>(cell.detail), true};
  if (type_of(cell) != CellType::array) {
    Access::fail(Error::wrong_type, "ask for the element type of", *this);
  }
  return {static_cast<ValueType>(cell.detail & ~layout::kComplexFlag),
          (cell.detail & layout::kComplexFlag) != 0};
}

AnyComplex ValueView::any_complex() const {
  const Cell cell = Access::cell(*this);
  if (type_of(cell) != CellType::complex) {
    Access::fail(Error::wrong_type, "take the parts of a complex number of", *this);
  }
  const auto parts = Access::reader(*this).complex(cell);
  if (!parts) Access::fail(parts.error(), "take the parts of a complex number of", *this);
  return {static_cast<ValueType>(cell.detail), parts->real, parts->imaginary};
}

// --- arrays -------------------------------------------------------------------------------------

std::optional<std::span<const std::byte>> ValueView::try_array_of(ElementType type) const noexcept {
  const Cell cell = Access::cell(*this);
  if (type_of(cell) != CellType::array || cell.detail != detail_of(type)) return std::nullopt;
  const auto array = Access::reader(*this).array(cell);
  if (!array) return std::nullopt;
  return std::span(array->elements, array->element_count * array->element_bytes);
}

std::span<const std::byte> ValueView::array_of(ElementType type) const {
  const auto found = try_array_of(type);
  if (found) return *found;
  const Cell cell = Access::cell(*this);
  const bool fits = type_of(cell) == CellType::array && cell.detail == detail_of(type);
  Access::fail(fits ? Error::corrupt : Error::wrong_type, "read the array of", *this);
}

AnyArray ValueView::any_array() const {
  const Cell cell = Access::cell(*this);
  if (type_of(cell) != CellType::array) Access::fail(Error::wrong_type, "read the array of", *this);
  const auto array = Access::reader(*this).array(cell);
  if (!array) Access::fail(array.error(), "read the array of", *this);
  AnyArray any;
  any.type = {static_cast<ValueType>(array->number), array->is_complex};
  any.shape.assign(array->shape().begin(), array->shape().end());
  any.bytes = {array->elements, array->element_count * array->element_bytes};
  return any;
}

// --- the whole ----------------------------------------------------------------------------------

bool ValueView::same(const ValueView& other) const {
  const auto outcome =
      equal(Access::reader(*this), Access::cell(*this), Access::reader(other), Access::cell(other));
  if (!outcome) Access::fail(outcome.error(), "compare", *this);
  return *outcome;
}

void ValueView::check() const {
  if (!check_value(Access::reader(*this), Access::cell(*this))) {
    Access::fail(Error::corrupt, "check", *this);
  }
}

}  // namespace tarn
