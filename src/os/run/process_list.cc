// Which processes there are, from /proc: our own children, and the members of a session.

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "os/life/process_stat.h"
#include "os/life/stopped.h"
#include "os/process.h"
#include "os/run/command.h"

namespace tarn::os {
namespace {

// A process whose first thread has ended is a zombie to look at, while others of it run.
bool has_ended(std::int32_t pid, const ProcessStat& stat) noexcept {
  return stat.state == 'X' || (stat.state == 'Z' && has_stopped_running(pid));
}

template <class Wanted>
std::vector<std::int32_t> processes(Wanted&& wanted) {
  std::vector<std::int32_t> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return found;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::int32_t pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    const auto stat = stat_of(pid);
    if (stat && wanted(pid, *stat)) found.push_back(pid);
  }
  return found;
}

}  // namespace

// Of another account's process nothing is to be seen, and it is none of ours.
bool was_executed_with(std::int32_t pid, const std::string& word) {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/environ", pid);
  const UniqueFd file(::open(path.data(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  std::string text(1, '\0');
  std::array<char, 65536> part{};
  for (ssize_t count = 0; (count = ::read(file.get(), part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  return text.find('\0' + word + '\0') != std::string::npos;
}

std::vector<std::int32_t> own_children() {
  const std::int32_t self = own_pid();
  // Ended ones too: nobody else gets their pids before they are reaped.
  return processes([&](std::int32_t, const ProcessStat& stat) { return stat.parent == self; });
}

std::vector<std::int32_t> session_members(std::int32_t session) {
  return processes([&](std::int32_t pid, const ProcessStat& stat) {
    return stat.session == session && !has_ended(pid, stat);
  });
}

std::vector<std::int32_t> processes_with(const std::string& word) {
  return processes([&](std::int32_t pid, const ProcessStat& stat) {
    return !has_ended(pid, stat) && was_executed_with(pid, word);
  });
}

std::int32_t session_of_process(std::int32_t pid) noexcept {
  const auto stat = stat_of(pid);
  return stat ? stat->session : 0;
}

}  // namespace tarn::os
