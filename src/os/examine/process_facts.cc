#include "os/examine/process_facts.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "os/life/process_stat.h"

namespace tarn::os {

bool is_stopped(std::int32_t pid) {
  const auto stat = stat_of(pid);
  return stat && (stat->state == 'T' || stat->state == 't');
}

std::optional<std::vector<std::uint64_t>> open_memory(std::int32_t pid) {
  constexpr std::string_view kPrefix = "/memfd:";
  const std::string path = "/proc/" + std::to_string(pid) + "/fd";
  const auto close = [](DIR* folder) { ::closedir(folder); };
  const std::unique_ptr<DIR, decltype(close)> folder(::opendir(path.c_str()), close);
  if (folder == nullptr) return std::nullopt;
  const int here = ::dirfd(folder.get());
  std::vector<std::uint64_t> inodes;
  while (const dirent* entry = ::readdir(folder.get())) {
    std::array<char, 64> target{};
    const ssize_t length = ::readlinkat(here, entry->d_name, target.data(), target.size());
    if (length < 0) continue;
    const std::string_view text(target.data(), static_cast<std::size_t>(length));
    struct stat facts {};
    if (text.substr(0, kPrefix.size()) != kPrefix) continue;
    // It may have closed it meanwhile.
    if (::fstatat(here, entry->d_name, &facts, 0) == 0) inodes.push_back(facts.st_ino);
  }
  return inodes;
}

}  // namespace tarn::os
