// start_report.h - the one line a starting daemon writes on the descriptor that its starter gave
// it: "ready", "busy" (another daemon has the domain: connect to that), or why it cannot start.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::wire {

inline constexpr std::string_view kReadyLine = "ready\n";
inline constexpr std::string_view kBusyLine = "busy\n";

// tarnd's exit statuses.
inline constexpr int kExitOrdered = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitBusy = 3;

enum class StartOutcome : std::uint8_t { ready, busy };

// One line: "error", code, system error, attempted, object and cure, separated by tabs.
std::string encode_start_error(const Error& error);
// What the line, with or without its end, says; node_unavailable, with the line, when it is none of
// these.
Result<StartOutcome, Error> decode_start_report(std::string_view line);

}  // namespace tarn::wire
