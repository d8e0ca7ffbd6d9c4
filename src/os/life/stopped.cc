#include "os/life/stopped.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>

#include "os/fd.h"
#include "os/life/process_stat.h"

namespace tarn::os {
namespace {

constexpr std::uint64_t kExiting = 0x4;  // PF_EXITING

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

enum class TaskState : std::uint8_t { running, exiting, gone, unknown };

TaskState state_of_task(int tasks, const char* name) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "%s/stat", name);
  const UniqueFd file(::openat(tasks, path.data(), O_RDONLY | O_CLOEXEC));
  if (!file) return errno == ENOENT ? TaskState::gone : TaskState::unknown;
  std::array<char, 1024> text{};
  const ssize_t count = ::read(file.get(), text.data(), text.size());
  if (count <= 0) return errno == ESRCH ? TaskState::gone : TaskState::unknown;
  const auto stat = parse_stat({text.data(), static_cast<std::size_t>(count)});
  if (!stat) return TaskState::unknown;
  return (stat->flags & kExiting) != 0 ? TaskState::exiting : TaskState::running;
}

// How many tasks there are that exit, or nothing when one does not.
std::optional<std::size_t> count_exiting(DIR* tasks) noexcept {
  std::size_t count = 0;
  ::rewinddir(tasks);
  while (const dirent* entry = ::readdir(tasks)) {
    if (entry->d_name[0] == '.') continue;
    const TaskState state = state_of_task(::dirfd(tasks), entry->d_name);
    if (state == TaskState::running || state == TaskState::unknown) return std::nullopt;
    if (state == TaskState::exiting) ++count;
  }
  return count;
}

}  // namespace

// One look is not enough: a task that was seen exiting may have made another one that the list did
// not show yet. In the second look nobody is left who could have made one since the first.
bool has_stopped_running(std::int32_t pid) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/task", pid);
  const std::unique_ptr<DIR, CloseDirectory> tasks(::opendir(path.data()));
  if (tasks == nullptr) return errno == ENOENT;
  return count_exiting(tasks.get()) && count_exiting(tasks.get());
}

}  // namespace tarn::os
