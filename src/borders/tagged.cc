#include "borders/tagged.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "borders/base64.h"
#include "borders/element.h"
#include "borders/format.h"
#include "borders/whole_number.h"

namespace tarn::borders {
namespace {

using Shape = std::vector<std::size_t>;

// Bytes as they are, or as base64; nothing for what is neither.
std::optional<std::vector<std::byte>> bytes_of(const ValueView& value) {
  if (value.type() == ValueType::bytes) {
    const auto bytes = value.bytes();
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  }
  const auto text = value.try_text();
  return text ? from_base64(*text) : std::nullopt;
}

bool put_bytes(ValueRef place, const ValueView& value) {
  const auto bytes = bytes_of(value);
  if (bytes) place.set_bytes(*bytes);
  return bytes.has_value();
}

bool put_float(ValueRef place, const ValueView& value) {
  const auto text = value.try_text();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == "nan") {
    place = std::numeric_limits<double>::quiet_NaN();
  } else if (text == "inf") {
    place = kInfinity;
  } else if (text == "-inf") {
    place = -kInfinity;
  } else {
    return false;
  }
  return true;
}

bool put_integer(ValueRef place, const ValueView& value) {
  const auto text = value.try_text();
  const auto number = text ? parse_whole_number(*text) : std::nullopt;
  if (number) put(place, *number);
  return number.has_value();
}

std::uint64_t bits_of(double number) noexcept { return std::bit_cast<std::uint64_t>(number); }

// Both parts as integers of type T, which `type` is.
template <class T>
bool put_whole_complex(ValueRef place, ValueType type, const ValueView& parts) {
  const auto real = parts[0].try_as<T>();
  const auto imaginary = parts[1].try_as<T>();
  const bool is_whole = real && imaginary && parts[0].type() != ValueType::float64 &&
                        parts[1].type() != ValueType::float64;
  if (is_whole) {
    place.set_complex(type, static_cast<std::uint64_t>(*real),
                      static_cast<std::uint64_t>(*imaginary));
  }
  return is_whole;
}

bool put_complex(ValueRef place, const ValueView& parts) {
  if (parts.type() != ValueType::list || parts.size() != 2) return false;
  if (put_whole_complex<std::int64_t>(place, ValueType::int64, parts)) return true;
  if (put_whole_complex<std::uint64_t>(place, ValueType::uint64, parts)) return true;
  const auto real = parts[0].try_as<double>();
  const auto imaginary = parts[1].try_as<double>();
  if (!real || !imaginary) return false;
  place.set_complex(ValueType::float64, bits_of(*real), bits_of(*imaginary));
  return true;
}

// The product, or nothing when the extents are none or too large.
std::optional<std::size_t> count_of(const Shape& shape) noexcept {
  std::size_t count = 1;
  for (const std::size_t extent : shape) {
    if (__builtin_mul_overflow(count, extent, &count)) return std::nullopt;
  }
  return shape.empty() || shape.size() > 32 ? std::nullopt : std::optional(count);
}

std::optional<Shape> shape_of(const ValueView& list) {
  if (list.type() != ValueType::list) return std::nullopt;
  Shape shape;
  for (const ValueView extent : list.elements()) {
    const auto number = extent.try_as<std::uint64_t>();
    if (!number || shape.size() == 32) return std::nullopt;
    shape.push_back(*number);
  }
  return shape;
}

bool put_array_bytes(ValueRef place, ElementType type, const Shape& shape,
                     std::span<const std::byte> bytes) {
  const auto count = count_of(shape);
  std::size_t wanted = 0;
  if (!count || __builtin_mul_overflow(*count, element_bytes(type), &wanted)) return false;
  if (wanted != bytes.size()) return false;
  const auto elements = place.array_of(type, shape);
  if (type.number == ValueType::boolean) {
    // Other bytes than 0 and 1 are no bool.
    std::ranges::transform(bytes, elements.begin(), [](std::byte each) {
      return each == std::byte{0} ? std::byte{0} : std::byte{1};
    });
  } else if (!bytes.empty()) {
    std::memcpy(elements.data(), bytes.data(), bytes.size());
  }
  return true;
}

bool put_array(ValueRef place, const ValueView& table) {
  const auto name = table[kArrayTag].try_text();
  const auto type = name ? element_type_named(*name) : std::nullopt;
  const auto extents = table.find("shape");
  const auto content = table.find("data");
  if (table.size() != 3 || !type || !extents || !content) return false;
  const auto shape = shape_of(*extents);
  const auto bytes = bytes_of(*content);
  return shape && bytes && put_array_bytes(place, *type, *shape, *bytes);
}

// --- CBOR's typed arrays ------------------------------------------------------------------------

struct TypedArray {
  std::uint64_t tag;
  ElementType type;
  std::uint8_t element_bytes;
  bool big_endian;
};
constexpr ElementType real(ValueType type) { return {type, false}; }
constexpr std::array kTypedArrays = {
    TypedArray{64, real(ValueType::uint8), 1, false},
    TypedArray{65, real(ValueType::uint16), 2, true},
    TypedArray{66, real(ValueType::uint32), 4, true},
    TypedArray{67, real(ValueType::uint64), 8, true},
    TypedArray{68, real(ValueType::uint8), 1, false},  // clamped arithmetic, which is not ours
    TypedArray{69, real(ValueType::uint16), 2, false},
    TypedArray{70, real(ValueType::uint32), 4, false},
    TypedArray{71, real(ValueType::uint64), 8, false},
    TypedArray{72, real(ValueType::int8), 1, false},
    TypedArray{73, real(ValueType::int16), 2, true},
    TypedArray{74, real(ValueType::int32), 4, true},
    TypedArray{75, real(ValueType::int64), 8, true},
    TypedArray{77, real(ValueType::int16), 2, false},
    TypedArray{78, real(ValueType::int32), 4, false},
    TypedArray{79, real(ValueType::int64), 8, false},
    TypedArray{80, real(ValueType::float32), 2, true},  // of half precision
    TypedArray{81, real(ValueType::float32), 4, true},
    TypedArray{82, real(ValueType::float64), 8, true},
    TypedArray{84, real(ValueType::float32), 2, false},  // of half precision
    TypedArray{85, real(ValueType::float32), 4, false},
    TypedArray{86, real(ValueType::float64), 8, false},
};

void reverse_elements(std::span<std::byte> bytes, std::size_t element_bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += element_bytes) {
    std::ranges::reverse(bytes.subspan(i, element_bytes));
  }
}

