// style.h - colour on a terminal, nothing elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::tools {

enum class Paint : std::uint8_t { none, bold, dim, red, green, yellow };

class Style {
 public:
  explicit Style(bool color) noexcept : color_(color) {}
  std::string paint(Paint paint, std::string_view text) const;

 private:
  bool color_;
};

enum class ColorChoice : std::uint8_t { automatic, always, never };

// Colour for what goes to this descriptor? `automatic` asks for a terminal that is not dumb, and
// for NO_COLOR to be unset or empty.
bool use_color(ColorChoice choice, int descriptor);

}  // namespace tarn::tools
