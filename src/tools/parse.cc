#include "tools/parse.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace tarn::tools {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kSizeUnits = {
    Unit{"", 1},       Unit{"B", 1},        Unit{"K", 0x1p10}, Unit{"KiB", 0x1p10},
    Unit{"M", 0x1p20}, Unit{"MiB", 0x1p20}, Unit{"G", 0x1p30}, Unit{"GiB", 0x1p30},
    Unit{"T", 0x1p40}, Unit{"TiB", 0x1p40}, Unit{"kB", 1e3},   Unit{"MB", 1e6},
    Unit{"GB", 1e9},   Unit{"TB", 1e12},
};

constexpr std::array kDurationUnits = {
    Unit{"", 1e9}, Unit{"s", 1e9},  Unit{"ms", 1e6},   Unit{"us", 1e3},
    Unit{"ns", 1}, Unit{"m", 6e10}, Unit{"min", 6e10}, Unit{"h", 3.6e12},
};

// A decimal number and a unit, as a whole number of the smallest unit below 2^63.
template <std::size_t N>
std::optional<std::int64_t> parse_measure(std::string_view text, const std::array<Unit, N>& units) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number) || std::signbit(number)) return std::nullopt;
  std::string_view name(rest, static_cast<std::size_t>(end - rest));
  while (name.starts_with(' ')) name.remove_prefix(1);
  const auto unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& each) { return each.name == name; });
  if (unit == units.end()) return std::nullopt;
  const double value = std::round(number * unit->factor);
  if (value >= 0x1p63) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto bytes = parse_measure(text, kSizeUnits);
  if (!bytes) return std::nullopt;
  return static_cast<std::uint64_t>(*bytes);
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const auto duration_ns = parse_measure(text, kDurationUnits);
  if (!duration_ns) return std::nullopt;
  return std::chrono::nanoseconds(*duration_ns);
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

std::optional<Delivery> parse_delivery(std::string_view text) {
  std::string word(text);
  std::replace(word.begin(), word.end(), '-', '_');
  if (word == "at_most_once") return Delivery::at_most_once;
  if (word == "at_least_once") return Delivery::at_least_once;
  return std::nullopt;
}

}  // namespace tarn::tools
