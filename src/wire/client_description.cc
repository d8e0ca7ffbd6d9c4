#include "wire/client_description.h"

#include <cstring>
#include <string_view>

#include "wire/names.h"

namespace tarn::wire {
namespace {

constexpr std::uint64_t kDescriptionMagic = 0x314e'5552'4e52'4154;  // "TARNRUN1"
constexpr std::int64_t kLongestSpanNs = std::int64_t{366} * 24 * 3600 * 1'000'000'000;
constexpr std::int64_t kLongestStopNs = std::int64_t{3600} * 1'000'000'000;
constexpr std::uint32_t kMostLimits = 100'000;

struct DescriptionHeader {
  std::uint64_t magic;
  std::uint32_t size_bytes;  // of all
  std::uint32_t argument_count;
  std::uint32_t environment_count;
  std::uint32_t limit_count;
  std::uint32_t file_mode_mask;
  std::uint32_t restart;
  std::uint32_t policy_limit_count;
  std::uint32_t reserved;
  std::int64_t limit_window_ns;
  std::int64_t backoff_first_ns;
  std::int64_t backoff_most_ns;
  std::int64_t stop_timeout_ns;
  ResourceLimit limits[kMaxResourceLimits];
};
static_assert(sizeof(DescriptionHeader) == 72 + 16 * kMaxResourceLimits);
static_assert(std::has_unique_object_representations_v<DescriptionHeader>, "no hidden padding");

Error refuse(std::string why, std::string cure) {
  return Error(Error::invalid_argument, "describe a client", std::move(why), std::move(cure));
}
Error nonsense(const char* why) {
  return Error(Error::corrupt, "read a client's description", why, "register the client anew");
}

// Each string with its NUL.
bool append(std::vector<std::byte>& bytes, const std::string& text) {
  if (text.find('\0') != std::string::npos) return false;
  const auto* begin = reinterpret_cast<const std::byte*>(text.c_str());
  bytes.insert(bytes.end(), begin, begin + text.size() + 1);
  return true;
}

// Takes `count` strings off the front of `rest`; false when there are not so many.
bool take(std::string_view& rest, std::uint32_t count, std::vector<std::string>& strings) {
  // A string takes a byte at least: a count beyond that would only cost memory.
  if (count > rest.size()) return false;
  strings.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return false;
    strings.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return true;
}

ClientPolicy policy_of(const DescriptionHeader& header) noexcept {
  ClientPolicy policy;
  policy.restart = static_cast<RestartWhen>(header.restart);
  policy.limit_count = header.policy_limit_count;
  policy.limit_window_ns = header.limit_window_ns;
  policy.backoff_first_ns = header.backoff_first_ns;
  policy.backoff_most_ns = header.backoff_most_ns;
  policy.stop_timeout_ns = header.stop_timeout_ns;
  return policy;
}

}  // namespace

FullStatus check_policy(const ClientPolicy& policy) {
  if (policy.restart > RestartWhen::never) {
    return refuse("an unknown rule of restart", "choose always, on-failure or never");
  }
  if (policy.limit_count > kMostLimits || policy.limit_window_ns <= 0 ||
      policy.limit_window_ns > kLongestSpanNs) {
    return refuse("a limit that cannot be", "write it as in 5/60s: so many restarts in that time");
  }
  if (policy.backoff_first_ns < 0 || policy.backoff_most_ns < policy.backoff_first_ns ||
      policy.backoff_most_ns > kLongestSpanNs) {
    return refuse("a back-off that cannot be", "write it as in 100ms..30s, the shorter one first");
  }
  if (policy.stop_timeout_ns < 0 || policy.stop_timeout_ns > kLongestStopNs) {
    return refuse("a time to stop that cannot be", "choose at most an hour");
  }
  return Done{};
}

Result<std::vector<std::byte>, Error> encode_description(const ClientDescription& description) {
  if (description.arguments.empty() || description.arguments[0].empty()) {
    return refuse("no command", "name the program to run, after --");
  }
  if (auto good = check_policy(description.policy); !good) return std::move(good).error();
  DescriptionHeader header{};
  header.magic = kDescriptionMagic;
  header.argument_count = static_cast<std::uint32_t>(description.arguments.size());
  header.environment_count = static_cast<std::uint32_t>(description.environment.size());
  for (const ResourceLimit& limit : description.limits) {
    if (header.limit_count == kMaxResourceLimits) break;
    header.limits[header.limit_count++] = limit;
  }
  header.file_mode_mask = description.file_mode_mask;
  header.restart = static_cast<std::uint32_t>(description.policy.restart);
  header.policy_limit_count = description.policy.limit_count;
  header.limit_window_ns = description.policy.limit_window_ns;
  header.backoff_first_ns = description.policy.backoff_first_ns;
  header.backoff_most_ns = description.policy.backoff_most_ns;
  header.stop_timeout_ns = description.policy.stop_timeout_ns;
  std::vector<std::byte> bytes(sizeof header);
  for (const auto* strings : {&description.arguments, &description.environment}) {
    for (const std::string& text : *strings) {
      if (!append(bytes, text)) return refuse("a NUL inside a word", "leave it out");
    }
  }
  if (bytes.size() > kMaxDescriptionBytes) {
    return Error(Error::too_large, "describe a client",
                 "its words and environment have " + std::to_string(bytes.size()) + " bytes",
                 "at most " + std::to_string(kMaxDescriptionBytes) + ": use a smaller environment");
  }
  header.size_bytes = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

Result<ClientDescription, Error> decode_description(std::span<const std::byte> bytes) {
  DescriptionHeader header;
  if (bytes.size() < sizeof header || bytes.size() > kMaxDescriptionBytes) {
    return nonsense("its size");
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kDescriptionMagic || header.size_bytes != bytes.size() ||
      header.limit_count > kMaxResourceLimits || header.argument_count == 0) {
    return nonsense("its header");
  }
  ClientDescription description;
  description.policy = policy_of(header);
  if (auto good = check_policy(description.policy); !good) return nonsense("its policy");
  description.file_mode_mask = header.file_mode_mask & 0777;
  description.limits.assign(header.limits, header.limits + header.limit_count);
  const auto text = bytes.subspan(sizeof header);
  std::string_view rest(reinterpret_cast<const char*>(text.data()), text.size());
  if (!take(rest, header.argument_count, description.arguments) ||
      !take(rest, header.environment_count, description.environment) || !rest.empty()) {
    return nonsense("its words");
  }
  if (description.arguments[0].empty()) return nonsense("its command");
  return description;
}

FullStatus check_client_name(std::string_view name) {
  if (auto good = check_pipe_name(name); !good) {
    const Error& why = good.error();
    return Error(why.code(), "use a client's name", why.object(), why.cure());
  }
  if (name.front() != '-' && name.find(' ') == std::string_view::npos) return Done{};
  return Error(Error::invalid_argument, "use a client's name", "'" + std::string(name) + "'",
               "leave out spaces, and begin with another character than '-'");
}

std::string command_text(const std::vector<std::string>& arguments, std::size_t most_bytes) {
  std::string text;
  for (const std::string& word : arguments) {
    if (!text.empty()) text += ' ';
    text += word;
    if (text.size() > most_bytes) break;
  }
  if (text.size() > most_bytes) text = text.substr(0, most_bytes - 3) + "...";
  for (char& c : text) {
    if ((c >= '\0' && c < ' ') || c == '\x7f') c = '?';
  }
  return text;
}

}  // namespace tarn::wire
