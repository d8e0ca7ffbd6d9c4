// output.h - standard output for messages: buffered, binary, and honest about a reader that left.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace tarn::tools {

class Output {
 public:
  explicit Output(int descriptor);  // borrowed

  // Keeps small pieces until flush(); large ones go straight through. Both finish what they
  // began, also when a signal arrives. Throws Interrupted (SIGPIPE) when the reader is gone, and
  // Failure when the system refuses.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void flush();

  int descriptor() const noexcept { return descriptor_; }

 private:
  void write_out(std::span<const std::byte> bytes);

  int descriptor_;
  std::vector<std::byte> buffer_;
};

}  // namespace tarn::tools
