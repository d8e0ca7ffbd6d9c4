#include "shm/value/value_number.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace tarn {

using layout::Cell;
using layout::CellType;

namespace {

constexpr std::uint64_t kExactInDouble = std::uint64_t{1} << 53;
constexpr double kTwoTo64 = 18446744073709551616.0;

ValueNumber integer(std::int64_t number) noexcept {
  const auto bits = static_cast<std::uint64_t>(number);
  return {false, number < 0, number < 0 ? 0 - bits : bits, 0};
}

ValueNumber whole(std::uint64_t number) noexcept { return {false, false, number, 0}; }
ValueNumber real(double number) noexcept { return {true, number < 0, 0, number}; }

// The same number as sign and magnitude.
Result<ValueNumber> to_integer(const ValueNumber& number) noexcept {
  if (!number.is_float) return number;
  const double size = std::fabs(number.real);
  if (!(size < kTwoTo64) || std::trunc(size) != size) return Error::out_of_range;
  return ValueNumber{false, number.real < 0, static_cast<std::uint64_t>(size), 0};
}

double nearest(const ValueNumber& number) noexcept {
  if (number.is_float) return number.real;
  const auto size = static_cast<double>(number.magnitude);
  return number.negative ? -size : size;
}

}  // namespace

Result<ValueNumber> number_of(const ValueReader& reader, const Cell& cell) noexcept {
  switch (static_cast<CellType>(cell.type)) {
    case CellType::int8:
      return integer(static_cast<std::int8_t>(cell.payload));
    case CellType::int16:
      return integer(static_cast<std::int16_t>(cell.payload));
    case CellType::int32:
      return integer(static_cast<std::int32_t>(cell.payload));
    case CellType::int64:
      return integer(static_cast<std::int64_t>(cell.payload));
    case CellType::uint8:
      return whole(static_cast<std::uint8_t>(cell.payload));
    case CellType::uint16:
      return whole(static_cast<std::uint16_t>(cell.payload));
    case CellType::uint32:
      return whole(static_cast<std::uint32_t>(cell.payload));
    case CellType::uint64:
      return whole(cell.payload);
    case CellType::float32:
      return real(std::bit_cast<float>(static_cast<std::uint32_t>(cell.payload)));
    case CellType::float64:
      return real(std::bit_cast<double>(cell.payload));
    case CellType::big_integer: {
      // Its last byte is not zero, so that its size tells.
      const auto magnitude = reader.magnitude(cell);
      if (!magnitude) return magnitude.error();
      std::uint64_t low = 0;
      if (magnitude->size() > sizeof low) return Error::out_of_range;
      for (std::size_t i = 0; i < magnitude->size(); ++i) {
        low |= std::to_integer<std::uint64_t>((*magnitude)[i]) << (8 * i);
      }
      return ValueNumber{false, cell.detail != 0 && low != 0, low, 0};
    }
    default:
      return Error::wrong_type;
  }
}

Result<std::int64_t> to_signed(const ValueNumber& number, std::int64_t least,
                               std::int64_t most) noexcept {
  const auto exact = to_integer(number);
  if (!exact) return exact.error();
  // The magnitude of the least number is one more than that of the greatest.
  const std::uint64_t bound =
      exact->negative ? 0 - static_cast<std::uint64_t>(least) : static_cast<std::uint64_t>(most);
  if (exact->magnitude > bound) return Error::out_of_range;
  return static_cast<std::int64_t>(exact->negative ? 0 - exact->magnitude : exact->magnitude);
}

Result<std::uint64_t> to_unsigned(const ValueNumber& number, std::uint64_t most) noexcept {
  const auto exact = to_integer(number);
  if (!exact) return exact.error();
  if (exact->magnitude > most || (exact->negative && exact->magnitude != 0)) {
    return Error::out_of_range;
  }
  return exact->magnitude;
}

Result<double> to_double(const ValueNumber& number) noexcept {
  const double rounded = nearest(number);
  if (number.is_float || number.magnitude <= kExactInDouble) return rounded;
  if (!equal(number, real(rounded))) return Error::out_of_range;
  return rounded;
}

Result<float> to_float(const ValueNumber& number) noexcept {
  const auto wide = to_double(number);
  if (!wide) return wide.error();
  if (std::isnan(*wide)) return std::numeric_limits<float>::quiet_NaN();
  const auto narrow = round_to_float(number);
  if (!narrow) return narrow;
  if (static_cast<double>(*narrow) != *wide) return Error::out_of_range;
  return narrow;
}

double round_to_double(const ValueNumber& number) noexcept { return nearest(number); }

Result<float> round_to_float(const ValueNumber& number) noexcept {
  if (!number.is_float) {
    // Not by way of double, which would round twice.
    const auto size = static_cast<float>(number.magnitude);
    return number.negative ? -size : size;
  }
  if (std::isfinite(number.real) && std::fabs(number.real) > std::numeric_limits<float>::max()) {
    return Error::out_of_range;
  }
  return static_cast<float>(number.real);
}

bool equal(const ValueNumber& a, const ValueNumber& b) noexcept {
  if (a.is_float && b.is_float) return a.real == b.real;
  const auto left = to_integer(a);
  const auto right = to_integer(b);
  if (!left || !right) return false;
  return left->magnitude == right->magnitude &&
         (left->negative == right->negative || left->magnitude == 0);
}

}  // namespace tarn
