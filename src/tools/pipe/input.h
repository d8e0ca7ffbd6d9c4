// input.h - standard input, cut into messages: lines, fixed blocks, or all of it as one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/pipe/wait.h"

namespace tarn::tools {

// A buffered descriptor. Every function that reads throws Interrupted when a signal arrives, and
// Failure when the system refuses.
class Input {
 public:
  // `descriptor` is borrowed; `name` is for errors.
  Input(int descriptor, const StopSignals& signals, std::string name = "standard input");

  // While it waits for input it also watches whether this output still has a reader, and throws
  // Interrupted (SIGPIPE) when it has none.
  void watch(int output_descriptor) noexcept { output_ = output_descriptor; }

  // What has been read and not consumed yet; reads more when that is nothing. Empty only at the
  // end of the input. Borrowed until the next call.
  std::span<const std::byte> peek();
  void consume(std::size_t size_bytes) noexcept { begin_ += size_bytes; }
  // Fills the target, reading straight into it when it is large. Less than its size only at the
  // end of the input.
  std::size_t fill(std::span<std::byte> target);
  // How much is left, when the input is a file that knows; nothing for pipes and terminals.
  std::optional<std::uint64_t> known_size() const;

 private:
  std::size_t read_some(std::span<std::byte> target);

  int descriptor_;
  const StopSignals& signals_;
  std::string name_;
  int output_ = -1;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// Lines without their newline; what follows the last newline is a line too, unless it is empty.
class LineReader {
 public:
  // A line above `limit_bytes` is refused before it has filled the memory.
  LineReader(Input& input, std::uint64_t limit_bytes) : input_(input), limit_bytes_(limit_bytes) {}

  // None at the end. Borrowed until the next call. Throws Failure (too_large).
  std::optional<std::span<const std::byte>> next();

 private:
  void keep(std::span<const std::byte> part);

  Input& input_;
  std::uint64_t limit_bytes_;
  std::uint64_t line_number_ = 1;
  std::vector<std::byte> kept_;  // the line so far, when it spans several reads
  std::size_t to_consume_ = 0;   // of the line handed out last
};

// All of the input. Throws Failure (too_large).
std::vector<std::byte> read_whole(Input& input, std::uint64_t limit_bytes);

}  // namespace tarn::tools
