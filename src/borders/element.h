// element.h - the numbers that arrays consist of, and their names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tarn/value_type.h"

namespace tarn::borders {

// Bytes of one element; 0 for what is none.
constexpr std::size_t element_bytes(ElementType type) noexcept {
  constexpr std::size_t kBytes[] = {0, 1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8};
  const auto number = static_cast<std::size_t>(type.number);
  if (number >= sizeof(kBytes) / sizeof(kBytes[0])) return 0;
  return kBytes[number] * (type.is_complex ? 2 : 1);
}

// visit(T) of the number at `at`, which need not be aligned: bool, or the integer or floating-point
// type that `type` says.
template <class Visit>
void visit_number(ValueType type, const std::byte* at, Visit&& visit) {
  const auto load = [&]<class T>(T) {
    T number{};
    std::memcpy(&number, at, sizeof(T));
    visit(number);
  };
  switch (type) {
    case ValueType::boolean:
      return visit(*at != std::byte{0});
    case ValueType::int8:
      return load(std::int8_t{});
    case ValueType::int16:
      return load(std::int16_t{});
    case ValueType::int32:
      return load(std::int32_t{});
    case ValueType::int64:
      return load(std::int64_t{});
    case ValueType::uint8:
      return load(std::uint8_t{});
    case ValueType::uint16:
      return load(std::uint16_t{});
    case ValueType::uint32:
      return load(std::uint32_t{});
    case ValueType::uint64:
      return load(std::uint64_t{});
    case ValueType::float32:
      return load(float{});
    case ValueType::float64:
      return load(double{});
    default:
      return;
  }
}

}  // namespace tarn::borders
