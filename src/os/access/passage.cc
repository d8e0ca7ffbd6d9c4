#include "os/access/passage.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "os/process.h"
#include "os/socket.h"
#include "os/system_error.h"

namespace tarn::os {
namespace {

constexpr mode_t kPassable = 0711;

Error unsafe(const std::string& level, const std::string& why) {
  return Error(Error::unsafe_directory, "use the door for other accounts", "'" + level + "' " + why,
               "remove it, or set TARN_DOORS to another directory");
}

Error cannot_examine(const std::string& level) {
  if (errno == ENOENT) return Error(Error::not_found, "use the door", level, {});
  return system_error("examine the door for other accounts", level);
}

// Where everybody may write, only the sticky bit keeps others from renaming what is ours.
FullStatus check_public(const std::string& trusted) {
  struct stat facts {};
  if (::stat(trusted.c_str(), &facts) != 0) return cannot_examine(trusted);
  if (!S_ISDIR(facts.st_mode)) return unsafe(trusted, "is not a directory");
  const bool open = (facts.st_mode & 022) != 0;
  if (open && (facts.st_mode & S_ISVTX) == 0) {
    return unsafe(trusted, "may be written by others and is not sticky");
  }
  return Done{};
}

FullStatus check_level(const std::string& level, std::uint32_t owner_uid) {
  struct stat facts {};
  if (::lstat(level.c_str(), &facts) != 0) return cannot_examine(level);
  if (S_ISLNK(facts.st_mode)) return unsafe(level, "is a link");
  if (!S_ISDIR(facts.st_mode)) return unsafe(level, "is not a directory");
  if (facts.st_uid != owner_uid) {
    return unsafe(level, "belongs to uid " + std::to_string(facts.st_uid) + ", not to uid " +
                             std::to_string(owner_uid));
  }
  if ((facts.st_mode & 022) != 0) return unsafe(level, "may be written by others");
  return Done{};
}

// Calls visit(level) for each, from the top.
template <class Visit>
FullStatus walk(const std::string& trusted, const std::string& path, Visit&& visit) {
  if (auto good = check_public(trusted); !good) return good;
  std::size_t end = trusted.size();
  while (end < path.size()) {
    end = path.find('/', end + 1);
    if (end == std::string::npos) end = path.size();
    if (auto done = visit(path.substr(0, end)); !done) return done;
  }
  return Done{};
}

}  // namespace

FullStatus make_passage(const std::string& trusted, const std::string& path) {
  return walk(trusted, path, [](const std::string& level) -> FullStatus {
    if (::mkdir(level.c_str(), kPassable) != 0 && errno != EEXIST) {
      return system_error("make the door for other accounts", level);
    }
    if (auto checked = check_level(level, own_uid()); !checked) return checked;
    // It is ours: what the umask took away comes back.
    if (::chmod(level.c_str(), kPassable) != 0) return system_error("open", level);
    return Done{};
  });
}

FullStatus check_passage(const std::string& trusted, const std::string& path,
                         std::uint32_t owner_uid) {
  return walk(trusted, path,
              [&](const std::string& level) { return check_level(level, owner_uid); });
}

FullStatus check_socket(const std::string& path, std::uint32_t owner_uid) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return cannot_examine(path);
  if (!S_ISSOCK(facts.st_mode)) return unsafe(path, "is not a socket");
  if (facts.st_uid != owner_uid) {
    return unsafe(path, "belongs to uid " + std::to_string(facts.st_uid) + ", not to uid " +
                            std::to_string(owner_uid));
  }
  return Done{};
}

Result<UniqueFd, Error> listen_for_others(const std::string& path,
                                          std::optional<std::uint32_t> group) {
  auto listener = listen_at(path);
  if (!listener) return listener;
  allow_descriptors(listener->get(), false);
  // Whoever may connect is judged all the same; a tighter mode only spares the node the trouble.
  const bool grouped = group && ::chown(path.c_str(), static_cast<uid_t>(-1), *group) == 0;
  if (::chmod(path.c_str(), grouped ? 0660 : 0666) != 0) return system_error("open", path);
  return listener;
}

}  // namespace tarn::os
