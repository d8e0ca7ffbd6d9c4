// path_facts.h - what stands at a path, looked at from outside: nothing is made, changed or kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tarn::os {

enum class PathKind : std::uint8_t { missing, unreadable, directory, file, link, socket, other };

struct PathFacts {
  std::string path;
  PathKind kind = PathKind::missing;
  int error = 0;  // errno when unreadable
  std::uint32_t uid = 0;
  std::uint32_t mode = 0;  // permission and sticky bits
  std::uint64_t inode = 0;
  std::string link_target;  // of a link
};
// The path itself; what a link points to only with `follow`.
PathFacts look_at(const std::string& path, bool follow = false);

// 0 when this process may make files in the directory, else errno.
int may_write_in(const std::string& directory) noexcept;

enum class SocketAnswer : std::uint8_t {
  listening,
  nobody,      // the socket outlived who listened
  queue_full,  // somebody listens, and has stopped accepting
  refused,     // for another reason
};
// Connects to the socket and hangs up at once. Never waits. A path that is too long is refused.
SocketAnswer knock(const std::string& socket_path) noexcept;

// Who holds a flock on the file with this inode, as far as /proc/locks tells.
std::optional<std::int32_t> lock_holder(std::uint64_t inode);

// The last bytes of a regular file, or empty. Follows no link and waits for no writer.
std::string read_tail(const std::string& path, std::size_t most_bytes);

}  // namespace tarn::os
