// options.h - options that several commands share, with the words of their error messages.
//
// Each binds to a variable that must outlive the parsing; commands keep theirs in a shared_ptr
// that their action owns.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "tarn/pipe.h"
#include "tools/command.h"

namespace tarn::tools {

using Duration = std::chrono::nanoseconds;

// SIZE: a whole number of bytes, at least one, or of a unit.
CLI::Option* add_size(CLI::App& command, const std::string& names,
                      std::optional<std::uint64_t>& target, const std::string& description);
// DURATION: seconds, or of a unit.
CLI::Option* add_duration(CLI::App& command, const std::string& names,
                          std::optional<Duration>& target, const std::string& description);
// COUNT: a whole number, at least `least`.
CLI::Option* add_count(CLI::App& command, const std::string& names,
                       std::optional<std::int64_t>& target, const std::string& description,
                       std::int64_t least = INT64_MIN);
// --capacity and --delivery.
void add_pipe_options(CLI::App& command, PipeOptions& target);
// The required positional NAME.
void add_pipe_name(CLI::App& command, std::string& target);

// A subcommand with what every one of them has: its summary is a line in the parent's list; its own
// page shows that line, the examples and the details, which all end with a newline.
CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& summary,
                      const std::string& examples, const std::string& details = {});

}  // namespace tarn::tools
