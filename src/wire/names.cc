#include "wire/names.h"

#include <algorithm>
#include <cstdint>

namespace tarn::wire {
namespace {

constexpr std::size_t kMaxNameBytes = 63;
constexpr std::size_t kMaxSocketPathBytes = 107;  // sun_path, less its NUL

bool is_key_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// Length of the well-formed UTF-8 sequence at the front, or 0. Follows the table of well-formed
// byte sequences in the Unicode standard, chapter 3 (no overlong forms, no surrogates).
std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto follows = [&](std::size_t i, std::uint8_t low, std::uint8_t high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1, 0x80, 0xbf) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const std::uint8_t low = first == 0xe0 ? 0xa0 : 0x80;
    const std::uint8_t high = first == 0xed ? 0x9f : 0xbf;
    return follows(1, low, high) && follows(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const std::uint8_t low = first == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = first == 0xf4 ? 0x8f : 0xbf;
    return follows(1, low, high) && follows(2, 0x80, 0xbf) && follows(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

// The name as it may be printed: what is not printable ASCII becomes '?'.
std::string printable(std::string_view name) {
  std::string text(name.substr(0, 80));
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return "'" + text + "'" + (name.size() > 80 ? "..." : "");
}

}  // namespace

FullStatus check_pipe_name(std::string_view name) {
  const auto refuse = [&](const char* why) {
    return Error(Error::invalid_argument, "use a pipe's name", printable(name) + " " + why,
                 "use 1 to 63 bytes of UTF-8 without '/', control characters and outer spaces");
  };
  if (name.empty()) return refuse("is empty");
  if (name.size() > kMaxNameBytes) {
    return refuse(("has " + std::to_string(name.size()) + " bytes").c_str());
  }
  if (name.front() == ' ' || name.back() == ' ') return refuse("begins or ends with a space");
  for (std::string_view rest = name; !rest.empty();) {
    const auto first = static_cast<std::uint8_t>(rest.front());
    if (first == '/') return refuse("has a slash");
    if (first < 0x20 || first == 0x7f) return refuse("has a control character");
    const std::size_t length = utf8_length(rest);
    if (length == 0) return refuse("is not UTF-8");
    // U+0080 to U+009F are control characters too: c2 80 to c2 9f.
    if (length == 2 && first == 0xc2 && static_cast<std::uint8_t>(rest[1]) < 0xa0) {
      return refuse("has a control character");
    }
    rest.remove_prefix(length);
  }
  return Done{};
}

FullStatus check_key_part(std::string_view part, std::string_view what) {
  const bool good = !part.empty() && part.size() <= kMaxNameBytes && part.front() != '.' &&
                    std::all_of(part.begin(), part.end(), is_key_character);
  if (good) return Done{};
  return Error(Error::invalid_argument, "use the " + std::string(what) + " of a domain",
               printable(part),
               "use 1 to 63 letters, digits, '.', '_' or '-', not beginning with '.'");
}

Result<RunPaths, Error> run_paths(const DomainKey& key, const std::string& runtime_directory,
                                  std::uint32_t uid) {
  if (auto good = check_key_part(key.application, "application"); !good) {
    return std::move(good).error();
  }
  if (auto good = check_key_part(key.user, "user"); !good) return std::move(good).error();
  RunPaths paths;
  paths.owner_uid = uid;
  const bool has_runtime = !runtime_directory.empty() && runtime_directory.front() == '/';
  paths.trusted = has_runtime ? runtime_directory : "/tmp";
  while (paths.trusted.size() > 1 && paths.trusted.back() == '/') paths.trusted.pop_back();
  const std::string own = has_runtime ? "/tarn" : "/tarn-" + std::to_string(uid);
  paths.directory = paths.trusted + own + "/" + key.application + "/" + key.user;
  paths.pid_file = paths.directory + "/pid";
  paths.lock_file = paths.directory + "/lock";
  paths.socket = paths.directory + "/socket";
  paths.log_file = paths.directory + "/log";
  if (paths.socket.size() > kMaxSocketPathBytes) {
    return Error(Error::invalid_argument, "place the node's socket",
                 "'" + paths.socket + "' has " + std::to_string(paths.socket.size()) + " bytes",
                 "the kernel takes 107: shorten the application, the user or XDG_RUNTIME_DIR");
  }
  return paths;
}

Result<DoorPaths, Error> door_paths(const DomainKey& key, const std::string& doors,
                                    std::uint32_t uid) {
  if (auto good = check_key_part(key.application, "application"); !good) {
    return std::move(good).error();
  }
  if (auto good = check_key_part(key.user, "user"); !good) return std::move(good).error();
  DoorPaths paths;
  paths.trusted = !doors.empty() && doors.front() == '/' ? doors : "/tmp";
  while (paths.trusted.size() > 1 && paths.trusted.back() == '/') paths.trusted.pop_back();
  paths.directory =
      paths.trusted + "/tarn-door-" + std::to_string(uid) + "/" + key.application + "/" + key.user;
  paths.socket = paths.directory + "/door";
  if (paths.socket.size() > kMaxSocketPathBytes) {
    return Error(Error::invalid_argument, "place the node's door",
                 "'" + paths.socket + "' has " + std::to_string(paths.socket.size()) + " bytes",
                 "the kernel takes 107: shorten the application, the user or TARN_DOORS");
  }
  return paths;
}

}  // namespace tarn::wire
