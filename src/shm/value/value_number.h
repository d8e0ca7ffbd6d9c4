// value_number.h - what a number is worth, whatever its type, and exact ways to other types.
#pragma once

#include "base/result.h"
#include "shm/value/value_reader.h"

namespace tarn {

// An integer as sign and magnitude, or a floating-point number.
struct ValueNumber {
  bool is_float = false;
  bool negative = false;
  std::uint64_t magnitude = 0;
  double real = 0;
};

// wrong_type: no number (true and false are none). out_of_range: a big integer beyond 64 bits,
// which is equal to big integers alone.
Result<ValueNumber> number_of(const ValueReader& reader, const layout::Cell& cell) noexcept;

// Exactly that number, or out_of_range. A floating-point number converts when it is an integer.
Result<std::int64_t> to_signed(const ValueNumber& number, std::int64_t least,
                               std::int64_t most) noexcept;
Result<std::uint64_t> to_unsigned(const ValueNumber& number, std::uint64_t most) noexcept;
// Exactly that number, NaN and infinities included, or out_of_range.
Result<double> to_double(const ValueNumber& number) noexcept;
Result<float> to_float(const ValueNumber& number) noexcept;
// The nearest. out_of_range: it is finite, and there would be infinity.
double round_to_double(const ValueNumber& number) noexcept;
Result<float> round_to_float(const ValueNumber& number) noexcept;

// Compares worth, across types, without rounding.
bool equal(const ValueNumber& a, const ValueNumber& b) noexcept;

}  // namespace tarn
