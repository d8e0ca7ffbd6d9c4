// directory.h - the run directory: ours alone, every level checked.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace tarn::os {

// Makes each level of `path` below `trusted`, mode 0700, and checks every level from `trusted` on:
// a directory, no link, owned by this user, closed to others. unsafe_directory names the level.
// `trusted` itself may be a shared sticky directory such as /tmp.
FullStatus make_private_directory(const std::string& trusted, const std::string& path);
// The same checks, creating nothing; not_found when a level is missing.
FullStatus check_private_directory(const std::string& trusted, const std::string& path);

// An exclusive lock on the file, made if missing, held until the descriptor closes. Never follows
// a link. Error::busy when somebody else has it.
Result<UniqueFd, Error> lock_file(const std::string& path);
// Writes the file whole or not at all.
FullStatus replace_file(const std::string& path, const std::string& text);
// Of a file, socket or directory of ours; never of what a link points to.
FullStatus set_mode(const std::string& path, std::uint32_t mode);
// The file's text, at most 4096 bytes, or empty.
std::string read_small_file(const std::string& path);
void remove_file(const std::string& path) noexcept;
// Removes the directory if it is empty.
void remove_directory(const std::string& path) noexcept;
bool is_executable(const std::string& path) noexcept;
// Where this program, and the library's code, were loaded from.
std::string program_path();
std::string library_path();

}  // namespace tarn::os
