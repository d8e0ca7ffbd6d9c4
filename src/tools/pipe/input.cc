#include "tools/pipe/input.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "tools/failure.h"
#include "tools/print/format.h"

namespace tarn::tools {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} << 10;

Failure too_large(const std::string& what, std::uint64_t limit_bytes) {
  return Failure(ExitCode::limit, "too_large", "push a message",
                 what + ", above the " + format_size(limit_bytes) + " of the domain's memory limit",
                 "push it in pieces: --block 1MiB");
}

}  // namespace

Input::Input(int descriptor, const StopSignals& signals, std::string name)
    : descriptor_(descriptor), signals_(signals), name_(std::move(name)), buffer_(kBufferBytes) {}

std::size_t Input::read_some(std::span<std::byte> target) {
  for (;;) {
    const WaitFor more{.descriptor = descriptor_, .events = POLLIN, .output = output_};
    if (wait_for(more, signals_, std::nullopt) == Wake::reader_gone) throw Interrupted(SIGPIPE);
    const ssize_t count = ::read(descriptor_, target.data(), target.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR && errno != EAGAIN) {
      throw Failure(ExitCode::failure, "os", "read", name_,
                    "give a file or a pipe that can be read", errno);
    }
  }
}

std::span<const std::byte> Input::peek() {
  if (begin_ == end_) {
    begin_ = 0;
    end_ = read_some(buffer_);
  }
  return std::span(buffer_).subspan(begin_, end_ - begin_);
}

std::size_t Input::fill(std::span<std::byte> target) {
  std::size_t filled = 0;
  while (filled < target.size()) {
    const auto rest = target.subspan(filled);
    if (begin_ == end_ && rest.size() >= buffer_.size()) {
      const std::size_t count = read_some(rest);
      if (count == 0) break;
      filled += count;
      continue;
    }
    const auto available = peek();
    if (available.empty()) break;
    const std::size_t count = std::min(available.size(), rest.size());
    std::memcpy(rest.data(), available.data(), count);
    consume(count);
    filled += count;
  }
  return filled;
}

std::optional<std::uint64_t> Input::known_size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  const off_t position = ::lseek(descriptor_, 0, SEEK_CUR);
  // Files of /proc say that they are empty, and are not.
  if (position < 0 || status.st_size <= position) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size - position) + (end_ - begin_);
}

void LineReader::keep(std::span<const std::byte> part) {
  if (part.size() > limit_bytes_ - std::min<std::uint64_t>(limit_bytes_, kept_.size())) {
    throw too_large("line " + std::to_string(line_number_), limit_bytes_);
  }
  kept_.insert(kept_.end(), part.begin(), part.end());
}

std::optional<std::span<const std::byte>> LineReader::next() {
  input_.consume(to_consume_);
  to_consume_ = 0;
  kept_.clear();
  for (;;) {
    const auto available = input_.peek();
    if (available.empty()) break;
    const void* newline = std::memchr(available.data(), '\n', available.size());
    if (newline == nullptr) {
      keep(available);
      input_.consume(available.size());
      continue;
    }
    const auto size =
        static_cast<std::size_t>(static_cast<const std::byte*>(newline) - available.data());
    to_consume_ = size + 1;
    if (!kept_.empty()) keep(available.first(size));
    ++line_number_;
    if (kept_.empty()) return available.first(size);
    return kept_;
  }
  if (kept_.empty()) return std::nullopt;
  return kept_;
}

std::vector<std::byte> read_whole(Input& input, std::uint64_t limit_bytes) {
  std::vector<std::byte> whole;
  for (;;) {
    const auto available = input.peek();
    if (available.empty()) return whole;
    if (available.size() > limit_bytes - std::min<std::uint64_t>(limit_bytes, whole.size())) {
      throw too_large("standard input as a whole", limit_bytes);
    }
    whole.insert(whole.end(), available.begin(), available.end());
    input.consume(available.size());
  }
}

}  // namespace tarn::tools
