// run_directory.h - a domain's run directory, taken by the one daemon that may use it.
#pragma once

#include "base/result.h"
#include "os/fd.h"
#include "wire/names.h"

namespace tarn::daemon {

class RunDirectory {
 public:
  // Makes and checks the directory, and takes the lock before it touches anything else. busy when
  // another daemon has it: nothing was changed then.
  static Result<RunDirectory, Error> take(const wire::RunPaths& paths);

  const wire::RunPaths& paths() const noexcept { return paths_; }
  FullStatus write_pid();
  Result<os::UniqueFd, Error> listen();
  // The socket is a service manager's: it stays.
  void keep_socket() noexcept { keep_socket_ = true; }
  // Removes what take(), write_pid(), listen() and the log made, then each directory that is empty.
  // The lock goes last: until then nobody else can be here.
  void remove(bool keep_log) noexcept;
  // In a child: the lock stays the parent's.
  void forget_lock() noexcept { lock_.reset(); }

 private:
  RunDirectory(wire::RunPaths paths, os::UniqueFd lock) noexcept
      : paths_(std::move(paths)), lock_(std::move(lock)) {}
  wire::RunPaths paths_;
  os::UniqueFd lock_;
  bool keep_socket_ = false;
};

}  // namespace tarn::daemon
