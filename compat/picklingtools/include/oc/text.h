// text.h - values as text, and text as values.
#pragma once

#include "oc/iterate.h"

namespace OC {

// As it is printed: text inside a Val in quotes.
template <class T>
Str Stringize(const T& what) {
  std::ostringstream out;
  if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, char>) {
    out << Val(what);
  } else {
    out << what;
  }
  return out.str();
}

inline ostream& operator<<(ostream& out, const Proxy& proxy) { return out << Val(proxy); }

// The value that a Python literal is. Throws runtime_error with the line where it is none.
Val Eval(const char* literal);
inline Val Eval(const Str& literal) { return Eval(literal.c_str()); }

// Reads literals from text, one after the other.
class ValReader {
 public:
  explicit ValReader(const Str& text) : text_(text) {}
  // The next one; false at the end. Throws as Eval() does.
  bool expectAnything(Val& value);

 private:
  Str text_;
  size_t position_ = 0;
};

namespace detail {
// -1, 0, 1. Numbers by worth, whatever their types; None below numbers, numbers below text, text
// below containers. Throws logic_error for the order of complex numbers that differ.
int compare(const Val& a, const Val& b);
// By worth; never throws for the types.
bool same(const Val& a, const Val& b);
}  // namespace detail

inline bool operator==(const Val& a, const Val& b) { return detail::same(a, b); }
inline bool operator!=(const Val& a, const Val& b) { return !detail::same(a, b); }
bool operator<(const Val& a, const Val& b);
bool operator<=(const Val& a, const Val& b);
inline bool operator>(const Val& a, const Val& b) { return b < a; }
inline bool operator>=(const Val& a, const Val& b) { return b <= a; }

namespace detail {
// What is compared with a Val by being made one. Without these, `v == 1` could as well mean the
// comparison of two ints.
template <class T>
inline constexpr bool kBesideVal =
    kNumberTag<T> != 0 || std::is_same_v<T, Str> || std::is_same_v<T, int_n> ||
    std::is_same_v<T, int_un> || std::is_convertible_v<T, const char*> ||
    std::is_base_of_v<Table, T> || std::is_same_v<T, Tup> || std::is_same_v<T, Arr> ||
    std::is_same_v<T, Proxy> || kIsOpenEnum<T> || kIsArray<T>;
}  // namespace detail

// Only beside what is a Val, and not beside what could become one.
#define OC_DETAIL_COMPARISON(OPERATOR)                                                  \
  template <class V, class T,                                                           \
            std::enable_if_t<std::is_same_v<V, Val> && detail::kBesideVal<T>, int> = 0> \
  bool operator OPERATOR(const V& a, const T& b) {                                      \
    return a OPERATOR Val(b);                                                           \
  }                                                                                     \
  template <class T, class V,                                                           \
            std::enable_if_t<std::is_same_v<V, Val> && detail::kBesideVal<T>, int> = 0> \
  bool operator OPERATOR(const T& a, const V& b) {                                      \
    return Val(a) OPERATOR b;                                                           \
  }
OC_DETAIL_COMPARISON(==)
OC_DETAIL_COMPARISON(!=)
OC_DETAIL_COMPARISON(<)
OC_DETAIL_COMPARISON(<=)
OC_DETAIL_COMPARISON(>)
OC_DETAIL_COMPARISON(>=)
#undef OC_DETAIL_COMPARISON

// What they refer to.
inline bool operator==(const Proxy& a, const Proxy& b) { return Val(a) == Val(b); }
inline bool operator!=(const Proxy& a, const Proxy& b) { return Val(a) != Val(b); }
inline bool operator<(const Proxy& a, const Proxy& b) { return Val(a) < Val(b); }
inline bool operator<=(const Proxy& a, const Proxy& b) { return Val(a) <= Val(b); }
inline bool operator>(const Proxy& a, const Proxy& b) { return Val(a) > Val(b); }
inline bool operator>=(const Proxy& a, const Proxy& b) { return Val(a) >= Val(b); }

namespace detail {
size_t hash_of(const Val& value);
size_t hash_of(std::string_view text);
// For sorting: never throws.
bool sorts_before(const Val& a, const Val& b);
}  // namespace detail

}  // namespace OC
