#include "borders/whole_number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace tarn::borders {
namespace {

constexpr std::size_t kShortBytes =
    127;  // all below 2^1016 is finite as a double, which JSON parsers insist on
// The largest power of ten below 2^32: one step takes so many digits.
constexpr std::uint32_t kStep = 1'000'000'000;
constexpr std::size_t kStepDigits = 9;

using Words = std::vector<std::uint32_t>;  // least significant first

void drop_zeros(std::vector<std::byte>& magnitude) {
  while (!magnitude.empty() && magnitude.back() == std::byte{0}) magnitude.pop_back();
}

WholeNumber number_of(bool negative, const Words& words) {
  WholeNumber number{negative, {}};
  for (const std::uint32_t word : words) {
    for (int i = 0; i < 4; ++i) {
      number.magnitude.push_back(static_cast<std::byte>((word >> (8 * i)) & 0xff));
    }
  }
  drop_zeros(number.magnitude);
  if (number.magnitude.empty()) number.negative = false;
  return number;
}

void multiply_and_add(Words& words, std::uint32_t factor, std::uint32_t addend) {
  std::uint64_t carry = addend;
  for (std::uint32_t& word : words) {
    carry += std::uint64_t{word} * factor;
    word = static_cast<std::uint32_t>(carry);
    carry >>= 32;
  }
  if (carry != 0) words.push_back(static_cast<std::uint32_t>(carry));
}

// Leaves the quotient, and returns the remainder.
std::uint32_t divide(Words& words, std::uint32_t divisor) {
  std::uint64_t rest = 0;
  for (auto word = words.rbegin(); word != words.rend(); ++word) {
    rest = (rest << 32) | *word;
    *word = static_cast<std::uint32_t>(rest / divisor);
    rest %= divisor;
  }
  while (!words.empty() && words.back() == 0) words.pop_back();
  return static_cast<std::uint32_t>(rest);
}

std::optional<WholeNumber> parse_decimal(bool negative, std::string_view digits) {
  if (digits.empty() || digits.size() > kMostDecimalDigits) return std::nullopt;
  Words words;
  while (!digits.empty()) {
    const std::string_view part = digits.substr(0, kStepDigits);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    std::uint32_t factor = 1;
    for (std::size_t i = 0; i < part.size(); ++i) factor *= 10;
    multiply_and_add(words, factor, value);
    digits.remove_prefix(part.size());
  }
  return number_of(negative, words);
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
  return number_of(negative, {static_cast<std::uint32_t>(magnitude),
                              static_cast<std::uint32_t>(magnitude >> 32)});
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
  Words words((number.magnitude.size() + 3) / 4);
  for (std::size_t i = 0; i < number.magnitude.size(); ++i) {
    words[i / 4] |= std::to_integer<std::uint32_t>(number.magnitude[i]) << (8 * (i % 4));
  }
  std::string reversed;
  while (!words.empty()) {
    std::uint32_t part = divide(words, kStep);
    for (std::size_t i = 0; i < kStepDigits; ++i, part /= 10) {
      reversed += static_cast<char>('0' + part % 10);
    }
  }
  while (reversed.size() > 1 && reversed.back() == '0') reversed.pop_back();
  if (reversed.empty()) reversed.push_back('0');
  if (number.negative) reversed += '-';
  return {reversed.rbegin(), reversed.rend()};
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
