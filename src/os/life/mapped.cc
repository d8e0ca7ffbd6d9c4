#include "os/life/mapped.h"

#include <dirent.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace tarn::os {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};
struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

// A line of /proc/PID/maps: "from-to rw-s offset device inode  /memfd:name (deleted)". Files of
// other file systems have inodes of their own, so the path has to be a memfd's.
bool is_writable_memory(const char* line, std::uint64_t identity) noexcept {
  std::array<char, 5> access{};
  unsigned long inode = 0;
  int path_at = 0;
  if (std::sscanf(line, "%*x-%*x %4s %*x %*x:%*x %lu %n", access.data(), &inode, &path_at) != 2) {
    return false;
  }
  constexpr std::string_view kMemory = "/memfd:";
  return inode == identity && std::string_view(access.data()).starts_with("rw") &&
         std::strncmp(line + path_at, kMemory.data(), kMemory.size()) == 0;
}

// Nothing when the task has no memory any more, or does not let us look.
std::optional<bool> task_maps(std::int32_t pid, const char* task, std::uint64_t identity) noexcept {
  std::array<char, 320> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/task/%s/maps", pid, task);
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.data(), "re"));
  if (file == nullptr) return std::nullopt;
  char* line = nullptr;
  std::size_t room = 0;
  std::optional<bool> found;
  while (found != true && ::getline(&line, &room, file.get()) > 0) {
    found = is_writable_memory(line, identity);
  }
  std::free(line);
  return found;
}

}  // namespace

// All threads of a process share one memory; those that are on their way out have let go of it. So
// the first one that has any decides.
std::optional<bool> maps_for_writing(std::int32_t pid, std::uint64_t identity) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/task", pid);
  const std::unique_ptr<DIR, CloseDirectory> tasks(::opendir(path.data()));
  if (tasks == nullptr) return std::nullopt;
  while (const dirent* entry = ::readdir(tasks.get())) {
    if (entry->d_name[0] == '.') continue;
    if (const auto found = task_maps(pid, entry->d_name, identity)) return found;
  }
  return std::nullopt;
}

}  // namespace tarn::os
