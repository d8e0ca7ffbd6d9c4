#include "daemon/door.h"

#include <cerrno>

#include "os/access/passage.h"
#include "os/directory.h"
#include "os/process.h"

namespace tarn::daemon {

Result<os::UniqueFd, Error> open_door(const wire::DoorPaths& paths,
                                      std::optional<std::uint32_t> group) {
  constexpr int kAttempts = 100;
  for (int attempt = 1;; ++attempt) {
    auto made = os::make_passage(paths.trusted, paths.directory);
    auto door = made ? os::listen_for_others(paths.socket, group)
                     : Result<os::UniqueFd, Error>(std::move(made).error());
    // Another node of this account that ends removes each directory that is empty: make them again.
    const bool vanished =
        !door && (door.error().code() == Error::not_found || door.error().system_error() == ENOENT);
    if (!vanished || attempt == kAttempts) return door;
  }
}

void remove_door(const wire::DoorPaths& paths) noexcept {
  // Nothing is removed by way of a link or a directory that somebody else put there.
  if (paths.socket.empty()) return;
  if (!os::check_passage(paths.trusted, paths.directory, os::own_uid())) return;
  os::remove_file(paths.socket);
  std::string level = paths.directory;
  while (level.size() > paths.trusted.size()) {
    os::remove_directory(level);
    level.erase(level.rfind('/'));
  }
}

}  // namespace tarn::daemon
