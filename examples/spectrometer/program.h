// program.h - how the three programs end: in peace, with an error, or because another one failed.
#pragma once

#include <charconv>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tarn/tarn.h"

namespace spectrometer {

// Closes a pipe when its user leaves, also by an exception: nobody at the other end is left waiting
// for somebody who has gone. Closing twice does no harm.
struct CloseAtEnd {
  tarn::Pipe pipe;
  ~CloseAtEnd() { pipe.close(); }
};

// For a status that the caller has no answer to.
[[noreturn]] inline void fail(std::string_view attempted, const tarn::Pipe& pipe,
                              std::string_view why) {
  throw std::runtime_error(std::string(attempted) + " the pipe '" + pipe.name() +
                           "': " + std::string(why));
}

struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The user asked how: the usage goes to stdout, and the program ends in peace.
struct HelpWanted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline unsigned long parse_count(std::string_view text, const char* usage) {
  unsigned long count = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), count);
  if (error != std::errc() || end != text.end()) {
    throw UsageError("'" + std::string(text) + "' is not a number\n" + usage);
  }
  return count;
}

// Runs a program; what it throws becomes a line on stderr and an exit status other than zero.
template <class Run>
int main_of(const char* name, Run run) {
  try {
    run();
    return 0;
  } catch (const HelpWanted& usage) {
    std::printf("%s\n", usage.what());
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  } catch (const std::exception& error) {  // tarn::Error says what failed, on what, and the cure
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 1;
  }
}

}  // namespace spectrometer
