// progress.h - how far a transfer is, on standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

#include "tools/pipe/wait.h"

namespace tarn::tools {

struct TransferCount {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

// "12,345 messages, 1.5 MiB in 3.0 s (4.1 k/s, 512 KiB/s)"
std::string summary_of(TransferCount count, std::chrono::nanoseconds elapsed,
                       const std::string& noun = "message");

struct ProgressOptions {
  bool live = false;      // --progress: a line that is rewritten, or one each second
  bool total = false;     // one line at the end
  bool terminal = false;  // standard error is one
  std::string verb = {};  // "pushed"
  std::string noun = "message";
};

// Counts, and prints as asked. The total is printed when it is destroyed, so also when the
// transfer ends in an error.
class Progress {
 public:
  Progress(ProgressOptions options, std::ostream& err);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(std::uint64_t size_bytes);
  // A part of something that add() counts at its end.
  void add_bytes(std::uint64_t size_bytes);
  TransferCount count() const noexcept { return count_; }
  std::chrono::nanoseconds elapsed() const { return Clock::now() - begin_; }

 private:
  void print_live();

  ProgressOptions options_;
  std::ostream& err_;
  Clock::time_point begin_;
  Clock::time_point next_;
  TransferCount count_;
};

}  // namespace tarn::tools
