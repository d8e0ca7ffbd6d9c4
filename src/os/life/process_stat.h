// process_stat.h - the fields of /proc/PID/stat and /proc/PID/task/TID/stat that we look at.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tarn::os {

struct ProcessStat {
  char state = 0;  // 'R', 'S', 'Z', ...; of the thread that the file is named after
  std::int32_t parent = 0;
  std::int32_t session = 0;
  std::uint64_t flags = 0;  // PF_...
  std::uint64_t start_ticks = 0;
};

// Nothing when the text is cut off or no such file.
std::optional<ProcessStat> parse_stat(std::string_view text) noexcept;
// Of a process; nothing when it is gone or cannot be looked at.
std::optional<ProcessStat> stat_of(std::int32_t pid) noexcept;

}  // namespace tarn::os
