// tagged.h - tables, arrays and tags that stand for something else: making it of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tarn/value.h"

namespace tarn::borders {

// Puts what `table` stands for ({"$bytes": "..."}) into `place`, which is no part of it. False when
// it has not the form that its first key promises.
bool put_tagged(ValueRef place, const ValueView& table);

// "float64", "complex_float32": the element types of arrays, as text.
std::string name_of(ElementType type);
std::optional<ElementType> element_type_named(std::string_view name) noexcept;

// CBOR's typed arrays (RFC 8746): an array of `bytes` by tag 64 to 87. False when there is no such
// array, or its bytes are not a whole number of elements.
bool put_typed_array(ValueRef place, std::uint64_t tag, std::span<const std::byte> bytes);
// The tag for an array of this type in little-endian bytes, or nothing.
std::optional<std::uint8_t> tag_of_array(ElementType type) noexcept;
// CBOR's tag 40: a list of the extents and of the elements, an array or a list. Puts the array in
// its place. False when it is not of this form.
bool put_shaped(ValueRef place);

// A list of numbers as an array, when it is one; leaves everything else.
void put_number_array(ValueRef list);

}  // namespace tarn::borders
