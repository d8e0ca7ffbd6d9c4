// tags.h - the letter that stands for each type that a Val may hold.
//
//   s S i I l L x X  int_1 int_u1 int_2 int_u2 int_4 int_u4 int_8 int_u8      b bool
//   q Q              int_n int_un                                             f d real_4 real_8
//   F D              complex_8 complex_16       c C e E g G h H  cx_t of int_1 int_u1 ... int_u8
//   a Str    t Tab    o OTab    u Tup    n Array: subtype is its elements' tag, Z for Arr    Z None
#pragma once

#include "oc/big_integer.h"
#include "oc/complex.h"

namespace OC {
namespace detail {

template <class T>
constexpr char integer_tag() {
  constexpr bool is_signed = std::is_signed_v<T>;
  switch (sizeof(T)) {
    case 1:
      return is_signed ? 's' : 'S';
    case 2:
      return is_signed ? 'i' : 'I';
    case 4:
      return is_signed ? 'l' : 'L';
    default:
      return is_signed ? 'x' : 'X';
  }
}

template <class T>
constexpr char complex_integer_tag() {
  constexpr bool is_signed = std::is_signed_v<T>;
  switch (sizeof(T)) {
    case 1:
      return is_signed ? 'c' : 'C';
    case 2:
      return is_signed ? 'e' : 'E';
    case 4:
      return is_signed ? 'g' : 'G';
    default:
      return is_signed ? 'h' : 'H';
  }
}

// The tag of numbers of fixed size; 0 for every other type.
template <class T>
struct NumberTag {
  static constexpr char value() {
    if constexpr (std::is_same_v<T, bool>) return 'b';
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return integer_tag<T>();
    if constexpr (std::is_same_v<T, float>) return 'f';
    if constexpr (std::is_same_v<T, double>) return 'd';
    return 0;
  }
};
template <class T>
struct NumberTag<cx_t<T>> {
  static constexpr char value() {
    if constexpr (std::is_same_v<T, float>) return 'F';
    if constexpr (std::is_same_v<T, double>) return 'D';
    if constexpr (std::is_integral_v<T>) return complex_integer_tag<T>();
    return 0;
  }
};

template <class T>
inline constexpr char kNumberTag = NumberTag<std::remove_cv_t<T>>::value();
// Numbers that are no complex ones.
template <class T>
inline constexpr bool kIsArithmetic =
    std::is_arithmetic_v<T>&& kNumberTag<T> != 0 && !std::is_same_v<T, char>;

// Enumerations that become ints by themselves.
template <class T>
inline constexpr bool kIsOpenEnum = std::is_enum_v<T>&& std::is_convertible_v<T, long long>;

// Says which type it stands for.
template <class T>
struct TypeOf {
  using type = T;
};

// Calls visitor(TypeOf<T>()) for the number type of that tag; false when no number has it.
template <class Visitor>
bool visit_number(char tag, Visitor&& visitor) {
  switch (tag) {
#define OC_DETAIL_CASE(LETTER, ...) \
  case LETTER:                      \
    visitor(TypeOf<__VA_ARGS__>()); \
    return true;
    OC_DETAIL_CASE('s', int_1)
    OC_DETAIL_CASE('S', int_u1)
    OC_DETAIL_CASE('i', int_2)
    OC_DETAIL_CASE('I', int_u2)
    OC_DETAIL_CASE('l', int_4)
    OC_DETAIL_CASE('L', int_u4)
    OC_DETAIL_CASE('x', int_8)
    OC_DETAIL_CASE('X', int_u8)
    OC_DETAIL_CASE('b', bool)
    OC_DETAIL_CASE('f', real_4)
    OC_DETAIL_CASE('d', real_8)
    OC_DETAIL_CASE('F', complex_8)
    OC_DETAIL_CASE('D', complex_16)
    OC_DETAIL_CASE('c', cx_t<int_1>)
    OC_DETAIL_CASE('C', cx_t<int_u1>)
    OC_DETAIL_CASE('e', cx_t<int_2>)
    OC_DETAIL_CASE('E', cx_t<int_u2>)
    OC_DETAIL_CASE('g', cx_t<int_4>)
    OC_DETAIL_CASE('G', cx_t<int_u4>)
    OC_DETAIL_CASE('h', cx_t<int_8>)
    OC_DETAIL_CASE('H', cx_t<int_u8>)
#undef OC_DETAIL_CASE
    default:
      return false;
  }
}

template <class T>
inline constexpr bool kIsArray = false;
template <class T>
inline constexpr bool kIsArray<Array<T>> = true;

// Elements that an Array inside a Val may have, besides Val: numbers of fixed size.
template <class T>
inline constexpr char kElementTag = std::is_same_v<T, Val> ? 'Z' : kNumberTag<T>;

}  // namespace detail
}  // namespace OC
