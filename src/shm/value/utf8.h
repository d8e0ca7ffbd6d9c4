// utf8.h - whether bytes are well-formed UTF-8, as the Unicode Standard's table 3-7 says.
#pragma once

#include <cstddef>
#include <span>

namespace tarn {

// False for overlong forms, surrogates, numbers above U+10FFFF and cut-off sequences.
bool is_utf8(std::span<const std::byte> bytes) noexcept;

}  // namespace tarn
