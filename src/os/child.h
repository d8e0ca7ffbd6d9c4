// child.h - fork() without exec: a program that restarts a part of itself.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace tarn::os {

// Copies this process; 0 in the child. Requires: this process has one thread.
Result<std::int32_t, Error> fork_process();
// The kernel ends the calling process by SIGKILL as soon as its parent ends. False when the parent
// `parent` has ended already.
bool end_with_parent(std::int32_t parent) noexcept;
// Ends this process now: no destructor runs, nothing is flushed.
[[noreturn]] void exit_at_once(int status) noexcept;

// How a child ended.
struct ChildEnd {
  int status = 0;  // of exit, when signal is 0
  int signal = 0;
  std::string text() const;  // "by signal 9 (Killed)"
};
// What waitpid() says of a child's end.
ChildEnd child_end(int raw_status) noexcept;
// Waits for the child.
ChildEnd reap_child(std::int32_t pid) noexcept;
// Requires: the child is not reaped yet, so that its pid is still its own.
void signal_child(std::int32_t pid, int signal) noexcept;

// Standard input and output become /dev/null, standard error the file, made if missing; the working
// directory becomes "/". What a background program does so that it keeps nothing of its starter.
FullStatus detach_from_terminal(const std::string& error_file);
// Opens /dev/null for each standard stream that is closed, so that no other file gets its number.
void open_standard_streams() noexcept;
// Closes what a program inherited, but for its standard streams and `kept` (or -1).
void close_inherited(int kept) noexcept;
// Writes the text to the descriptor, as much of it as it takes.
void write_text(int fd, const std::string& text) noexcept;

}  // namespace tarn::os
