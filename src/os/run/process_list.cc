// Which processes there are, from /proc: our own children, and the members of a session.

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "os/process.h"
#include "os/run/command.h"

namespace tarn::os {
namespace {

// Fields 3, 4 and 6 of /proc/PID/stat.
struct ProcessFacts {
  char state = 0;
  std::int32_t parent = 0;
  std::int32_t session = 0;
  bool is_alive() const noexcept { return state != 'Z' && state != 'X'; }
};

std::optional<ProcessFacts> facts_of(std::int32_t pid) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
  const UniqueFd file(::open(path.data(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::array<char, 1024> text{};
  if (::read(file.get(), text.data(), text.size() - 1) <= 0) return std::nullopt;
  // The name in parentheses may hold anything, so the fields are counted after the last ')'.
  const char* cursor = std::strrchr(text.data(), ')');
  ProcessFacts facts;
  std::int32_t group = 0;
  if (cursor == nullptr || std::sscanf(cursor + 1, " %c %d %d %d", &facts.state, &facts.parent,
                                       &group, &facts.session) != 4) {
    return std::nullopt;
  }
  return facts;
}

// Of another account's process nothing is to be seen, and it is none of ours.
bool has_word(std::int32_t pid, const std::string& word) {
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

template <class Wanted>
std::vector<std::int32_t> processes(Wanted&& wanted) {
  std::vector<std::int32_t> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return found;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::int32_t pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    const auto facts = facts_of(pid);
    if (facts && facts->is_alive() && wanted(*facts)) found.push_back(pid);
  }
  return found;
}

}  // namespace

std::vector<std::int32_t> own_children() {
  const std::int32_t self = own_pid();
  return processes([&](const ProcessFacts& facts) { return facts.parent == self; });
}

std::vector<std::int32_t> session_members(std::int32_t session) {
  return processes([&](const ProcessFacts& facts) { return facts.session == session; });
}

std::vector<std::int32_t> processes_with(const std::string& word) {
  std::vector<std::int32_t> found;
  for (const std::int32_t pid : processes([](const ProcessFacts&) { return true; })) {
    if (has_word(pid, word)) found.push_back(pid);
  }
  return found;
}

std::int32_t session_of_process(std::int32_t pid) noexcept {
  const auto facts = facts_of(pid);
  return facts ? facts->session : 0;
}

}  // namespace tarn::os
