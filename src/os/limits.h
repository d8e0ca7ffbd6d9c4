// limits.h - what the machine and its control group allow.
#pragma once

#include <cstdint>
#include <optional>

namespace tarn::os {

struct MemoryLimits {
  std::uint64_t machine_bytes = 0;                 // MemTotal
  std::uint64_t available_bytes = 0;               // MemAvailable
  std::optional<std::uint64_t> cgroup_bytes;       // the tightest limit above this process, if any
  std::optional<std::uint64_t> cgroup_left_bytes;  // what is left of it

  // What a newcomer may still take without pushing anybody over a limit.
  std::uint64_t left_bytes() const noexcept;
};

// Reads /proc/meminfo and the control groups, version 1 and 2, afresh.
MemoryLimits memory_limits();

// The kernel ends this process by SIGXCPU once it has used so much more processor time.
void limit_processor_time(std::uint64_t seconds) noexcept;

// Raises the soft limit of open files to the hard one. Returns the limit then in force.
std::uint64_t raise_descriptor_limit() noexcept;
std::uint64_t descriptor_limit() noexcept;
std::uint64_t open_descriptor_count() noexcept;
// Whether `descriptor`, which was opened last, still leaves so many to open.
bool leaves_descriptors(int descriptor, std::uint64_t spare) noexcept;
// The same of one that would be opened now.
bool has_descriptors(std::uint64_t spare) noexcept;

}  // namespace tarn::os
