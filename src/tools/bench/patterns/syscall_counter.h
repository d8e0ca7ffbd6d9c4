// syscall_counter.h - counts the system calls that a piece of code makes, by tracing it.
#pragma once

#include <cstdint>
#include <functional>

namespace tarn::bench {

// Handed to the traced code: begin() and end() enclose what is counted.
class CountedSection {
 public:
  void begin() const noexcept;
  void end() const noexcept;
};

// Runs `body` in a child process, traced by the calling process, and returns how many system calls
// its main thread made between begin() and end(). Throws BenchError when tracing is not allowed
// or the body fails.
std::uint64_t count_system_calls(const std::function<void(const CountedSection&)>& body);

}  // namespace tarn::bench
