// machine.h - where the figures come from: the CPUs to pin to, and what to print beside a result.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tarn::bench {

// The CPUs this process may use, one of every core first, then the cores' second threads: the first
// two are the best pair there is.
std::vector<int> usable_cpus();

// Keeps the calling thread on this CPU. Throws BenchError.
void pin_to(int cpu);
// Throws BenchError when the calling thread runs anywhere else.
void require_on(int cpu);

struct Machine {
  std::string model;  // of the CPU
  int cpu_count = 0;
  std::uint64_t memory_bytes = 0;
  std::string kernel;
  std::string compiler;
  std::string build;   // "optimised", "debug", "sanitized"
  std::string commit;  // empty when the build did not say
};
Machine examine_machine();

// Memory that could be had now without swapping.
std::uint64_t available_memory_bytes();

}  // namespace tarn::bench
