// log.h - the daemon's and the tools' log: one line an event, written where the error is handled.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// To standard error until log_to_file() names a file. A file is rotated at 1 MiB, two are kept.
// Returns false, and keeps the old target, when the file cannot be opened.
bool log_to_file(const std::string& path) noexcept;
void set_log_level(LogLevel least) noexcept;
// Puts a word such as "keeper" or "worker" in front of every line of this process.
void set_log_role(std::string_view role) noexcept;
void log_line(LogLevel level, std::string_view text) noexcept;

inline void log_info(std::string_view text) noexcept { log_line(LogLevel::info, text); }
inline void log_warning(std::string_view text) noexcept { log_line(LogLevel::warning, text); }
inline void log_error(std::string_view text) noexcept { log_line(LogLevel::error, text); }
inline void log_debug(std::string_view text) noexcept { log_line(LogLevel::debug, text); }

}  // namespace tarn
