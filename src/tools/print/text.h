// text.h - text of foreign origin made fit for a terminal or for JSON.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

namespace tarn::tools {

// True when the bytes are well-formed UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text) noexcept;

// The text with control characters, those that turn the direction of writing, and bytes that are
// not UTF-8 written as \n, \t or \x1b: names
// and messages come from other programs, and must not steer the reader's terminal.
std::string printable(std::string_view text);

// How many columns it takes on a terminal: code points, for want of a table of wide ones.
std::size_t columns(std::string_view text) noexcept;

// On several lines, two spaces a level, for a command's one result. Never throws: bytes that are
// not UTF-8 become U+FFFD.
std::string json_text(const nlohmann::ordered_json& value);
// On one line, for a stream of objects.
std::string json_line(const nlohmann::ordered_json& value);

}  // namespace tarn::tools
