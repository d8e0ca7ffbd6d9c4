// whole_number.h - whole numbers of any size, as text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tarn/value.h"

namespace tarn::borders {

// Sign and magnitude, least significant byte first, without zeros at the end.
struct WholeNumber {
  bool negative = false;
  std::vector<std::byte> magnitude;

  BigIntegerView view() const noexcept { return {negative, magnitude}; }
};

// Turning decimal digits into binary ones takes time that grows with the square of their number,
// so there is a most of them. Hexadecimal digits may be as many as there are.
inline constexpr std::size_t kMostDecimalDigits = 4096;

WholeNumber whole_number(bool negative, std::uint64_t magnitude);
// Big-endian bytes, as CBOR has them.
WholeNumber whole_number(bool negative, std::span<const std::byte> big_endian);
// "-123", "0x7f", "-0x7f"; nothing when it is none of these, or has too many decimal digits.
std::optional<WholeNumber> parse_whole_number(std::string_view text);

// Decimal below 2^1016, hexadecimal above.
std::string text_of(const BigIntegerView& number);
// Whether text_of() is decimal, and a JSON number.
bool is_short(const BigIntegerView& number) noexcept;

// The smallest of int64, uint64 and big integer that has it.
void put(ValueRef place, const WholeNumber& number);

}  // namespace tarn::borders