// IEEE 754's binary16.
float half_to_float(std::uint16_t half) noexcept {
  const int exponent = (half >> 10) & 0x1F;
  const int fraction = half & 0x3FF;
  float magnitude = 0;
  if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(fraction), -24);
  } else if (exponent == 31) {
    magnitude = fraction == 0 ? std::numeric_limits<float>::infinity()
                              : std::numeric_limits<float>::quiet_NaN();
  } else {
    magnitude = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

void put_halves(ValueRef place, std::span<const std::byte> bytes, bool big_endian) {
  const std::span<float> elements = place.array<float>(bytes.size() / 2);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const auto first = std::to_integer<unsigned>(bytes[2 * i]);
    const auto second = std::to_integer<unsigned>(bytes[2 * i + 1]);
    const unsigned half = big_endian ? first << 8 | second : second << 8 | first;
    elements[i] = half_to_float(static_cast<std::uint16_t>(half));
  }
}

bool is_number(ValueType type) noexcept {
  return type >= ValueType::int8 && type <= ValueType::float64;
}

// The list as an array of T, when each of its elements is one exactly.
template <class T>
bool put_all(ValueRef list, const ValueView& view) {
  std::vector<T> numbers;
  numbers.reserve(view.size());
  for (const ValueView element : view.elements()) {
    const ValueType type = element.type();
    if (type == ValueType::boolean) return false;
    if (std::same_as<T, std::int64_t> && type == ValueType::float64) return false;
    const auto number = element.try_as<T>();
    if (!number) return false;
    numbers.push_back(*number);
  }
  std::ranges::copy(numbers, list.array<T>(numbers.size()).begin());
  return true;
}

}  // namespace

bool put_tagged(ValueRef place, const ValueView& table) {
  const auto entries = table.entries();
  const ValueEntry first = *entries.begin();
  const std::string_view name = first.key.text();
  if (name == kArrayTag) return put_array(place, table);
  if (table.size() != 1) return false;
  if (name == kBytesTag) return put_bytes(place, first.value);
  if (name == kFloatTag) return put_float(place, first.value);
  if (name == kIntegerTag) return put_integer(place, first.value);
  return name == kComplexTag && put_complex(place, first.value);
}

std::string name_of(ElementType type) {
  return (type.is_complex ? "complex_" : "") + std::string(tarn::name_of(type.number));
}

std::optional<ElementType> element_type_named(std::string_view name) noexcept {
  constexpr std::string_view kComplex = "complex_";
  const bool is_complex = name.starts_with(kComplex);
  if (is_complex) name.remove_prefix(kComplex.size());
  for (auto number = 1; number <= static_cast<int>(ValueType::float64); ++number) {
    const auto type = static_cast<ValueType>(number);
    if (tarn::name_of(type) != name) continue;
    if (is_complex && type == ValueType::boolean) return std::nullopt;
    return ElementType{type, is_complex};
  }
  return std::nullopt;
}

bool put_typed_array(ValueRef place, std::uint64_t tag, std::span<const std::byte> bytes) {
  const auto found = std::ranges::find(kTypedArrays, tag, &TypedArray::tag);
  if (found == kTypedArrays.end() || bytes.size() % found->element_bytes != 0) return false;
  const Shape shape{bytes.size() / found->element_bytes};
  if (found->element_bytes != element_bytes(found->type)) {
    put_halves(place, bytes, found->big_endian);
    return true;
  }
  const auto elements = place.array_of(found->type, shape);
  if (!bytes.empty()) std::memcpy(elements.data(), bytes.data(), bytes.size());
  if (found->big_endian) reverse_elements(elements, found->element_bytes);
  return true;
}

std::optional<std::uint8_t> tag_of_array(ElementType type) noexcept {
  for (const TypedArray& each : kTypedArrays) {
    const bool fits = each.type == type && each.element_bytes == element_bytes(type);
    if (fits && !each.big_endian) return static_cast<std::uint8_t>(each.tag);
  }
  return std::nullopt;
}

bool put_shaped(ValueRef place) {
  const ValueView list = place.view();
  if (list.type() != ValueType::list || list.size() != 2) return false;
  const auto shape = shape_of(list[0]);
  const ValueView elements = list[1];
  if (!shape) return false;
  const bool is_list = elements.type() == ValueType::list;
  if (!is_list && elements.type() != ValueType::array) return false;
  for (const ValueView element : elements.elements()) {
    if (!is_number(element.type())) return false;
  }
  // A copy: what is replaced is what is looked at.
  Value apart = Value::copy_of(elements);
  if (is_list) put_number_array(apart.root());
  const ValueView flat = apart.view();
  if (flat.type() != ValueType::array) return false;
  return put_array_bytes(place, flat.element_type(), *shape, flat.array_bytes());
}

void put_number_array(ValueRef list) {
  const ValueView view = list.view();
  if (view.type() != ValueType::list || view.empty()) return;
  if (!put_all<std::int64_t>(list, view)) put_all<double>(list, view);
}

}  // namespace tarn::borders
