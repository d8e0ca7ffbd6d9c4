// number_text.h - numbers as text and text as numbers, whatever the locale.
#pragma once

#include <string>
#include <string_view>

namespace OC {
namespace detail {

// The fewest digits that give the same number again: "0.1", "10000000000000000", "1e+300", "-0",
// "inf", "nan". With `as_real`, ".0" behind whole numbers.
std::string text_of(double number, bool as_real);
std::string text_of(float number, bool as_real);

// The number that the text begins with; 0 when it begins with none.
double real_in(std::string_view text);

}  // namespace detail
}  // namespace OC
