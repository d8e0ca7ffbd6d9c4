#include "os/limits.h"

#include <dirent.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "os/fd.h"

namespace tarn::os {
namespace {

std::optional<std::uint64_t> read_number(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

struct GroupFiles {
  std::string root;
  std::string limit;
  std::string used;
};

// Walks from the process's own group to the root: a limit anywhere above counts.
void apply_group(const GroupFiles& files, std::string group, MemoryLimits& limits) {
  for (;;) {
    const std::string folder = files.root + group;
    const auto limit = read_number(folder + "/" + files.limit);
    // Version 1 writes "no limit" as a number near 2^63.
    if (limit && *limit < (std::uint64_t{1} << 60) && *limit < limits.machine_bytes) {
      const std::uint64_t used = read_number(folder + "/" + files.used).value_or(0);
      const std::uint64_t left = *limit > used ? *limit - used : 0;
      limits.cgroup_bytes = std::min(limits.cgroup_bytes.value_or(*limit), *limit);
      limits.cgroup_left_bytes = std::min(limits.cgroup_left_bytes.value_or(left), left);
    }
    if (group.empty() || group == "/") return;
    group.erase(group.rfind('/'));
  }
}

void read_groups(MemoryLimits& limits) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") {
      apply_group({"/sys/fs/cgroup", "memory.max", "memory.current"}, group, limits);
    } else if (controllers.find(",memory,") != std::string::npos) {
      apply_group({"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"},
                  group, limits);
    }
  }
}

}  // namespace

std::uint64_t MemoryLimits::left_bytes() const noexcept {
  return std::min(available_bytes, cgroup_left_bytes.value_or(available_bytes));
}

MemoryLimits memory_limits() {
  MemoryLimits limits;
  std::ifstream file("/proc/meminfo");
  // Both stand in the first lines; all of it would take most of the time of a request for memory.
  int found = 0;
  for (std::string line; found < 2 && std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kib = 0;
    words >> name >> kib;
    if (name == "MemTotal:") limits.machine_bytes = kib * 1024;
    if (name == "MemAvailable:") limits.available_bytes = kib * 1024;
    if (name == "MemTotal:" || name == "MemAvailable:") ++found;
  }
  read_groups(limits);
  return limits;
}

void limit_processor_time(std::uint64_t seconds) noexcept {
  rusage used{};
  rlimit limit{};
  if (::getrusage(RUSAGE_SELF, &used) != 0 || ::getrlimit(RLIMIT_CPU, &limit) != 0) return;
  const auto used_s = static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
  limit.rlim_cur = std::min(used_s + 1 + seconds, limit.rlim_max);  // the fraction of a second
  ::setrlimit(RLIMIT_CPU, &limit);
}

std::uint64_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return descriptor_limit();
}

std::uint64_t descriptor_limit() noexcept {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

// The limit is one on numbers, and the lowest free one is given next: a high one means that most
// below are taken.
bool leaves_descriptors(int descriptor, std::uint64_t spare) noexcept {
  return static_cast<std::uint64_t>(descriptor) + spare < descriptor_limit();
}

bool has_descriptors(std::uint64_t spare) noexcept {
  const UniqueFd trial(::eventfd(0, EFD_CLOEXEC));
  return trial && leaves_descriptors(trial.get(), spare);
}

std::uint64_t open_descriptor_count() noexcept {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  std::uint64_t count = 0;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count - 3;  // ".", ".." and the folder itself
}

}  // namespace tarn::os
