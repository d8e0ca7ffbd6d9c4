#include "tools/value/array_summary.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <span>

#include "borders/element.h"
#include "borders/tagged.h"
#include "tools/print/format.h"

namespace tarn::tools {
namespace {

using borders::element_bytes;
using borders::visit_number;

std::string text_of(bool value) { return value ? "true" : "false"; }
template <class T>
std::string text_of(T value) {
  std::array<char, 64> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string text_of_element(ElementType type, const std::byte* at) {
  std::string text;
  visit_number(type.number, at, [&](auto number) { text = text_of(number); });
  if (!type.is_complex) return text;
  visit_number(type.number, at + element_bytes(type) / 2,
               [&](auto number) { text = '(' + text + ", " + text_of(number) + ')'; });
  return text;
}

// Smallest and largest of what is a number.
template <class T>
struct Range {
  void add(T value) {
    if constexpr (std::floating_point<T>) {
      if (std::isnan(value)) {
        ++not_numbers;
        return;
      }
    }
    least = count == 0 ? value : std::min(least, value);
    most = count == 0 ? value : std::max(most, value);
    ++count;
  }
  std::string text() const {
    std::string all;
    if (count > 0) all += ", " + text_of(least) + " to " + text_of(most);
    if (not_numbers > 0) all += ", " + format_count(not_numbers) + " nan";
    return all;
  }

  T least{};
  T most{};
  std::uint64_t count = 0;
  std::uint64_t not_numbers = 0;
};

// The array's own types only: T is known once, not for each element.
template <class T>
std::string range_of(std::span<const std::byte> bytes) {
  const std::span elements(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T));
  if constexpr (std::same_as<T, bool>) {
    const auto is_true = [](std::byte each) { return each != std::byte{0}; };
    const auto count = std::count_if(bytes.begin(), bytes.end(), is_true);
    return ", " + format_count(static_cast<std::uint64_t>(count)) + " true";
  } else {
    Range<T> range;
    for (const T each : elements) range.add(each);
    return range.text();
  }
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text;
  for (const std::size_t extent : shape) {
    text += (text.empty() ? "" : ", ") + std::to_string(extent);
  }
  return '[' + text + ']';
}

}  // namespace

std::string array_summary(const ValueView& array, std::size_t most) {
  const auto [type, shape, bytes] = array.any_array();
  std::string text = borders::name_of(type) + shape_text(shape);
  if (bytes.empty()) return text;
  if (!type.is_complex) {
    visit_number(type.number, bytes.data(),
                 [&, all = bytes](auto first) { text += range_of<decltype(first)>(all); });
  }
  const std::size_t step = element_bytes(type);
  const std::size_t count = bytes.size() / step;
  for (std::size_t i = 0; i < std::min(count, most); ++i) {
    text += (i == 0 ? ": " : ", ") + text_of_element(type, bytes.data() + i * step);
  }
  return count > most ? text + ", ..." : text;
}

}  // namespace tarn::tools
