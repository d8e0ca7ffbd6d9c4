// spawn.h - starting another program from a process that may have several threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/child.h"
#include "os/fd.h"

namespace tarn::os {

// What the new program gets. Its signals are as for a fresh process, whatever they are here.
struct SpawnPlan {
  std::string program;                 // a path
  std::vector<std::string> arguments;  // with the program's own name first
  // They become 3, 4, ... there, and nothing else above 2 is open.
  std::vector<int> descriptors;
};

// Starts it without copying this process's memory. Returns its pid, which this process has to reap.
Result<std::int32_t, Error> spawn(const SpawnPlan& plan);

// A program that was started, not yet reaped.
struct StartedChild {
  std::int32_t pid = 0;
  UniqueFd process;  // pidfd
};
// This process's own program: whatever became of the file, it is the same version.
inline constexpr const char* kOwnProgram = "/proc/self/exe";
// With a descriptor that tells of its end; without one it is ended. Takes what spawn() said.
Result<StartedChild, Error> watch_started(Result<std::int32_t, Error> pid);

// The words as exec takes them: borrowed, with null at the end.
std::vector<char*> raw_words(const std::vector<std::string>& words);

// Orphaned descendants become children of this process, not of init.
FullStatus adopt_orphans() noexcept;
// The pid of a child that has ended and is not reaped, or 0.
std::int32_t ended_child() noexcept;
// Reaps the child; nothing when it is not ours or has not ended. Never waits.
std::optional<ChildEnd> reap_if_ended(std::int32_t pid) noexcept;

}  // namespace tarn::os
