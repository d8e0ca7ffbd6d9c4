#include "tools/print/text.h"

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "borders/emit/json_text.h"

namespace tarn::tools {
namespace {

std::uint32_t byte_at(std::string_view text, std::size_t index) noexcept {
  return static_cast<unsigned char>(text[index]);
}

// The length of the well-formed sequence at the front of a non-empty text; 0 when there is none.
std::size_t sequence_length(std::string_view text) noexcept {
  const std::uint32_t first = byte_at(text, 0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  std::uint32_t point = first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
    point = (point << 6) | (byte_at(text, i) & 0x3f);
  }
  constexpr std::array<std::uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  return point < kLeast[length] || point > 0x10ffff || surrogate ? 0 : length;
}

void append_escaped(std::string& out, std::uint32_t byte) {
  if (byte == '\n') {
    out += "\\n";
  } else if (byte == '\t') {
    out += "\\t";
  } else {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += "\\x";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xf];
  }
}

// C0 and C1 controls, DEL, and what turns the direction of writing.
bool is_control(std::string_view sequence) noexcept {
  return byte_at(sequence, 0) < 0x20 || borders::steering_character(sequence) != 0;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) {
      append_escaped(out, byte_at(text, 0));
      text.remove_prefix(1);
      continue;
    }
    const std::string_view sequence = text.substr(0, length);
    if (is_control(sequence)) {
      for (std::size_t i = 0; i < length; ++i) append_escaped(out, byte_at(sequence, i));
    } else {
      out += sequence;
    }
    text.remove_prefix(length);
  }
  return out;
}

std::size_t columns(std::string_view text) noexcept {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((byte_at(text, i) & 0xc0) != 0x80) ++count;
  }
  return count;
}

std::string json_text(const nlohmann::ordered_json& value) {
  return borders::without_steering(
      value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

std::string json_line(const nlohmann::ordered_json& value) {
  return borders::without_steering(
      value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace tarn::tools
