// canvas.h - a small picture: coloured rectangles, short labels, and a PNG file in the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spectrometer {

struct Color {
  std::uint8_t red;
  std::uint8_t green;
  std::uint8_t blue;
};

class Canvas {
 public:
  static constexpr int kTextHeight = 14;

  Canvas(int width, int height, Color background);

  // What lies outside the picture is not drawn.
  void fill(int x, int y, int width, int height, Color color);
  // Digits, "kHzsdB", '.', '-' and blanks; other characters are left blank. `x`, `y` is the upper
  // left corner.
  void text(int x, int y, std::string_view text, Color color);
  static int text_width(std::string_view text);

  // Throws std::runtime_error when the file cannot be written.
  void write_png(const std::string& path) const;

 private:
  int width_;
  int height_;
  std::vector<Color> pixels_;  // row by row, from the top
};

}  // namespace spectrometer
