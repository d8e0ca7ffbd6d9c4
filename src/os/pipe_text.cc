#include "os/pipe_text.h"

#include <unistd.h>

#include <cerrno>

#include "os/socket.h"

namespace tarn::os {

std::string read_line(int fd, Deadline deadline) {
  std::string text;
  while (text.size() < 1024 && wait_readable(fd, deadline)) {
    char next = '\0';
    const ssize_t count = ::read(fd, &next, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || next == '\n') break;
    text.push_back(next);
  }
  return text;
}

void write_line(int fd, const std::string& text) noexcept {
  const std::string line = text + "\n";
  [[maybe_unused]] const auto written = ::write(fd, line.data(), line.size());
}

}  // namespace tarn::os
