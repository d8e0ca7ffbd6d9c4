#include "borders/whole_number.h"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>
#include <charconv>
#include <iterator>

namespace tarn::borders {
namespace {

using boost::multiprecision::cpp_int;

constexpr std::size_t kShortBytes =
    127;  // all below 2^1016 is finite as a double, which JSON parsers insist on
void drop_zeros(std::vector<std::byte>& magnitude) {
  while (!magnitude.empty() && magnitude.back() == std::byte{0}) magnitude.pop_back();
}

WholeNumber number_of(bool negative, const cpp_int& size) {
  WholeNumber number{negative && !size.is_zero(), {}};
  if (size.is_zero()) return number;
  std::vector<std::uint8_t> bytes;
  export_bits(size, std::back_inserter(bytes), 8, false);
  for (const std::uint8_t byte : bytes) number.magnitude.push_back(static_cast<std::byte>(byte));
  return number;
}

std::optional<WholeNumber> parse_decimal(bool negative, std::string_view digits) {
  if (digits.empty() || digits.size() > kMostDecimalDigits) return std::nullopt;
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  // The library takes a zero in front for the beginning of an octal number.
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return number_of(negative, digits.empty() ? cpp_int(0) : cpp_int(std::string(digits)));
}

std::optional<WholeNumber> parse_hexadecimal(bool negative, std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  WholeNumber number{negative, {}};
  while (!digits.empty()) {
    const std::string_view part = digits.substr(digits.size() < 2 ? 0 : digits.size() - 2);
    std::uint8_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value, 16);
    if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    number.magnitude.push_back(static_cast<std::byte>(value));
    digits.remove_suffix(part.size());
  }
  drop_zeros(number.magnitude);
  if (number.magnitude.empty()) number.negative = false;
  return number;
}

std::string hexadecimal(const BigIntegerView& number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = number.negative ? "-0x" : "0x";
  text.reserve(text.size() + 2 * number.magnitude.size());
  for (auto byte = number.magnitude.rbegin(); byte != number.magnitude.rend(); ++byte) {
    const auto value = std::to_integer<std::size_t>(*byte);
    text += kDigits[value >> 4];
    text += kDigits[value & 0xf];
  }
  return text;
}

}  // namespace

WholeNumber whole_number(bool negative, std::uint64_t magnitude) {
  return number_of(negative, cpp_int(magnitude));
}

WholeNumber whole_number(bool negative, std::span<const std::byte> big_endian) {
  WholeNumber number{negative, {big_endian.rbegin(), big_endian.rend()}};
  drop_zeros(number.magnitude);
  return number;
}

std::optional<WholeNumber> parse_whole_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (!text.starts_with("0x")) return parse_decimal(negative, text);
  return parse_hexadecimal(negative, text.substr(2));
}

bool is_short(const BigIntegerView& number) noexcept {
  return number.magnitude.size() <= kShortBytes;
}

std::string text_of(const BigIntegerView& number) {
  if (!is_short(number)) return hexadecimal(number);
  cpp_int size;
  // A copy: its maker may write on.
  const std::vector<std::byte> magnitude(number.magnitude.begin(), number.magnitude.end());
  const auto* first = reinterpret_cast<const std::uint8_t*>(magnitude.data());
  if (!magnitude.empty()) import_bits(size, first, first + magnitude.size(), 8, false);
  return (number.negative ? cpp_int(-size) : size).str();
}

void put(ValueRef place, const WholeNumber& number) {
  if (number.magnitude.size() > 8) {
    place.set_big_integer(number.view());
    return;
  }
  std::uint64_t magnitude = 0;
  for (std::size_t i = 0; i < number.magnitude.size(); ++i) {
    magnitude |= std::to_integer<std::uint64_t>(number.magnitude[i]) << (8 * i);
  }
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
  if (!number.negative && magnitude >= kHalf) {
    place = magnitude;
  } else if (!number.negative) {
    place = static_cast<std::int64_t>(magnitude);
  } else if (magnitude <= kHalf) {
    place = static_cast<std::int64_t>(~magnitude + 1);
  } else {
    place.set_big_integer(number.view());
  }
}

}  // namespace tarn::borders
