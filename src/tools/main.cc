// main.cc - the program `tarn`.
#include <csignal>
#include <iostream>
#include <span>

#include "tools/app.h"
#include "tools/failure.h"

namespace {

// Ends the process as the signal would have done, now that everything is tidied up.
int end_by_signal(int signal_number) {
  std::cout.flush();
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
  return 128 + signal_number;  // the signal is blocked
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  const std::span<const char* const> all(argv, static_cast<std::size_t>(argc));
  try {
    const auto code = tarn::tools::run(all.subspan(all.empty() ? 0 : 1), std::cout, std::cerr);
    return static_cast<int>(code);
  } catch (const tarn::tools::Interrupted& interrupted) {
    return end_by_signal(interrupted.signal_number);
  }
}
