#include "os/examine/machine.h"

#include <dirent.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "base/deadline.h"

namespace tarn::os {
namespace {

std::uint64_t limit_of(rlim_t value) noexcept {
  return value == RLIM_INFINITY ? kUnlimited : value;
}

std::optional<std::uint64_t> entry_count(const std::string& path) {
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return std::nullopt;
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.') ++count;
  }
  ::closedir(folder);
  return count;
}

}  // namespace

ResourceLimits resource_limits() noexcept {
  ResourceLimits limits;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limits.descriptors_soft = limit_of(limit.rlim_cur);
    limits.descriptors_hard = limit_of(limit.rlim_max);
  }
  if (::getrlimit(RLIMIT_AS, &limit) == 0) limits.address_space = limit_of(limit.rlim_cur);
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0) limits.file_size = limit_of(limit.rlim_cur);
  return limits;
}

std::optional<DescriptorUse> descriptor_use(std::int32_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const auto open_count = entry_count(folder + "/fd");
  if (!open_count) return std::nullopt;
  DescriptorUse use;
  use.open_count = *open_count;
  std::ifstream file(folder + "/limits");
  const std::string wanted = "Max open files";
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, wanted.size(), wanted) != 0) continue;
    // A word instead of the number means that there is no limit.
    std::istringstream words(line.substr(wanted.size()));
    std::uint64_t soft = 0;
    if (words >> soft) use.limit = soft;
  }
  return use;
}

std::optional<Room> room_of(const std::string& path) noexcept {
  struct statvfs facts {};
  if (::statvfs(path.c_str(), &facts) != 0) return std::nullopt;
  Room room;
  room.total_bytes = std::uint64_t{facts.f_blocks} * facts.f_frsize;
  room.free_bytes = std::uint64_t{facts.f_bavail} * facts.f_frsize;
  room.total_files = facts.f_files;
  room.free_files = facts.f_favail;
  room.read_only = (facts.f_flag & ST_RDONLY) != 0;
  return room;
}

Processors processors() noexcept {
  Processors found;
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  if (online > 0) found.online = static_cast<std::uint32_t>(online);
  // The kernel refuses a set smaller than its own; more than 1,024 processors are rare.
  for (int size = 1024; size <= 65536; size *= 4) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(size));
    if (set == nullptr) return found;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(size));
    const bool known = ::sched_getaffinity(0, bytes, set) == 0;
    if (known) found.allowed = static_cast<std::uint32_t>(CPU_COUNT_S(bytes, set));
    CPU_FREE(set);
    if (known || errno != EINVAL) return found;
  }
  return found;
}

ClockState clock_state() noexcept {
  timex request{};  // modes 0: look only
  const int state = ::adjtimex(&request);
  if (state < 0) return {errno, false};
  return {0, state != TIME_ERROR && (request.status & STA_UNSYNC) == 0};
}

std::uint64_t clock_reading_ns() noexcept {
  constexpr int kTries = 5;
  constexpr int kReadings = 200;
  std::int64_t best = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < kTries; ++i) {
    const std::int64_t began = monotonic_ns();
    std::int64_t ended = began;
    for (int j = 0; j < kReadings; ++j) ended = monotonic_ns();
    best = std::min(best, ended - began);
  }
  return static_cast<std::uint64_t>(std::max<std::int64_t>(best, 0)) / kReadings;
}

std::optional<std::uint64_t> read_number(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> memory_fact(const std::string& name) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, name.size() + 1, name + ":") != 0) continue;
    std::istringstream words(line.substr(name.size() + 1));
    std::uint64_t number = 0;
    std::string unit;
    if (!(words >> number)) return std::nullopt;
    words >> unit;
    return unit == "kB" ? number * 1024 : number;
  }
  return std::nullopt;
}

}  // namespace tarn::os
