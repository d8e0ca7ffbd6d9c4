// value_type.h - what a value may hold, and the C++ types that stand for it.
#pragma once

#include <complex>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace tarn {

// The numbers are those of the format (docs/formats/value.md); new ones may come.
enum class ValueType : std::uint8_t {
  none = 0,
  boolean = 1,
  int8 = 2,
  int16 = 3,
  int32 = 4,
  int64 = 5,
  uint8 = 6,
  uint16 = 7,
  uint32 = 8,
  uint64 = 9,
  float32 = 10,
  float64 = 11,
  complex = 12,
  big_integer = 13,  // of any size
  text = 14,         // UTF-8
  bytes = 15,
  table = 16,  // keys and values, in the order in which they were put in
  list = 17,
  tuple = 18,
  array = 19,     // n-dimensional, of numbers of one type
  reference = 20  // to a blob or a message
};

// The type's stable name, as --json prints it: "float64".
std::string_view name_of(ValueType type) noexcept;

// The type of an array's elements, or of a complex number's parts.
struct ElementType {
  ValueType number = ValueType::none;  // boolean to float64
  bool is_complex = false;             // two of them for each element: real, imaginary

  friend bool operator==(const ElementType&, const ElementType&) = default;
};

namespace detail {

template <class T>
inline constexpr bool kIsComplex = false;
template <class T>
inline constexpr bool kIsComplex<std::complex<T>> = true;

template <class T>
consteval ValueType number_type() {
  if constexpr (std::is_same_v<T, bool>) return ValueType::boolean;
  if constexpr (std::is_same_v<T, float>) return ValueType::float32;
  if constexpr (std::is_same_v<T, double>) return ValueType::float64;
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    constexpr int width = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
    constexpr auto first = std::is_signed_v<T> ? ValueType::int8 : ValueType::uint8;
    return static_cast<ValueType>(static_cast<int>(first) + width);
  }
  return ValueType::none;
}

}  // namespace detail

// A number of fixed size: bool, integers of 8 to 64 bits, float, double.
template <class T>
concept ValueNumeric = std::same_as<T, bool> || std::same_as<T, float> || std::same_as<T, double> ||
    (std::integral<T> && sizeof(T) <= 8);
// What an array may consist of: those, and std::complex of float and double.
template <class T>
concept ValueElement = ValueNumeric<T> || std::same_as<T, std::complex<float>> ||
    std::same_as<T, std::complex<double>>;

template <ValueElement T>
consteval ElementType element_type_of() {
  if constexpr (detail::kIsComplex<T>) {
    return {detail::number_type<typename T::value_type>(), true};
  } else {
    return {detail::number_type<T>(), false};
  }
}

}  // namespace tarn
