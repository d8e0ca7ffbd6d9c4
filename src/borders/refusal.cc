#include "borders/refusal.h"

#include <string_view>

namespace tarn::borders {
namespace {

// So much of what the parser says, which quotes what it has read.
constexpr std::size_t kMostOfMessage = 300;

// The beginning and the end of a long text, in whole characters.
std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  const auto is_inside = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  std::size_t front = most / 2;
  std::size_t back = text.size() - most / 2;
  while (front > 0 && is_inside(front)) --front;
  while (back < text.size() && is_inside(back)) ++back;
  return text.substr(0, front) + " ... " + text.substr(back);
}

std::string_view title_of(Format format) noexcept {
  return format == Format::json ? "JSON" : format == Format::cbor ? "CBOR" : "MessagePack";
}

}  // namespace

void refuse(const ItemPlace& where, Error::Code code, const std::string& problem,
            const std::string& cure) {
  throw Error(code, "read " + std::string(title_of(where.format)),
              "item " + std::to_string(where.number) + ", which begins at byte " +
                  std::to_string(where.begin) + ": " + problem,
              cure.empty() ? "mend what wrote it" : cure);
}

void refuse_too_large(const ItemPlace& where) {
  refuse(where, Error::too_large, "it is larger than one item may be",
         "make several items of it, or raise the domain's memory limit");
}

void refuse_parsing(const ItemPlace& where, const std::string& message, const std::string& token,
                    bool is_overflow) {
  // "[json.exception.parse_error.101] parse error at line 1, column 5: ..."
  const auto end = message.find("] ");
  const bool has_name = message.starts_with('[') && end != std::string::npos;
  const std::string text = shortened(has_name ? message.substr(end + 2) : message, kMostOfMessage);
  if (!is_overflow) refuse(where, Error::corrupt, text);
  refuse(where, Error::out_of_range, text,
         is_integer_text(token)
             ? "write an integer of so many digits as {\"$integer\": \"0x...\"}"
             : "a floating-point number is at most 1.8e308: write a smaller one, or a text");
}

bool is_integer_text(std::string_view text) noexcept {
  return !text.empty() && text.find_first_not_of("-0123456789") == std::string_view::npos;
}

}  // namespace tarn::borders
