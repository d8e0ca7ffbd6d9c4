#include "os/life/stopped.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "os/fd.h"

namespace tarn::os {
namespace {

// In /proc/PID/task/TID/status; only of a task that has memory.
constexpr std::string_view kMemoryLine = "\nVmPeak:";

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

enum class TaskState : std::uint8_t { running, exiting, gone, unknown };

// A task lets go of its memory early in its exit, long before that memory is given up. Its `stat`
// would say more directly that it exits, but whoever reads that waits while the process is in the
// middle of exec, for as long as somebody else may like.
TaskState state_of_task(int tasks, const char* name) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "%s/status", name);
  const UniqueFd file(::openat(tasks, path.data(), O_RDONLY | O_CLOEXEC));
  if (!file) return errno == ENOENT ? TaskState::gone : TaskState::unknown;
  // Before it the groups are listed, which may be many: read in pieces that overlap.
  std::array<char, 4096> text{};
  std::size_t kept = 0;
  for (bool is_first = true;; is_first = false) {
    const ssize_t count = ::read(file.get(), text.data() + kept, text.size() - kept);
    if (count < 0) return errno == ESRCH ? TaskState::gone : TaskState::unknown;
    if (count == 0) return is_first ? TaskState::gone : TaskState::exiting;
    const std::string_view seen(text.data(), kept + static_cast<std::size_t>(count));
    if (seen.find(kMemoryLine) != seen.npos) return TaskState::running;
    kept = std::min(seen.size(), kMemoryLine.size());
    std::memmove(text.data(), seen.data() + seen.size() - kept, kept);
  }
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
