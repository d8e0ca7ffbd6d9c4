// compare.cc - equality and order of values, by worth, and the hashes that go with them.
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string_view>

#include "oc/templates.h"
#include "val/proxy_body.h"

namespace OC {
namespace {

using detail::compare;
using detail::Entry;
using detail::same;
using detail::Table;
using detail::Whole;

// Exact for every integer of 64 bits and every double, so that numbers of different types compare
// as they are: a negative int stands below every unsigned one.
using Wide = long double;
static_assert(std::numeric_limits<Wide>::digits >= 64);

bool is_complex(char tag) {
  return tag == 'F' || tag == 'D' || tag == 'c' || tag == 'C' || tag == 'e' || tag == 'E' ||
         tag == 'g' || tag == 'G' || tag == 'h' || tag == 'H';
}
bool is_big(char tag) { return tag == 'q' || tag == 'Q'; }
bool is_real(char tag) { return tag == 'f' || tag == 'd'; }

// None, numbers, text, arrays and lists, tuples, tables, ordered tables.
int rank(char tag) {
  switch (tag) {
    case 'Z':
      return 0;
    case 'a':
      return 2;
    case 'n':
      return 3;
    case 'u':
      return 4;
    case 't':
      return 5;
    case 'o':
      return 6;
    default:
      return 1;
  }
}

const Whole& whole_of(const Val& val) {
  return val.tag == 'q' ? val.contents().big->whole() : val.contents().big_unsigned->whole();
}

// A part of a number of fixed size.
Wide part(const Val& val, int which) {
  const Val::Contents& held = val.contents();
  if (which == 1 && !is_complex(val.tag)) return 0;
  if (is_real(val.tag) || val.tag == 'F' || val.tag == 'D') return held.reals[which];
  if (val.tag == 'X' || val.tag == 'H') return static_cast<Wide>(held.words[which]);
  return static_cast<Wide>(held.integers[which]);
}

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

// Of a big number with another number that is not complex and not NaN.
int compare_big(const Val& big, const Val& other) {
  if (is_big(other.tag)) return detail::compare(whole_of(big), whole_of(other));
  if (is_real(other.tag)) return detail::compare(whole_of(big), other.contents().reals[0]);
  const Whole whole = other.tag == 'X' ? Whole::of(std::uint64_t{other.contents().words[0]})
                                       : Whole::of(std::int64_t{other.contents().integers[0]});
  return detail::compare(whole_of(big), whole);
}

bool is_nan(const Val& val) {
  return (is_real(val.tag) && std::isnan(val.contents().reals[0])) ||
         ((val.tag == 'F' || val.tag == 'D') &&
          (std::isnan(val.contents().reals[0]) || std::isnan(val.contents().reals[1])));
}

// A complex number's real part by itself; other numbers as they are.
Val real_part(const Val& number) {
  if (!is_complex(number.tag)) return number;
  const Val::Contents& held = number.contents();
  if (number.tag == 'F' || number.tag == 'D') return Val(held.reals[0]);
  return number.tag == 'H' ? Val(int_u8{held.words[0]}) : Val(held.integers[0]);
}

bool same_numbers(const Val& a, const Val& b) {
  if (is_nan(a) || is_nan(b)) return false;
  if (is_big(b.tag) && !is_big(a.tag)) return same_numbers(b, a);
  if (is_big(a.tag)) {
    return (is_big(b.tag) || part(b, 1) == 0) && compare_big(a, real_part(b)) == 0;
  }
  return part(a, 0) == part(b, 0) && part(a, 1) == part(b, 1);
}

int compare_numbers(const Val& a, const Val& b) {
  if (is_complex(a.tag) || is_complex(b.tag)) {
    if (same_numbers(a, b)) return 0;
    throw logic_error("Complex numbers have no order");
  }
  if (is_nan(a) || is_nan(b)) return is_nan(a) ? (is_nan(b) ? 0 : -1) : 1;
  if (is_big(a.tag)) return compare_big(a, b);
  if (is_big(b.tag)) return -compare_big(b, a);
  return order(part(a, 0), part(b, 0));
}

// --- containers ---------------------------------------------------------------------------------

const Table& table_in(const Val& val) {
  if (val.tag == 't') return val.object_as<Tab>();
  return val.object_as<OTab>();
}

int_ptr count_of(const Val& val) { return val.length(); }

Val element(const Val& val, int_ptr index) {
  if (val.tag == 'u') return std::as_const(val.object_as<Tup>())[index];
  if (val.subtype == 'Z') return std::as_const(val.object_as<Arr>())[index];
  Val found;
  detail::visit_number(val.subtype, [&](auto type) {
    using T = typename decltype(type)::type;
    found = Val(std::as_const(val.object_as<Array<T>>())[index]);
  });
  return found;
}

bool same_tables(const Table& a, const Table& b, bool in_order) {
  if (a.entries() != b.entries()) return false;
  const Entry* other = b.first();
  for (const Entry* entry = a.first(); entry != nullptr; entry = entry->next) {
    const Val* value = nullptr;
    if (in_order) {
      if (!same(entry->key, other->key)) return false;
      value = &other->value;
      other = other->next;
    } else {
      value = b.lookup(entry->key);
    }
    if (value == nullptr || !same(entry->value, *value)) return false;
  }
  return true;
}

bool same_elements(const Val& a, const Val& b) {
  const int_ptr count = count_of(a);
  if (count != count_of(b)) return false;
  for (int_ptr i = 0; i < count; ++i) {
    if (!same(element(a, i), element(b, i))) return false;
  }
  return true;
}

// By size, then by sorted entries, as Python 2 did.
template <class Compare>
int compare_tables(const Val& a, const Val& b, Compare&& compare_parts) {
  if (count_of(a) != count_of(b)) return order(count_of(a), count_of(b));
  Sit left(a);
  Sit right(b);
  while (left() && right()) {
    if (const int keys = compare_parts(left.key(), right.key())) return keys;
    if (const int values = compare_parts(left.value(), right.value())) return values;
  }
  return 0;
}

template <class Compare>
int compare_elements(const Val& a, const Val& b, Compare&& compare_parts) {
  const int_ptr count = std::min(count_of(a), count_of(b));
  for (int_ptr i = 0; i < count; ++i) {
    if (const int parts = compare_parts(element(a, i), element(b, i))) return parts;
  }
  return order(count_of(a), count_of(b));
}

template <class CompareNumbers, class Self>
int compare_any(const Val& a, const Val& b, CompareNumbers&& numbers, Self&& self) {
  const int a_rank = rank(a.tag);
  if (a_rank != rank(b.tag)) return order(a_rank, rank(b.tag));
  if (a_rank == 0) return 0;
  if (a_rank == 1) return numbers(a, b);
  if (a_rank == 2) return order(a.contents().text, b.contents().text);
  return a_rank < 5 ? compare_elements(a, b, self) : compare_tables(a, b, self);
}

// Complex numbers by their parts, so that there is an order at all.
int compare_for_sorting(const Val& a, const Val& b) {
  const auto numbers = [](const Val& x, const Val& y) {
    if (!is_complex(x.tag) && !is_complex(y.tag)) return compare_numbers(x, y);
    if (is_big(x.tag) || is_big(y.tag)) return order(x.tag, y.tag);
    const int first = order(part(x, 0), part(y, 0));
    return first != 0 ? first : order(part(x, 1), part(y, 1));
  };
  return compare_any(a, b, numbers, compare_for_sorting);
}

}  // namespace

bool detail::same(const Val& a, const Val& b) {
  if (a.tag == 'a' && b.tag == 'a') return a.contents().text == b.contents().text;
  const bool are_tables = rank(a.tag) >= 5 && rank(b.tag) >= 5;
  if (rank(a.tag) != rank(b.tag) && !are_tables) return false;
  switch (rank(a.tag)) {
    case 0:
      return true;
    case 1:
      return same_numbers(a, b);
    case 5:
    case 6:
      return same_tables(table_in(a), table_in(b), a.tag == 'o' && b.tag == 'o');
    default:
      return same_elements(a, b);
  }
}

int detail::compare(const Val& a, const Val& b) {
  return compare_any(a, b, compare_numbers,
                     [](const Val& x, const Val& y) { return detail::compare(x, y); });
}

bool operator<(const Val& a, const Val& b) {
  return !is_nan(a) && !is_nan(b) && detail::compare(a, b) < 0;
}
bool operator<=(const Val& a, const Val& b) {
  return !is_nan(a) && !is_nan(b) && detail::compare(a, b) <= 0;
}
bool operator==(const Tab& a, const Tab& b) { return same_tables(a, b, false); }
bool operator==(const OTab& a, const OTab& b) { return same_tables(a, b, true); }
bool operator==(const Tab& a, const OTab& b) { return same_tables(a, b, false); }

namespace detail {
namespace {

size_t mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 32)) * 0x9E3779B97F4A7C15u;
  return bits ^ (bits >> 29);
}

// Numbers of the same worth, whatever their types, have the same hash: that of the double next to
// it.
size_t hash_of_number(const Val& value) {
  double worth = 0;
  if (is_big(value.tag)) {
    worth = whole_of(value).as_double();
  } else {
    worth = static_cast<double>(part(value, 0));
  }
  if (worth == 0 || std::isnan(worth)) return mixed(0);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &worth, sizeof bits);
  return mixed(bits);
}

}  // namespace

size_t hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

size_t hash_of(const Val& value) {
  switch (rank(value.tag)) {
    case 0:
      return 1;
    case 1:
      return hash_of_number(value);
    case 2:
      return hash_of(std::string_view(value.contents().text));
    default:
      break;
  }
  size_t hash = mixed(static_cast<std::uint64_t>(count_of(value)) + 3);
  if (rank(value.tag) < 5) {
    for (int_ptr i = 0; i < count_of(value); ++i) hash = mixed(hash + hash_of(element(value, i)));
  }
  return hash;
}

bool sorts_before(const Val& a, const Val& b) { return compare_for_sorting(a, b) < 0; }

}  // namespace detail
}  // namespace OC
