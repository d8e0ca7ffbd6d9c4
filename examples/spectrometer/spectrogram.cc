#include "spectrogram.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <stdexcept>

#include "canvas.h"

namespace spectrometer {
namespace {

constexpr std::size_t kRows = 512;
constexpr std::size_t kColumns = 1380;  // with its margins, the picture is below 1600 pixels wide
constexpr float kNothing = -120;        // decibels
constexpr float kRangeDb = 90;          // from black to the brightest colour

constexpr int kLeft = 84;  // margins around the plot
constexpr int kRight = 134;
constexpr int kTop = 24;
constexpr int kBottom = 44;
constexpr int kRowHeight = 1;
constexpr int kHeight = kRowHeight * static_cast<int>(kRows);
constexpr int kScaleGap = 24;
constexpr int kScaleWidth = 20;
constexpr int kTick = 6;
constexpr int kNarrowest = 1200;  // short recordings get columns of several pixels

constexpr Color kBackground{250, 250, 250};
constexpr Color kInk{40, 40, 48};

// Points of a dark-to-bright scale whose lightness rises evenly, so that it also works in grey.
constexpr Color kScale[] = {{0, 0, 4},      {22, 11, 57},   {66, 10, 104},  {106, 23, 110},
                            {147, 38, 103}, {188, 55, 84},  {221, 81, 58},  {243, 120, 25},
                            {252, 165, 10}, {246, 215, 70}, {252, 255, 164}};

// 0 is the darkest colour, 1 the brightest.
Color color_of(float brightness) {
  const float place = std::clamp(brightness, 0.0F, 1.0F) * (std::size(kScale) - 1);
  const std::size_t below = std::min(static_cast<std::size_t>(place), std::size(kScale) - 2);
  const float part = place - static_cast<float>(below);
  const auto mix = [part](std::uint8_t from, std::uint8_t to) {
    return static_cast<std::uint8_t>(
        std::lround((1 - part) * static_cast<float>(from) + part * static_cast<float>(to)));
  };
  const Color from = kScale[below];
  const Color to = kScale[below + 1];
  return {mix(from.red, to.red), mix(from.green, to.green), mix(from.blue, to.blue)};
}

// Multiples of 1, 2 or 5 times a power of ten, from `low` to `high`, about `count` of them at most.
std::vector<double> ticks(double low, double high, int count) {
  const double least = (high - low) / count;
  double step = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {2.0, 2.5, 2.0}) {
    if (step < least) step *= factor;
  }
  std::vector<double> values;
  const double slack = step / 1000;  // for what rounding takes away from the last one
  for (double i = std::ceil((low - slack) / step); i * step <= high + slack; ++i) {
    values.push_back(i * step + 0.0);  // never the zero that prints as -0
  }
  return values;
}

std::string label(double value, const char* unit) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g%s%s", value, *unit == '\0' ? "" : " ", unit);
  return text;
}

// Where `value` is on an axis of `length` pixels from 0 to `top`.
int pixels(double value, double top, int length) {
  return static_cast<int>(std::lround(value / top * length));
}

void take_louder(std::vector<float>& levels, const std::vector<float>& others) {
  std::ranges::transform(levels, others, levels.begin(),
                         [](float level, float other) { return std::max(level, other); });
}

// Levels that reach up to `from_hz`, as rows that reach up to `to_hz`.
std::vector<float> fitted(std::span<const float> levels, double from_hz, double to_hz) {
  std::vector<float> rows(kRows, kNothing);
  const double step = to_hz / from_hz * static_cast<double>(levels.size()) / kRows;
  for (std::size_t row = 0; row < kRows; ++row) {
    const auto begin = static_cast<std::size_t>(static_cast<double>(row) * step);
    const auto end = static_cast<std::size_t>(static_cast<double>(row + 1) * step);
    // At least one level for each row, and none from above the end.
    for (std::size_t i = begin; i < std::min(std::max(end, begin + 1), levels.size()); ++i) {
      rows[row] = std::max(rows[row], levels[i]);
    }
  }
  return rows;
}

void draw_scale(Canvas& canvas, int left, float top_db) {
  for (int i = 0; i < kHeight; ++i) {
    const Color color = color_of(static_cast<float>(i) / (kHeight - 1));
    canvas.fill(left, kTop + kHeight - 1 - i, kScaleWidth, 1, color);
  }
  const std::vector<double> values = ticks(top_db - kRangeDb, top_db, 12);
  for (const double db : values) {
    const int y = kTop + pixels(top_db - db, kRangeDb, kHeight);
    canvas.fill(left + kScaleWidth, y, kTick, 2, kInk);
    canvas.text(left + kScaleWidth + 2 * kTick, y - Canvas::kTextHeight / 2,
                label(db, db == values.back() ? "dB" : ""), kInk);
  }
}

}  // namespace

