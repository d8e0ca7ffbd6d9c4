// output.h - where messages and values go, mostly standard output: buffered, binary, and honest
// about a reader that left.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::tools {

class Output {
 public:
  // `descriptor` is borrowed; `name` is for errors.
  explicit Output(int descriptor, std::string name = "standard output");

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
  std::string name_;
  std::vector<std::byte> buffer_;
};

}  // namespace tarn::tools
