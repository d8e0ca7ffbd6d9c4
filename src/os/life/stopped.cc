#include "os/life/stopped.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "os/fd.h"

namespace tarn::os {
namespace {

// In /proc/PID/task/TID/status; only of a task that has memory.
constexpr std::string_view kMemoryLine = "\nVmPeak:";
constexpr std::string_view kPendingLine = "\nSigPnd:";  // of this task, in hexadecimal digits
constexpr std::uint64_t kKillPending = std::uint64_t{1} << (SIGKILL - 1);

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

enum class TaskState : std::uint8_t { running, doomed, exiting, gone, unknown };

// The whole of /proc/PID/task/TID/status. Empty when the task is gone; nothing when it cannot be
// read. Its `stat` would say more directly that it exits, but whoever reads that waits while the
// process is in the middle of exec, for as long as somebody else may like.
std::optional<std::string> status_of_task(int tasks, const char* name) {
  const UniqueFd file(
      ::openat(tasks, (std::string(name) + "/status").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno != ENOENT) return std::nullopt;
  std::string text;
  std::array<char, 4096> part{};
  while (file) {
    const ssize_t count = ::read(file.get(), part.data(), part.size());
    if (count == 0) break;
    if (count < 0 && errno == ESRCH) return std::string();
    if (count < 0) return std::nullopt;
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  return text;
}

// A task lets go of its memory early in its exit, long before that memory is given up.
TaskState state_of_task(int tasks, const char* name) {
  const auto status = status_of_task(tasks, name);
  if (!status) return TaskState::unknown;
  if (status->empty()) return TaskState::gone;
  if (status->find(kMemoryLine) == status->npos) return TaskState::exiting;
  const std::size_t pending = status->find(kPendingLine);
  if (pending == status->npos) return TaskState::unknown;
  const auto signals = std::strtoull(status->c_str() + pending + kPendingLine.size(), nullptr, 16);
  return (signals & kKillPending) != 0 ? TaskState::doomed : TaskState::running;
}

// Whether it holds for each task that is still there.
template <class Holds>
bool all_tasks(DIR* tasks, Holds&& holds) {
  ::rewinddir(tasks);
  while (const dirent* entry = ::readdir(tasks)) {
    if (entry->d_name[0] == '.') continue;
    const TaskState state = state_of_task(::dirfd(tasks), entry->d_name);
    if (state != TaskState::gone && !holds(state)) return false;
  }
  return true;
}

// One look is not enough: a task that was seen exiting may have made another one that the list did
// not show yet. In the second look nobody is left who could have made one since the first.
template <class Holds>
bool all_tasks_twice(std::int32_t pid, Holds&& holds) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/task", pid);
  const std::unique_ptr<DIR, CloseDirectory> tasks(::opendir(path.data()));
  if (tasks == nullptr) return errno == ENOENT;
  return all_tasks(tasks.get(), holds) && all_tasks(tasks.get(), holds);
}

}  // namespace

bool has_stopped_running(std::int32_t pid) noexcept {
  return all_tasks_twice(pid, [](TaskState state) { return state == TaskState::exiting; });
}

bool has_only_doomed_threads(std::int32_t pid) noexcept {
  return all_tasks_twice(pid, [](TaskState state) {
    return state == TaskState::exiting || state == TaskState::doomed;
  });
}

}  // namespace tarn::os