void Spectrogram::add(std::span<const float> levels_db, double top_hz, std::int64_t length_ns) {
  if (column_ns_ == 0) column_ns_ = length_ns;
  if (top_hz > top_hz_) widen_to(top_hz);
  if (column_at(end_ns_) >= kColumns) merge_columns();

  const std::size_t begin = column_at(end_ns_);
  end_ns_ += length_ns;
  // A spectrum shorter than a column shares it; a longer one is drawn over several.
  const std::size_t end = std::min(std::max(begin + 1, column_at(end_ns_)), kColumns);
  if (end > columns_.size()) columns_.resize(end, Column(kRows, kNothing));
  const Column column = fitted(levels_db, top_hz, top_hz_);
  for (std::size_t i = begin; i < end; ++i) take_louder(columns_[i], column);
}

std::size_t Spectrogram::column_at(std::int64_t time_ns) const {
  return static_cast<std::size_t>(time_ns / column_ns_);
}

void Spectrogram::merge_columns() {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i % 2 == 0) {
      columns_[i / 2] = columns_[i];
    } else {
      take_louder(columns_[i / 2], columns_[i]);
    }
  }
  columns_.resize((columns_.size() + 1) / 2);
  column_ns_ *= 2;
}

// A recording with a higher sample rate makes room for its frequencies.
void Spectrogram::widen_to(double top_hz) {
  for (Column& column : columns_) column = fitted(column, top_hz_, top_hz);
  top_hz_ = top_hz;
}

void Spectrogram::write_png(const std::string& path) const {
  if (columns_.empty()) throw std::runtime_error("draw '" + path + "': there was no sound");
  const float top_db = brightest_level();
  const int count = static_cast<int>(columns_.size());
  const int column_width = std::max(1, kNarrowest / count);
  const int width = count * column_width;
  Canvas canvas(kLeft + width + kRight, kTop + kHeight + kBottom, kBackground);
  draw_plot(canvas, column_width, top_db);
  draw_axes(canvas, width);
  draw_scale(canvas, kLeft + width + kScaleGap, top_db);
  canvas.write_png(path);
}

// All but a thousandth of the levels stay below it: a single click does not darken all the rest.
float Spectrogram::brightest_level() const {
  std::vector<float> levels;
  levels.reserve(columns_.size() * kRows);
  for (const Column& column : columns_) levels.insert(levels.end(), column.begin(), column.end());
  const auto place = levels.end() - static_cast<std::ptrdiff_t>(1 + levels.size() / 1000);
  std::ranges::nth_element(levels, place);
  return 10 * std::ceil(*place / 10);
}

void Spectrogram::draw_plot(Canvas& canvas, int column_width, float top_db) const {
  int x = kLeft;
  for (const Column& column : columns_) {
    int y = kTop + kHeight;
    for (const float level_db : column) {
      const Color color = color_of(1 + (level_db - top_db) / kRangeDb);
      canvas.fill(x, y -= kRowHeight, column_width, kRowHeight, color);
    }
    x += column_width;
  }
}

void Spectrogram::draw_axes(Canvas& canvas, int width) const {
  const double top_khz = top_hz_ / 1000;
  for (const double khz : ticks(0, top_khz, 8)) {
    const int y = kTop + kHeight - pixels(khz, top_khz, kHeight);
    canvas.fill(kLeft - kTick, y, kTick, 2, kInk);
    const std::string text = label(khz, khz == 0 ? "kHz" : "");
    canvas.text(kLeft - 2 * kTick - Canvas::text_width(text), y - Canvas::kTextHeight / 2, text,
                kInk);
  }
  const double seconds =
      static_cast<double>(columns_.size()) * static_cast<double>(column_ns_) / 1e9;
  for (const double second : ticks(0, seconds, 14)) {
    const int x = kLeft + pixels(second, seconds, width);
    canvas.fill(x, kTop + kHeight, 2, kTick, kInk);
    const std::string text = label(second, second == 0 ? "s" : "");
    canvas.text(x - Canvas::text_width(text) / 2, kTop + kHeight + 2 * kTick, text, kInk);
  }
}

}  // namespace spectrometer
