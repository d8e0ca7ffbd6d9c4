// value_scalars.cc - a value as a C++ number, exactly or rounded.

#include <bit>
#include <limits>

#include "client/value/value_access.h"
#include "shm/value/value_number.h"

namespace tarn {

using layout::Cell;
using layout::CellType;

namespace {

// The number of a cell of exactly that type.
template <ValueNumeric T>
T from_bits(std::uint64_t payload) noexcept {
  if constexpr (std::same_as<T, float>) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(payload));
  } else if constexpr (std::same_as<T, double>) {
    return std::bit_cast<double>(payload);
  } else {
    return static_cast<T>(payload);
  }
}

template <ValueNumeric T>
Result<T> exactly(const ValueReader& reader, const Cell& cell) noexcept {
  if constexpr (std::same_as<T, bool>) {
    if (static_cast<CellType>(cell.type) != CellType::boolean) return Error::wrong_type;
    return cell.payload != 0;
  } else {
    if (cell.type == static_cast<std::uint8_t>(detail::number_type<T>())) [[likely]]
      return from_bits<T>(cell.payload);
    const auto number = number_of(reader, cell);
    if (!number) return number.error();
    if constexpr (std::same_as<T, double>) {
      return to_double(*number);
    } else if constexpr (std::same_as<T, float>) {
      return to_float(*number);
    } else if constexpr (std::is_signed_v<T>) {
      const auto whole =
          to_signed(*number, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
      if (!whole) return whole.error();
      return static_cast<T>(*whole);
    } else {
      const auto whole = to_unsigned(*number, std::numeric_limits<T>::max());
      if (!whole) return whole.error();
      return static_cast<T>(*whole);
    }
  }
}

// A real number is a complex one too.
template <class T>
Result<std::complex<T>> exactly_complex(const ValueReader& reader, const Cell& cell) noexcept {
  if (static_cast<CellType>(cell.type) != CellType::complex) {
    const auto real = exactly<T>(reader, cell);
    if (!real) return real.error();
    return std::complex<T>(*real, 0);
  }
  const auto parts = reader.complex(cell);
  if (!parts) return parts.error();
  const auto real = exactly<T>({}, Cell{cell.detail, 0, 0, 0, parts->real});
  const auto imaginary = exactly<T>({}, Cell{cell.detail, 0, 0, 0, parts->imaginary});
  if (!real) return real.error();
  if (!imaginary) return imaginary.error();
  return std::complex<T>(*real, *imaginary);
}

template <ValueElement T>
Result<T> convert(const ValueReader& reader, const Cell& cell) noexcept {
  if constexpr (detail::kIsComplex<T>) {
    return exactly_complex<typename T::value_type>(reader, cell);
  } else {
    return exactly<T>(reader, cell);
  }
}

}  // namespace

template <ValueElement T>
T ValueView::as() const {
  const auto converted = convert<T>(Access::reader(*this), Access::cell(*this));
  if (!converted) Access::fail(converted.error(), "convert the number of", *this);
  return *converted;
}

template <ValueElement T>
std::optional<T> ValueView::try_as() const noexcept {
  const auto converted = convert<T>(Access::reader(*this), Access::cell(*this));
  if (!converted) return std::nullopt;
  return *converted;
}

template <class T>
requires std::same_as<T, float> || std::same_as<T, double> T ValueView::rounded()
const {
  const auto number = number_of(Access::reader(*this), Access::cell(*this));
  if (!number) Access::fail(number.error(), "round the number of", *this);
  if constexpr (std::same_as<T, double>) {
    return round_to_double(*number);
  } else {
    const auto nearest = round_to_float(*number);
    if (!nearest) Access::fail(nearest.error(), "round the number of", *this);
    return *nearest;
  }
}

#define TARN_VALUE_TYPE(T)             \
  template T ValueView::as<T>() const; \
  template std::optional<T> ValueView::try_as<T>() const noexcept;

TARN_VALUE_TYPE(bool)
TARN_VALUE_TYPE(char)
TARN_VALUE_TYPE(signed char)
TARN_VALUE_TYPE(unsigned char)
TARN_VALUE_TYPE(short)
TARN_VALUE_TYPE(unsigned short)
TARN_VALUE_TYPE(int)
TARN_VALUE_TYPE(unsigned int)
TARN_VALUE_TYPE(long)
TARN_VALUE_TYPE(unsigned long)
TARN_VALUE_TYPE(long long)
TARN_VALUE_TYPE(unsigned long long)
TARN_VALUE_TYPE(float)
TARN_VALUE_TYPE(double)
TARN_VALUE_TYPE(std::complex<float>)
TARN_VALUE_TYPE(std::complex<double>)
#undef TARN_VALUE_TYPE

template float ValueView::rounded<float>() const;
template double ValueView::rounded<double>() const;

}  // namespace tarn
