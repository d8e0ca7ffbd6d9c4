// spectrogram.h - a picture of sound: time to the right, frequency upwards, level as colour.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace spectrometer {

class Canvas;

// Collects spectra in bounded memory: when the picture is full, neighbouring columns are merged and
// each stands for twice the time.
class Spectrogram {
 public:
  // The next spectrum, of `length_ns` of sound: levels evenly spaced from 0 Hz to below `top_hz`.
  void add(std::span<const float> levels_db, double top_hz, std::int64_t length_ns);

  // Throws std::runtime_error when there is nothing to draw or the file cannot be written.
  void write_png(const std::string& path) const;

 private:
  using Column = std::vector<float>;  // levels in dB, from 0 Hz upwards

  std::size_t column_at(std::int64_t time_ns) const;
  void merge_columns();
  void widen_to(double top_hz);
  float brightest_level() const;
  void draw_plot(Canvas& canvas, int column_width, float top_db) const;
  void draw_axes(Canvas& canvas, int width) const;

  std::vector<Column> columns_;
  std::int64_t column_ns_ = 0;  // the time that one column stands for
  std::int64_t end_ns_ = 0;     // of the sound so far
  double top_hz_ = 0;           // of the rows
};

}  // namespace spectrometer
