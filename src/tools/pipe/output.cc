#include "tools/pipe/output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "tools/failure.h"

namespace tarn::tools {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} << 10;

}  // namespace

Output::Output(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {
  buffer_.reserve(kBufferBytes);
}

void Output::write(std::span<const std::byte> bytes) {
  if (bytes.size() > kBufferBytes - buffer_.size()) flush();
  if (bytes.size() >= kBufferBytes) {
    write_out(bytes);
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
}

void Output::write(std::string_view text) {
  write(std::as_bytes(std::span(text.data(), text.size())));
}

void Output::flush() {
  write_out(buffer_);
  buffer_.clear();
}

void Output::write_out(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EPIPE) throw Interrupted(SIGPIPE);
    if (errno != EAGAIN) {
      throw Failure(ExitCode::failure, "os", "write", name_,
                    "make room where it goes, or send it elsewhere", errno);
    }
    pollfd entry{descriptor_, POLLOUT, 0};
    ::poll(&entry, 1, -1);
  }
}

}  // namespace tarn::tools
