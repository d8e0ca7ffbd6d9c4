// lines.h - what a client wrote, as lines: its pieces end where it paused, not only at line ends.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tarn/client.h"

namespace tarn::tools {

struct OutputLine {
  std::int64_t unix_ns = 0;  // when it began
  bool is_error = false;
  std::string text;  // without its newline
};

class LineMaker {
 public:
  // Adds the lines that are complete now.
  void take(const ClientOutput& piece, std::vector<OutputLine>& lines);
  // What has begun and may never be completed.
  void flush(std::vector<OutputLine>& lines);

 private:
  std::array<OutputLine, 2> begun_;  // one for each stream
  std::array<bool, 2> has_begun_{};
};

}  // namespace tarn::tools
