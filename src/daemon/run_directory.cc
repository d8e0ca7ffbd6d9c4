#include "daemon/run_directory.h"

#include <cerrno>
#include <string>

#include "os/directory.h"
#include "os/process.h"
#include "os/socket.h"

namespace tarn::daemon {
namespace {

constexpr int kTakeAttempts = 100;

// base/log.h keeps two rotated files beside the log.
constexpr const char* kLogEndings[] = {"", ".1", ".2"};

Result<os::UniqueFd, Error> take_once(const wire::RunPaths& paths) {
  if (auto made = os::make_private_directory(paths.trusted, paths.directory); !made) {
    return std::move(made).error();
  }
  return os::lock_file(paths.lock_file);
}

}  // namespace

Result<RunDirectory, Error> RunDirectory::take(const wire::RunPaths& paths) {
  for (int attempt = 1;; ++attempt) {
    auto taken = take_once(paths);
    if (taken) return RunDirectory(paths, std::move(*taken));
    const Error& why = taken.error();
    // A daemon that is ending removes each directory that is empty: make them again.
    const bool vanished = why.code() == Error::not_found || why.system_error() == ENOENT;
    if (!vanished || attempt == kTakeAttempts) return std::move(taken).error();
  }
}

FullStatus RunDirectory::write_pid() {
  return os::replace_file(paths_.pid_file, std::to_string(os::own_pid()) + "\n");
}

Result<os::UniqueFd, Error> RunDirectory::listen() { return os::listen_at(paths_.socket); }

void RunDirectory::remove(bool keep_log) noexcept {
  if (!keep_socket_) os::remove_file(paths_.socket);
  os::remove_file(paths_.pid_file);
  if (!keep_log) {
    for (const char* ending : kLogEndings) os::remove_file(paths_.log_file + ending);
  }
  os::remove_file(paths_.lock_file);
  lock_.reset();
  std::string level = paths_.directory;
  while (level.size() > paths_.trusted.size()) {
    os::remove_directory(level);
    level.erase(level.rfind('/'));
  }
}

}  // namespace tarn::daemon
