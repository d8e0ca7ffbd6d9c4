// failure.h - why a command could not do what it was asked, in the one form that is reported.
//
// Commands throw tarn::Error as they get it from the library, or a Failure where the library has
// no error for it (a timeout, a wrong command line). main turns either into a Failure and prints
// it on standard error: a sentence with its cure for people, one JSON object with --json.
#pragma once

#include <exception>
#include <iosfwd>
#include <string>

#include "tools/exit_code.h"

namespace tarn::tools {

struct Failure : std::exception {
  Failure(ExitCode exit_code, std::string error_code, std::string what_was_attempted,
          std::string on_what, std::string what_to_do, int errno_value = 0)
      : exit(exit_code),
        code(std::move(error_code)),
        attempted(std::move(what_was_attempted)),
        object(std::move(on_what)),
        cure(std::move(what_to_do)),
        system_error(errno_value) {}
  explicit Failure(const Error& error);

  const char* what() const noexcept override { return attempted.c_str(); }

  ExitCode exit;
  std::string code;       // "not_found": a stable word, those of tarn::Error and a few more
  std::string attempted;  // "open the pipe"
  std::string object;     // "pipe 'spectra'"
  std::string cure;       // "create it with ..."
  int system_error;       // errno, else 0
};

// A signal ended the command: it has cleaned up, and main ends the process by the same signal, so
// that the caller sees the truth.
struct Interrupted : std::exception {
  explicit Interrupted(int signal) : signal_number(signal) {}
  const char* what() const noexcept override { return "interrupted"; }
  int signal_number;
};

// The command line cannot be: exit code 2.
Failure usage_failure(std::string problem, std::string cure);

void report(const Failure& failure, bool json, bool color, std::ostream& err);

}  // namespace tarn::tools
