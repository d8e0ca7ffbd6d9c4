#include "tools/print/format.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace tarn::tools {
namespace {

// One decimal below 100, none above.
std::string digits(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), value < 99.95 ? "%.1f" : "%.0f", value);
  return text.data();
}

// The largest unit in which the rounded value is still at least one.
template <std::size_t N>
std::string scaled(double value, double step, const std::array<std::string_view, N>& units) {
  std::size_t unit = 0;
  while (unit + 1 < N && value >= step - 0.5) {
    value /= step;
    ++unit;
  }
  std::string text = digits(value);
  text += ' ';
  text += units[unit];
  return text;
}

std::string pair(std::uint64_t high, std::string_view high_unit, std::uint64_t low,
                 std::string_view low_unit) {
  std::string text = std::to_string(high) + ' ';
  text += high_unit;
  if (low == 0) return text;
  text += ' ' + std::to_string(low) + ' ';
  text += low_unit;
  return text;
}

constexpr std::uint64_t kSecond = 1'000'000'000;

}  // namespace

std::string format_size(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::array<std::string_view, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  return scaled(static_cast<double>(bytes) / 1024, 1024, kUnits);
}

std::string format_byte_rate(double bytes_per_second) {
  if (!(bytes_per_second > 0)) bytes_per_second = 0;
  if (bytes_per_second > 9e18) bytes_per_second = 9e18;
  return format_size(static_cast<std::uint64_t>(std::llround(bytes_per_second))) + "/s";
}

std::string format_duration(std::uint64_t duration_ns) {
  if (duration_ns < 1000) return std::to_string(duration_ns) + " ns";
  if (duration_ns < kSecond - 500'000) {
    constexpr std::array<std::string_view, 2> kUnits = {"us", "ms"};
    return scaled(static_cast<double>(duration_ns) / 1e3, 1000, kUnits);
  }
  if (duration_ns < 60 * kSecond - kSecond / 20) {
    return digits(static_cast<double>(duration_ns) / 1e9) + " s";
  }
  const std::uint64_t seconds = (duration_ns + kSecond / 2) / kSecond;
  if (seconds < 3600) return pair(seconds / 60, "m", seconds % 60, "s");
  if (seconds < 86400) return pair(seconds / 3600, "h", seconds / 60 % 60, "m");
  return pair(seconds / 86400, "d", seconds / 3600 % 24, "h");
}

std::string format_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string format_counted(std::uint64_t count, std::string_view what) {
  return format_count(count) + ' ' + std::string(what) + (count == 1 ? "" : "s");
}

std::string format_quantity(double quantity) {
  if (!(quantity > 0)) return "0";
  if (quantity < 999.5) {
    const std::string text = digits(quantity);
    return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
  }
  constexpr std::array<std::string_view, 4> kUnits = {"k", "M", "G", "T"};
  return scaled(quantity / 1000, 1000, kUnits);
}

std::string format_share(std::uint64_t part, std::uint64_t whole) {
  const double share =
      whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
  return digits(share) + " %";
}

}  // namespace tarn::tools
