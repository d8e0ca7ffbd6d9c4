#include "val/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace OC {
namespace detail {
namespace {

// Whole numbers of up to this many digits are written out, as the originals did.
constexpr int kLongestWritten = 17;

// `digits` without a point, the first of them worth 10^exponent.
std::string fixed(const std::string& digits, int exponent, bool as_real) {
  if (exponent < 0)
    return "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto before = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= before) {
    return digits + std::string(before - digits.size(), '0') + (as_real ? ".0" : "");
  }
  return digits.substr(0, before) + "." + digits.substr(before);
}

std::string scientific(const std::string& digits, int exponent) {
  std::string text = digits.substr(0, 1);
  if (digits.size() > 1) text += "." + digits.substr(1);
  const int size = std::abs(exponent);
  return text + (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + std::to_string(size);
}

template <class Real>
std::string shortest(Real number, bool as_real) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char raw[64];
  const auto end = std::to_chars(raw, raw + sizeof raw, number, std::chars_format::scientific);
  *end.ptr = 0;
  std::string_view text(raw, static_cast<std::size_t>(end.ptr - raw));
  std::string sign;
  if (text.front() == '-') {
    sign = "-";
    text.remove_prefix(1);
  }
  const std::size_t mark = text.find('e');
  const int exponent = std::atoi(text.data() + mark + 1);
  std::string digits(text.substr(0, mark));
  digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
  const bool is_fixed = exponent >= -4 && exponent < kLongestWritten;
  return sign + (is_fixed ? fixed(digits, exponent, as_real) : scientific(digits, exponent));
}

}  // namespace

std::string text_of(double number, bool as_real) { return shortest(number, as_real); }
std::string text_of(float number, bool as_real) { return shortest(number, as_real); }

double real_in(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\n+");
  if (start == std::string_view::npos) return 0;
  double number = 0;
  const auto end = std::from_chars(text.data() + start, text.data() + text.size(), number);
  return end.ec == std::errc::invalid_argument ? 0 : number;
}

}  // namespace detail
}  // namespace OC
