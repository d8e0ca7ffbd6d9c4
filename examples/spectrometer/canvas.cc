#include "canvas.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace spectrometer {
namespace {

constexpr int kGlyphColumns = 5;
constexpr int kGlyphRows = 7;
constexpr int kDot = 2;  // pixels per dot of a glyph
constexpr int kAdvance = (kGlyphColumns + 1) * kDot;
static_assert(kGlyphRows * kDot == Canvas::kTextHeight);

struct Glyph {
  char character;
  std::array<std::uint8_t, kGlyphRows> rows;  // from the top; the leftmost dot is the highest bit
};

constexpr Glyph kGlyphs[] = {
    {'0', {0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110}},
    {'1', {0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110}},
    {'2', {0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111}},
    {'3', {0b11111, 0b00010, 0b00100, 0b00010, 0b00001, 0b10001, 0b01110}},
    {'4', {0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010}},
    {'5', {0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110}},
    {'6', {0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110}},
    {'7', {0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000}},
    {'8', {0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110}},
    {'9', {0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100}},
    {'.', {0b00000, 0b00000, 0b00000, 0b00000, 0b00000, 0b01100, 0b01100}},
    {'-', {0b00000, 0b00000, 0b00000, 0b01110, 0b00000, 0b00000, 0b00000}},
    {'k', {0b10000, 0b10000, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010}},
    {'H', {0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001}},
    {'z', {0b00000, 0b00000, 0b11111, 0b00010, 0b00100, 0b01000, 0b11111}},
    {'s', {0b00000, 0b00000, 0b01111, 0b10000, 0b01110, 0b00001, 0b11110}},
    {'d', {0b00001, 0b00001, 0b01101, 0b10011, 0b10001, 0b10001, 0b01111}},
    {'B', {0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110}},
};

}  // namespace

Canvas::Canvas(int width, int height, Color background)
    : width_(width),
      height_(height),
      pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), background) {}

void Canvas::fill(int x, int y, int width, int height, Color color) {
  const int left = std::clamp(x, 0, width_);
  const int right = std::clamp(x + width, left, width_);
  for (int row = std::max(y, 0); row < std::min(y + height, height_); ++row) {
    const auto begin = pixels_.begin() + std::ptrdiff_t{row} * width_;
    std::fill(begin + left, begin + right, color);
  }
}

void Canvas::text(int x, int y, std::string_view text, Color color) {
  for (const char character : text) {
    const auto* glyph = std::ranges::find(kGlyphs, character, &Glyph::character);
    for (int row = 0; glyph != std::end(kGlyphs) && row < kGlyphRows; ++row) {
      for (int column = 0; column < kGlyphColumns; ++column) {
        const unsigned bits = glyph->rows[static_cast<std::size_t>(row)];
        const bool is_set = (bits >> (kGlyphColumns - 1 - column) & 1U) != 0;
        if (is_set) fill(x + column * kDot, y + row * kDot, kDot, kDot, color);
      }
    }
    x += kAdvance;
  }
}

int Canvas::text_width(std::string_view text) {
  return text.empty() ? 0 : static_cast<int>(text.size()) * kAdvance - kDot;
}

void Canvas::write_png(const std::string& path) const {
  static_assert(sizeof(Color) == 3, "pixels_ is what PNG_FORMAT_RGB describes");
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width_);
  image.height = static_cast<png_uint_32>(height_);
  image.format = PNG_FORMAT_RGB;
  if (png_image_write_to_file(&image, path.c_str(), 0, pixels_.data(), 0, nullptr) == 0) {
    throw std::runtime_error("write the picture '" + path + "': " + image.message);
  }
}

}  // namespace spectrometer
