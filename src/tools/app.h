// app.h - the command line as a whole: from arguments to exit code.
#pragma once

#include <iosfwd>
#include <span>
#include <string>

#include "tools/exit_code.h"

namespace tarn::tools {

// Runs the command that `arguments` name, without the program's own name. Every failure has been
// reported when it returns. Throws Interrupted when a signal ended the command.
ExitCode run(std::span<const char* const> arguments, std::ostream& out, std::ostream& err);

}  // namespace tarn::tools
