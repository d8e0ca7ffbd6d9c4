#include "os/directory.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>

#include "os/system_error.h"

namespace tarn::os {
namespace {

Error unsafe(const std::string& level, const std::string& why) {
  return Error(Error::unsafe_directory, "use the run directory", "'" + level + "' " + why,
               "remove it, or set XDG_RUNTIME_DIR to a directory that is yours alone");
}

FullStatus check_level(const std::string& level) {
  struct stat facts {};
  if (::lstat(level.c_str(), &facts) != 0) {
    if (errno == ENOENT) return Error(Error::not_found, "use the run directory", level, {});
    return system_error("examine the run directory", level);
  }
  if (S_ISLNK(facts.st_mode)) return unsafe(level, "is a link");
  if (!S_ISDIR(facts.st_mode)) return unsafe(level, "is not a directory");
  if (facts.st_uid != ::getuid()) {
    return unsafe(level, "belongs to uid " + std::to_string(facts.st_uid));
  }
  if ((facts.st_mode & 077) != 0) return unsafe(level, "is open to other users");
  return Done{};
}

FullStatus walk(const std::string& trusted, const std::string& path, bool create) {
  std::size_t end = trusted.size();
  while (end < path.size()) {
    end = path.find('/', end + 1);
    if (end == std::string::npos) end = path.size();
    const std::string level = path.substr(0, end);
    if (create && ::mkdir(level.c_str(), 0700) != 0 && errno != EEXIST) {
      return system_error("make the run directory", level);
    }
    if (auto checked = check_level(level); !checked) return checked;
  }
  return Done{};
}

constexpr int kLockAttempts = 100;

bool is_file_at(int fd, const std::string& path) noexcept {
  struct stat ours {};
  struct stat there {};
  return ::fstat(fd, &ours) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

}  // namespace

FullStatus make_private_directory(const std::string& trusted, const std::string& path) {
  return walk(trusted, path, true);
}

FullStatus check_private_directory(const std::string& trusted, const std::string& path) {
  return walk(trusted, path, false);
}

Result<UniqueFd, Error> lock_file(const std::string& path) {
  for (int attempt = 0; attempt < kLockAttempts; ++attempt) {
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return system_error("open the lock", path);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return system_error("lock", path);
      return Error(Error::busy, "lock", path, "another daemon serves this domain already");
    }
    // The last owner may have removed the file between our open and our lock: then the lock that
    // counts is on a file made since, or on none yet.
    if (is_file_at(file.get(), path)) return file;
  }
  return Error(Error::busy, "lock", path, "another daemon is ending: try again");
}

FullStatus replace_file(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  {
    const UniqueFd file(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return system_error("write", fresh);
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      return system_error("write", fresh);
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return system_error("replace", path);
  return Done{};
}

FullStatus set_mode(const std::string& path, std::uint32_t mode) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return system_error("set the mode", path);
  if (S_ISLNK(facts.st_mode)) return unsafe(path, "is a link");
  if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) {
    return system_error("set the mode", path);
  }
  return Done{};
}

std::string read_small_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return {};
  std::array<char, 4096> text{};
  const ssize_t count = ::read(file.get(), text.data(), text.size());
  return count <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(count));
}

void remove_file(const std::string& path) noexcept { ::unlink(path.c_str()); }
void remove_directory(const std::string& path) noexcept { ::rmdir(path.c_str()); }

bool is_executable(const std::string& path) noexcept {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

std::string program_path() {
  std::array<char, PATH_MAX> text{};
  const ssize_t count = ::readlink("/proc/self/exe", text.data(), text.size());
  return count <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(count));
}

std::string library_path() {
  Dl_info facts{};
  if (::dladdr(reinterpret_cast<const void*>(&library_path), &facts) == 0) return {};
  return facts.dli_fname != nullptr ? facts.dli_fname : std::string();
}

}  // namespace tarn::os
