// val_convert.cc - a Val as a number or as text.
#include <charconv>
#include <cmath>
#include <limits>

#include "oc/templates.h"
#include "val/number_text.h"
#include "val/proxy_body.h"

namespace OC {
namespace {

[[noreturn]] void refuse(const char* from, const char* to) {
  throw logic_error(std::string("No conversion from:") + from + " to " + to + ".");
}

// The whole part modulo 2^64; the nearest end of the range for what is beyond it, as nothing else
// is defined, and 0 for NaN.
int_u8 whole_part(real_8 number) {
  if (std::isnan(number)) return 0;
  if (number >= 18446744073709551615.0) return std::numeric_limits<int_u8>::max();
  if (number >= 9223372036854775808.0) return static_cast<int_u8>(number);
  if (number <= -9223372036854775808.0) return int_u8{1} << 63;
  return static_cast<int_u8>(static_cast<int_8>(number));
}

bool is_complex(char tag) { return std::string("FDcCeEgGhH").find(tag) != std::string::npos; }

}  // namespace

// Text as the integer that it begins with; through a real when it goes on as one.
static int_u8 integer_in(const Str& text) {
  const size_t start = text.find_first_not_of(" \t\n+");
  if (start == Str::npos) return 0;
  const char* first = text.data() + start;
  const char* last = text.data() + text.size();
  const bool is_negative = *first == '-';
  int_u8 number = 0;
  const auto end = std::from_chars(first + (is_negative ? 1 : 0), last, number);
  const bool goes_on = end.ptr != last && (*end.ptr == '.' || *end.ptr == 'e' || *end.ptr == 'E');
  if (end.ec != std::errc() || goes_on) return whole_part(detail::real_in(text));
  return is_negative ? 0 - number : number;
}

int_u8 Val::integer() const {
  switch (tag) {
    case 'Z':
      return 0;
    case 'f':
    case 'd':
      return whole_part(u_.reals[0]);
    case 'a':
      return integer_in(u_.text);
    case 'q':
      return u_.big->whole().low_bits();
    case 'Q':
      return u_.big_unsigned->whole().low_bits();
    case 't':
    case 'o':
    case 'u':
    case 'n':
      return static_cast<int_u8>(length());
    default:
      if (is_complex(tag)) refuse("complex", "a number");
      return static_cast<int_u8>(u_.integers[0]);
  }
}

real_8 Val::real() const {
  switch (tag) {
    case 'f':
    case 'd':
      return u_.reals[0];
    case 'a':
      return detail::real_in(u_.text);
    case 'q':
      return u_.big->whole().as_double();
    case 'Q':
      return u_.big_unsigned->whole().as_double();
    case 'X':
      return static_cast<real_8>(u_.words[0]);
    default:
      return static_cast<real_8>(static_cast<int_8>(integer()));
  }
}

Val::operator bool() const {
  switch (tag) {
    case 'f':
    case 'd':
      return u_.reals[0] != 0;
    case 'F':
    case 'D':
      return u_.reals[0] != 0 || u_.reals[1] != 0;
    case 'a':
      return !u_.text.empty();
    case 'q':
      return !u_.big->whole().words.empty();
    case 'Q':
      return !u_.big_unsigned->whole().words.empty();
    default:
      return (is_complex(tag) ? u_.words[0] | u_.words[1] : integer()) != 0;
  }
}

real_8 Val::complex_real(int part) const {
  if (tag == 'F' || tag == 'D') return u_.reals[part];
  if (tag == 'H') return static_cast<real_8>(u_.words[part]);
  if (is_complex(tag)) return static_cast<real_8>(u_.integers[part]);
  return part == 0 ? real() : 0;
}

int_u8 Val::complex_integer(int part) const {
  if (tag == 'F' || tag == 'D') return whole_part(u_.reals[part]);
  if (is_complex(tag)) return u_.words[part];
  return part == 0 ? integer() : 0;
}

Val::operator int_n() const {
  if (tag == 'q') return *u_.big;
  if (tag == 'Q') return int_n(*u_.big_unsigned);
  if (tag == 'a') return int_n(u_.text);
  if (tag == 'f' || tag == 'd') return int_n(u_.reals[0]);
  if (tag == 'X') return int_n(u_.words[0]);
  return int_n(static_cast<int_8>(integer()));
}

Val::operator int_un() const {
  if (tag == 'Q') return *u_.big_unsigned;
  return int_un(static_cast<int_n>(*this));
}

Val::operator Str() const {
  if (tag == 'a') return u_.text;
  std::ostringstream out;
  out << *this;
  return out.str();
}

}  // namespace OC
