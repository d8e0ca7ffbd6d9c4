// client_description.h - what a supervised client runs, and how it is kept running: one block of
// bytes that travels in a memfd from `tarn run` to the client's shepherd.
//
// Lives in  a memfd that its maker seals against writing before it sends it.
// Writers   the program that registers the client, once.
// Readers   the node's worker (is it sound, how is it called?) and the shepherd, each on a copy of
//           its own, checked: it is input.
// Bounds    kMaxDescriptionBytes; at least one argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace tarn::wire {

inline constexpr std::size_t kMaxDescriptionBytes = std::size_t{2} << 20;
inline constexpr std::size_t kMaxResourceLimits = 16;

enum class RestartWhen : std::uint32_t { on_failure = 0, always = 1, never = 2 };

// When it is started again, and how it is ended.
struct ClientPolicy {
  RestartWhen restart = RestartWhen::on_failure;
  std::uint32_t limit_count = 5;  // at most so many restarts in the window; 0: no limit
  std::int64_t limit_window_ns = 60'000'000'000;
  std::int64_t backoff_first_ns = 100'000'000;  // doubles with each restart
  std::int64_t backoff_most_ns = 30'000'000'000;
  std::int64_t stop_timeout_ns = 10'000'000'000;  // between SIGTERM and SIGKILL
};
// invalid_argument for spans that cannot be.
FullStatus check_policy(const ClientPolicy& policy);

// As in getrlimit(); all ones is no limit.
struct ResourceLimit {
  std::uint64_t soft = ~std::uint64_t{0};
  std::uint64_t hard = ~std::uint64_t{0};
};

struct ClientDescription {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<ResourceLimit> limits;     // by the number of the resource
  std::uint32_t file_mode_mask = 022;
  ClientPolicy policy;
};

// too_large, or invalid_argument for no arguments, a NUL inside a string, or a bad policy.
Result<std::vector<std::byte>, Error> encode_description(const ClientDescription& description);
// corrupt when the bytes are no description.
Result<ClientDescription, Error> decode_description(std::span<const std::byte> bytes);

// A client's name: as a pipe's, but without spaces and not beginning with '-'.
FullStatus check_client_name(std::string_view name);
// The command's words for people, with blanks between, cut to fit.
std::string command_text(const std::vector<std::string>& arguments, std::size_t most_bytes);

}  // namespace tarn::wire
