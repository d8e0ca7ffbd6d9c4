// exit_code.h - what `tarn` tells the shell. Part of the interface: numbers are never reused.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tarn/error.h"
#include "tarn/pipe.h"

namespace tarn::tools {

enum class ExitCode : std::uint8_t {
  ok = 0,
  failure = 1,      // whatever has no number of its own
  usage = 2,        // the command line cannot be: change it
  not_found = 3,    // no such pipe or session
  timed_out = 4,    // --timeout passed
  closed = 5,       // the pipe is closed
  limit = 6,        // a limit of the domain, the session or the machine was hit
  denied = 7,       // somebody else's node, object or directory
  unavailable = 8,  // no node runs, it went away, or it speaks another version
  findings = 9,     // `doctor` or `check` found a problem
  mismatch = 10     // it exists already, or with other options
};

struct ExitCodeMeaning {
  ExitCode code;
  std::string_view meaning;
};

// All of them in order, as `tarn --help` lists them. A command that a signal ended exits with
// 128 + the signal's number, as the shell expects, and is not listed here.
std::span<const ExitCodeMeaning> exit_codes() noexcept;

ExitCode exit_code_of(Error::Code code) noexcept;
ExitCode exit_code_of(PushStatus status) noexcept;
ExitCode exit_code_of(PopStatus status) noexcept;

}  // namespace tarn::tools
