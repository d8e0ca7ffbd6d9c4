#include "wire/start_report.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace tarn::wire {
namespace {

constexpr std::string_view kErrorWord = "error";
constexpr std::size_t kFieldCount = 6;

// Tabs and line ends would end the field.
std::string one_field(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
  return text;
}

constexpr std::string_view without_end(std::string_view line) noexcept {
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  return line;
}

int number_in(std::string_view field) noexcept {
  int number = -1;
  std::from_chars(field.data(), field.data() + field.size(), number);
  return number;
}

}  // namespace

std::string encode_start_error(const Error& error) {
  return std::string(kErrorWord) + '\t' + std::to_string(error.code()) + '\t' +
         std::to_string(error.system_error()) + '\t' + one_field(error.attempted()) + '\t' +
         one_field(error.object()) + '\t' + one_field(error.cure()) + '\n';
}

Result<StartOutcome, Error> decode_start_report(std::string_view line) {
  line = without_end(line);
  if (line == without_end(kReadyLine)) return StartOutcome::ready;
  if (line == without_end(kBusyLine)) return StartOutcome::busy;
  std::array<std::string_view, kFieldCount> fields;
  std::string_view rest = line;
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const std::size_t end = i + 1 < kFieldCount ? rest.find('\t') : std::string_view::npos;
    fields[i] = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  const int code = number_in(fields[1]);
  if (fields[0] != kErrorWord || code <= Error::none || code > Error::os) {
    return Error(Error::node_unavailable, "start the node",
                 line.empty() ? "it ended without a word" : "it said '" + std::string(line) + "'",
                 "run `tarnd --foreground` to see why");
  }
  return Error(static_cast<Error::Code>(code), std::string(fields[3]), std::string(fields[4]),
               std::string(fields[5]), number_in(fields[2]));
}

}  // namespace tarn::wire
