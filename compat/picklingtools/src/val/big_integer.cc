// big_integer.cc - whole numbers of any size, by Boost.Multiprecision.
#include "oc/big_integer.h"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <cctype>
#include <cmath>
#include <iterator>

namespace OC {
namespace detail {
namespace {

using boost::multiprecision::cpp_int;

cpp_int number_of(const Whole& whole) {
  cpp_int number;
  if (whole.words.empty()) return number;
  import_bits(number, whole.words.begin(), whole.words.end(), 32, false);
  return whole.negative ? cpp_int(-number) : number;
}

Whole whole_of(const cpp_int& number) {
  Whole whole;
  if (number.is_zero()) return whole;
  whole.negative = number.sign() < 0;
  export_bits(whole.negative ? cpp_int(-number) : number, std::back_inserter(whole.words), 32,
              false);
  return whole;
}

// Above this many bits every number is beyond the largest double.
constexpr std::size_t kWordsOfDouble = 1024 / 32;

}  // namespace

Whole Whole::of(std::uint64_t number) {
  Whole whole;
  for (; number != 0; number >>= 32) whole.words.push_back(static_cast<std::uint32_t>(number));
  return whole;
}

Whole Whole::of(std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  Whole whole = of(number < 0 ? 0 - bits : bits);
  whole.negative = number < 0;
  return whole;
}

Whole Whole::of(double number) {
  if (!std::isfinite(number)) throw out_of_range("Not a whole number: " + std::to_string(number));
  return whole_of(cpp_int(std::trunc(number)));
}

Whole Whole::of(const char* text) {
  while (std::isspace(static_cast<unsigned char>(*text)) != 0) ++text;
  const bool is_negative = *text == '-';
  if (*text == '-' || *text == '+') ++text;
  const char* end = text;
  while (std::isdigit(static_cast<unsigned char>(*end)) != 0) ++end;
  // A zero in front would mean octal.
  while (end - text > 1 && *text == '0') ++text;
  if (text == end) return {};
  Whole whole = whole_of(cpp_int(std::string(text, end)));
  whole.negative = is_negative && !whole.words.empty();
  return whole;
}

std::string Whole::digits() const { return number_of(*this).str(); }

std::uint64_t Whole::low_bits() const {
  std::uint64_t bits = words.empty() ? 0 : words[0];
  if (words.size() > 1) bits |= std::uint64_t{words[1]} << 32;
  return negative ? 0 - bits : bits;
}

double Whole::as_double() const {
  double size = 0;
  if (words.size() <= 2) {
    Whole magnitude(*this);
    magnitude.negative = false;
    size = static_cast<double>(magnitude.low_bits());
  } else {
    size =
        words.size() > kWordsOfDouble ? HUGE_VAL : std::abs(number_of(*this).convert_to<double>());
  }
  return negative ? -size : size;
}

Whole calculate(char what, const Whole& left, const Whole& right) {
  const cpp_int a = number_of(left);
  const cpp_int b = number_of(right);
  if ((what == '/' || what == '%') && b.is_zero()) throw domain_error("Division by zero");
  switch (what) {
    case '+':
      return whole_of(a + b);
    case '-':
      return whole_of(a - b);
    case '*':
      return whole_of(a * b);
    case '/':
      return whole_of(a / b);
    default:
      return whole_of(a % b);
  }
}

int compare(const Whole& left, const Whole& right) {
  if (left.negative != right.negative) return left.negative ? -1 : 1;
  int sizes = 0;
  if (left.words.size() != right.words.size()) {
    sizes = left.words.size() < right.words.size() ? -1 : 1;
  } else {
    const auto differ = std::mismatch(left.words.rbegin(), left.words.rend(), right.words.rbegin());
    if (differ.first != left.words.rend()) sizes = *differ.first < *differ.second ? -1 : 1;
  }
  return left.negative ? -sizes : sizes;
}

int compare(const Whole& left, double right) {
  if (std::isinf(right)) return right > 0 ? -1 : 1;
  const int wholes = compare(left, Whole::of(right));
  if (wholes != 0) return wholes;
  const double fraction = right - std::trunc(right);
  return fraction > 0 ? -1 : (fraction < 0 ? 1 : 0);
}

}  // namespace detail
}  // namespace OC
