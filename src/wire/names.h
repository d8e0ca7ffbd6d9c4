// names.h - which names a domain and a pipe may have, and where a domain's run directory is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::wire {

// A pipe's name: 1 to 63 bytes of UTF-8 without '/', control characters and spaces at the ends.
FullStatus check_pipe_name(std::string_view name);
// A part of the domain's key: 1 to 63 of letters, digits, '.', '_', '-', not beginning with '.'.
FullStatus check_key_part(std::string_view part, std::string_view what);

struct DomainKey {
  std::string application;
  std::string user;
};

// Where the domain's daemon keeps its pid, lock, socket and log.
struct RunPaths {
  std::string trusted;  // a directory that exists and is not ours to check: /tmp, $XDG_RUNTIME_DIR
  std::string directory;  // below it, ours
  std::string pid_file;
  std::string lock_file;
  std::string socket;
  std::string log_file;
  std::uint32_t owner_uid = 0;  // who has to be behind the socket
};
// `runtime_directory` is $XDG_RUNTIME_DIR or empty. invalid_argument when the socket's path would
// be longer than the kernel takes.
Result<RunPaths, Error> run_paths(const DomainKey& key, const std::string& runtime_directory,
                                  std::uint32_t uid);

// Where other accounts that the owner lets in find the node: docs/guide/access.md.
struct DoorPaths {
  std::string trusted;  // public: $TARN_DOORS, else /tmp
  std::string directory;
  std::string socket;
};
// `doors` is $TARN_DOORS or empty; `uid` the owner's.
Result<DoorPaths, Error> door_paths(const DomainKey& key, const std::string& doors,
                                    std::uint32_t uid);

}  // namespace tarn::wire
