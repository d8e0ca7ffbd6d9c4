// pipe_text.h - one line of text between a daemon and who started it.
#pragma once

#include <string>

#include "base/deadline.h"

namespace tarn::os {

// What arrives on `fd` up to a line's end, the other end's closing, or the deadline; without the
// line's end, at most 1024 bytes.
std::string read_line(int fd, Deadline deadline);
// Writes the text and a line's end; a closed reader is no error.
void write_line(int fd, const std::string& text) noexcept;

}  // namespace tarn::os
