// machine.h - limits, room, processors and clock as they are now. Looking changes nothing.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace tarn::os {

inline constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

// Of this process; kUnlimited where there is none.
struct ResourceLimits {
  std::uint64_t descriptors_soft = kUnlimited;
  std::uint64_t descriptors_hard = kUnlimited;
  std::uint64_t address_space = kUnlimited;  // RLIMIT_AS
  std::uint64_t file_size = kUnlimited;      // RLIMIT_FSIZE: counts for a memfd too
};
ResourceLimits resource_limits() noexcept;

struct DescriptorUse {
  std::uint64_t open_count = 0;
  std::uint64_t limit = kUnlimited;  // soft
};
// Of another process; none when it is gone or not ours to look at.
std::optional<DescriptorUse> descriptor_use(std::int32_t pid);

// A file system's room.
struct Room {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;   // for an ordinary user
  std::uint64_t total_files = 0;  // 0: the file system does not count them
  std::uint64_t free_files = 0;
  bool read_only = false;
};
// None when there is no such path.
std::optional<Room> room_of(const std::string& path) noexcept;

struct Processors {
  std::uint32_t online = 0;
  std::uint32_t allowed = 0;  // by this process's affinity; 0 when the kernel does not say
};
Processors processors() noexcept;

struct ClockState {
  int error = 0;  // errno: a container may not let us look
  bool synchronised = false;
};
// Of the wall clock.
ClockState clock_state() noexcept;
// What one reading of the monotonic clock takes, the best of several tries.
std::uint64_t clock_reading_ns() noexcept;

// A number that a small file in /proc or /sys begins with; none when it cannot be read.
std::optional<std::uint64_t> read_number(const std::string& path);
// The value in bytes of a line "Name:   12 kB" in /proc/meminfo; plain numbers as they are.
std::optional<std::uint64_t> memory_fact(const std::string& name);

}  // namespace tarn::os
