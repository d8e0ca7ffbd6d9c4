#include "os/life/process_stat.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>

#include "os/fd.h"

namespace tarn::os {
namespace {

// Fields count from 1, as in proc(5); the first after the name is 3.
constexpr int kState = 3;
constexpr int kParent = 4;
constexpr int kSession = 6;
constexpr int kFlags = 9;
constexpr int kStartTicks = 22;

template <class T>
bool read_number(std::string_view word, T& number) noexcept {
  return std::from_chars(word.data(), word.data() + word.size(), number).ec == std::errc();
}

}  // namespace

std::optional<ProcessStat> parse_stat(std::string_view text) noexcept {
  // The name in parentheses may hold anything, so the fields are counted after the last ')'.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);
  ProcessStat stat;
  for (int field = kState; field <= kStartTicks; ++field) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    bool good = true;
    if (field == kState) stat.state = word.front();
    if (field == kParent) good = read_number(word, stat.parent);
    if (field == kSession) good = read_number(word, stat.session);
    if (field == kFlags) good = read_number(word, stat.flags);
    if (field == kStartTicks) good = read_number(word, stat.start_ticks);
    if (!good) return std::nullopt;
  }
  return stat;
}

std::optional<ProcessStat> stat_of(std::int32_t pid) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
  const UniqueFd file(::open(path.data(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::array<char, 1024> text{};
  const ssize_t count = ::read(file.get(), text.data(), text.size());
  if (count <= 0) return std::nullopt;
  return parse_stat({text.data(), static_cast<std::size_t>(count)});
}

}  // namespace tarn::os
