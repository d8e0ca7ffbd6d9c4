// json_text.h - text as JSON has it.
#pragma once

#include <string>
#include <string_view>

namespace tarn::borders {

// The character at the beginning of this UTF-8, when it steers a terminal without being an ASCII
// control: DEL, C1, or one that turns the direction of writing. 0 for all others.
unsigned steering_character(std::string_view text) noexcept;

// JSON whose strings have none of these: DEL, the C1 controls and those that turn the direction of
// writing are \u and four digits, for text of foreign origin may end up on a terminal.
std::string without_steering(std::string json);

// In quotes, without steering characters. Bytes that are not UTF-8, which only who writes on
// meanwhile can put there, become U+FFFD.
std::string json_quoted(std::string_view text);

}  // namespace tarn::borders
