// command.h - running somebody's command: in a session of its own, with the environment, limits
// and directory that were asked for, and the end of all that it starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/child.h"
#include "os/fd.h"

namespace tarn::os {

struct ResourceLimitWish {
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

struct CommandPlan {
  const std::vector<std::string>* arguments = nullptr;
  const std::vector<std::string>* environment = nullptr;
  std::vector<ResourceLimitWish> limits;  // by number; above our own they are cut to those
  std::uint32_t file_mode_mask = 022;
  int directory = -1;
};

// A command that was started. Standard input is /dev/null.
struct StartedCommand {
  std::int32_t pid = 0;  // also its session and process group
  UniqueFd output;       // read ends, non-blocking
  UniqueFd errors;
  // Ends when the command is executed; before that, says why it cannot be: exec_error_in().
  UniqueFd report;
  UniqueFd go;  // it waits before it is executed: release_command()
};
void release_command(StartedCommand& command) noexcept;
// The command is killed when this process ends. Its PATH is that of its environment. Requires: this
// process has one thread.
Result<StartedCommand, Error> start_command(const CommandPlan& plan);

enum class ExecReport : std::uint8_t { pending, executed, refused };
// `error` becomes errno when it is refused.
ExecReport exec_report(int fd, int& error) noexcept;

enum class ReadOutcome : std::uint8_t { some, nothing, ended };
// Replaces `text` by what can be read now.
ReadOutcome read_some(int fd, std::string& text) noexcept;

// A child that has ended, reaped; pid 0 when none has. `none_left` when there are no children.
struct ReapedChild {
  std::int32_t pid = 0;
  ChildEnd end;
  bool none_left = false;
};
ReapedChild reap_any() noexcept;

// Requires: `leader` is a child that is not reaped yet; it gets the signal itself while it has no
// group.
void signal_group(std::int32_t leader, int signal) noexcept;
// Our children that are not reaped.
std::vector<std::int32_t> own_children();
// Processes that live in this session.
std::vector<std::int32_t> session_members(std::int32_t session);
// Whether it was executed with this word ("NAME=value") in its environment, as far as we may see.
bool was_executed_with(std::int32_t pid, const std::string& word);
// Processes that were executed with this word ("NAME=value") in their environment.
std::vector<std::int32_t> processes_with(const std::string& word);
// The session of a process, 0 when it is gone.
std::int32_t session_of_process(std::int32_t pid) noexcept;

// What a caller hands over with a command: its own.
std::vector<std::string> own_environment();
std::vector<ResourceLimitWish> own_limits();
std::uint32_t own_file_mode_mask() noexcept;
Result<UniqueFd, Error> open_working_directory();
bool is_directory(int fd) noexcept;

}  // namespace tarn::os
