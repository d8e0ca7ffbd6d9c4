#include "borders/emit/json_text.h"

#include <nlohmann/json.hpp>

namespace tarn::borders {
namespace {

// The first bytes of those that json_quoted() escapes and JSON does not want escaped.
constexpr std::string_view kSuspects = "\x7f\xc2\xd8\xe2";

void append_escaped(std::string& out, unsigned point) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(point >> shift) & 0xF];
}

}  // namespace

unsigned steering_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t index) {
    return index < text.size() ? static_cast<unsigned char>(text[index]) : 0u;
  };
  if (byte(0) == 0x7F) return 0x7F;
  if (byte(0) == 0xC2) return byte(1) < 0xA0 ? byte(1) : 0;
  if (byte(0) == 0xD8) return byte(1) == 0x9C ? 0x61C : 0;
  const unsigned point = (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  const bool is_mark = point == 0x200E || point == 0x200F;
  const bool is_embedding = point >= 0x202A && point <= 0x202E;
  const bool is_isolate = point >= 0x2066 && point <= 0x2069;
  return is_mark || is_embedding || is_isolate ? point : 0;
}

std::string without_steering(std::string json) {
  std::size_t at = json.find_first_of(kSuspects);
  if (at == std::string::npos) return json;
  std::string out;
  std::size_t done = 0;
  while (at != std::string::npos) {
    const std::string_view rest = std::string_view(json).substr(at);
    const unsigned point = steering_character(rest);
    if (point != 0) {
      out.append(json, done, at - done);
      append_escaped(out, point);
      done = at + (point == 0x7F ? 1 : point < 0x800 ? 2 : 3);
    }
    at = json.find_first_of(kSuspects, at + 1);
  }
  return out.append(json, done);
}

std::string json_quoted(std::string_view text) {
  using Json = nlohmann::json;
  // A copy, so that what is written is what was looked at.
  return without_steering(
      Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace tarn::borders
