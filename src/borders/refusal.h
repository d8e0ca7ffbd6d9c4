// refusal.h - what is said of input that is refused.
#pragma once

#include <cstdint>
#include <string>

#include "borders/format.h"
#include "tarn/error.h"

namespace tarn::borders {

// Where an item stands in the input, for the errors.
struct ItemPlace {
  Format format;
  std::uint64_t number;  // from 1
  std::uint64_t begin;   // in bytes from the beginning of the input
};

// All three throw Error. Without a cure it is to mend what wrote the input.
[[noreturn]] void refuse(const ItemPlace& where, Error::Code code, const std::string& problem,
                         const std::string& cure = {});
// What a tap that is_too_large() means.
[[noreturn]] void refuse_too_large(const ItemPlace& where);
// What the library's parser has to say: `message` as it puts it, which may quote all that it has
// read, and `token`, which it read last. `is_overflow`: a number that fits nowhere.
[[noreturn]] void refuse_parsing(const ItemPlace& where, const std::string& message,
                                 const std::string& token, bool is_overflow);

// Digits, and perhaps a minus.
bool is_integer_text(std::string_view text) noexcept;

}  // namespace tarn::borders
