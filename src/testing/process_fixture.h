// process_fixture.h - tests with several processes and a node of their own.
//
// A test program plays all parts: it is executed again with `--role=NAME` for each further process,
// so that every process connects by itself and has its own addresses. Each test has a private
// domain: a temporary run directory, and the tarnd that was built beside the test. Every process
// has a watchdog that says where its threads stand before it ends them. Only processes that the
// test started are ever signalled.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::testkit {

using Arguments = std::vector<std::string>;
// One part that a child process plays; returns its exit status.
using Role = std::function<int(const Arguments&)>;
using Roles = std::map<std::string, Role, std::less<>>;

// From now on: after 100 s, which is below ctest's own limit, or $TARN_WATCHDOG seconds, this
// process prints where its threads and its children's stand, and ends itself and them.
void set_watchdog();
// Prints where the threads of this process, its children and theirs stand.
void print_whereabouts();

// How a process ended.
struct Ending {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;
  bool is_success() const noexcept { return exit_code == 0; }
  std::string text() const;
};

// Where a child differs from its parent, carried out between fork and exec.
struct ChildTraits {
  std::function<void()> before_exec{};
  std::string error_file{};  // standard error goes there; empty: the parent's
};

// A process that this test started. It dies with its parent.
class Child {
 public:
  Child() = default;
  // Executes `words[0]`.
  static Child execute(const Arguments& words, const ChildTraits& traits = {});
  // Executes this test program to play a role.
  static Child play(std::string_view role, const Arguments& arguments = {},
                    const ChildTraits& traits = {});
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  // Kills it when it still runs.
  ~Child();

  pid_t pid() const noexcept { return pid_; }
  // Does nothing once it has ended.
  void signal(int number);
  bool has_ended();
  const Ending& wait();
  // SIGKILL, and waits.
  const Ending& kill();

 private:
  explicit Child(pid_t pid) noexcept : pid_(pid) {}
  bool reap(bool block);

  pid_t pid_ = -1;
  bool ended_ = true;
  Ending ending_;
};

// A run directory and a node for one test. Sets the environment that children inherit.
class PrivateDomain {
 public:
  PrivateDomain();
  PrivateDomain(const PrivateDomain&) = delete;
  PrivateDomain& operator=(const PrivateDomain&) = delete;
  // Ends the node, and removes the directory.
  ~PrivateDomain();

  // Starts tarnd as a child of this process, and waits until it is ready. False when it refused;
  // start_report() then says why.
  bool start(const Arguments& options = {}, const ChildTraits& traits = {});
  const std::string& start_report() const noexcept { return report_; }
  // Tells it to end, and waits.
  Ending stop();
  // Its process id while it runs; 0 when start() did not start it.
  pid_t keeper_pid() const noexcept;

  const std::filesystem::path& folder() const noexcept { return folder_; }
  // Where the node keeps its pid, lock and socket.
  std::filesystem::path run_directory() const;
  // What the node wrote to standard error.
  std::string log() const;
  static std::filesystem::path daemon_path();

 private:
  std::filesystem::path folder_;
  Child keeper_;
  std::string report_;
};

// From now on this process plays and starts copies of its programs, in a folder that every account
// may enter: the build may stand in one that others may not. Needs root.
void open_programs_to_all();

// Waits until the condition holds; the watchdog ends those for whom it never does.
void await(const std::function<bool()>& condition);

// The direct children of any process.
std::vector<pid_t> children_of(pid_t parent);
// SIGKILL for the forked child of a process of ours, once one runs; waits for its end. False
// when the parent is gone.
bool kill_child_of(pid_t parent);

// This program's role from its command line, or nothing when it is the test itself.
const Role* find_role(const Roles& roles, int argc, char** argv, Arguments& arguments);

}  // namespace tarn::testkit
