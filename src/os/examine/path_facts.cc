#include "os/examine/path_facts.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fstream>
#include <sstream>

#include "os/fd.h"
#include "os/socket.h"

namespace tarn::os {
namespace {

PathKind kind_of(mode_t mode) noexcept {
  if (S_ISDIR(mode)) return PathKind::directory;
  if (S_ISREG(mode)) return PathKind::file;
  if (S_ISLNK(mode)) return PathKind::link;
  if (S_ISSOCK(mode)) return PathKind::socket;
  return PathKind::other;
}

std::string target_of(const std::string& link) {
  std::array<char, PATH_MAX> text{};
  const ssize_t count = ::readlink(link.c_str(), text.data(), text.size());
  return count <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(count));
}

}  // namespace

PathFacts look_at(const std::string& path, bool follow) {
  PathFacts facts;
  facts.path = path;
  struct stat found {};
  if (::fstatat(AT_FDCWD, path.c_str(), &found, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return facts;
    facts.kind = PathKind::unreadable;
    facts.error = errno;
    return facts;
  }
  facts.kind = kind_of(found.st_mode);
  facts.uid = found.st_uid;
  facts.mode = found.st_mode & 07777;
  facts.inode = found.st_ino;
  if (facts.kind == PathKind::link) facts.link_target = target_of(path);
  return facts;
}

int may_write_in(const std::string& directory) noexcept {
  return ::access(directory.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
}

SocketAnswer knock(const std::string& socket_path) noexcept {
  if (socket_path.size() > kMaxSocketPath) return SocketAnswer::refused;
  const UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return SocketAnswer::refused;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.get(), generic, sizeof address) == 0) return SocketAnswer::listening;
  if (errno == ECONNREFUSED) return SocketAnswer::nobody;
  return errno == EAGAIN ? SocketAnswer::queue_full : SocketAnswer::refused;
}

std::optional<std::int32_t> lock_holder(std::uint64_t inode) {
  // "1: FLOCK  ADVISORY  WRITE 4711 00:2a:1234 0 EOF"; one who waits has "->" after the number.
  // Devices are left out: overlay file systems show another one here than stat() does.
  std::ifstream file("/proc/locks");
  const std::string wanted = ":" + std::to_string(inode);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string number, kind, manner, access, where;
    std::int32_t pid = 0;
    if (!(words >> number >> kind >> manner >> access >> pid >> where)) continue;
    if (kind != "FLOCK" || where.size() < wanted.size()) continue;
    if (where.compare(where.size() - wanted.size(), wanted.size(), wanted) == 0) return pid;
  }
  return std::nullopt;
}

std::string read_tail(const std::string& path, std::size_t most_bytes) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return {};
  const auto size = static_cast<std::size_t>(std::max<off_t>(facts.st_size, 0));
  std::string text(std::min(size, most_bytes), '\0');
  const ssize_t count =
      ::pread(file.get(), text.data(), text.size(), static_cast<off_t>(size - text.size()));
  text.resize(count <= 0 ? 0 : static_cast<std::size_t>(count));
  return text;
}

}  // namespace tarn::os
