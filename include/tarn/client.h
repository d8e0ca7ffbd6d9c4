// client.h - supervised clients: commands that the node starts, and starts again when they die.
//
// What `tarn run` and `tarn client` are made of. A client belongs to the node's user, and ends with
// the node. How it fares and what it says is read from memory: watching it disturbs nobody.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

struct ConnectOptions;

enum class RestartRule : std::uint8_t {
  on_failure,  // when it ended by a signal or with another status than 0
  always,
  never,
};

enum class ClientState : std::uint8_t {
  registered,
  starting,
  running,
  waiting,   // it died, and is started again when its back-off is over
  stopping,  // it was told to end, and has not yet
  stopped,   // it was told to end
  finished,  // it ended by itself, with success
  failed,    // it could not be executed, or ended without success too often
};
std::string_view name_of(ClientState state) noexcept;  // "running"
std::string_view name_of(RestartRule rule) noexcept;   // "on-failure"

struct ClientOptions {
  RestartRule restart = RestartRule::on_failure;
  // At most so many restarts in the window, then it has failed; 0: no limit.
  std::uint32_t limit_count = 5;
  std::chrono::nanoseconds limit_window = std::chrono::seconds(60);
  // The wait before a restart, doubled from one to the next; anew after a run of ten seconds.
  std::chrono::nanoseconds backoff_first = std::chrono::milliseconds(100);
  std::chrono::nanoseconds backoff_most = std::chrono::seconds(30);
  // Between SIGTERM to its process group and SIGKILL to all that it started.
  std::chrono::nanoseconds stop_timeout = std::chrono::seconds(10);
  // Stops the client that has the name, and takes its place.
  bool replace = false;
};

struct ClientStatus {
  std::uint32_t id = 0;
  std::string name;
  std::string command;  // its words, cut to fit
  ClientState state{};
  RestartRule restart{};
  std::int32_t pid = 0;  // 0: it does not run
  std::int32_t shepherd_pid = 0;
  std::uint32_t starts = 0;
  std::uint32_t ends = 0;           // how often it has ended
  std::int32_t exit_status = 0;     // of its newest end
  std::int32_t exit_signal = 0;     // not 0: this signal ended it
  std::int32_t exec_error = 0;      // not 0: errno, it could not be executed
  std::uint64_t up_ns = 0;          // since its start, while it runs
  std::uint64_t next_start_ns = 0;  // until its next start, while it waits
  std::int64_t started_unix_ns = 0;
  std::int64_t ended_unix_ns = 0;
};

// A piece of what a client wrote; it ends with its line, or where the client paused.
struct ClientOutput {
  std::int64_t unix_ns = 0;
  bool is_error = false;  // standard error, not standard output
  std::string text;
};

// A handle. Throws Error where it cannot: not_found, access_denied, node_unavailable, node_lost.
class Client {
 public:
  Client() noexcept = default;
  explicit operator bool() const noexcept { return core_ != nullptr; }
  const std::string& name() const noexcept;

  ClientStatus status();
  // Ends it, and returns once nothing of it is left. It can be restarted.
  ClientStatus stop();
  // Ends it when it runs, starts it, and returns once that is done. Throws not_found or
  // access_denied when it cannot be executed.
  ClientStatus restart();
  // Forgets it. Throws busy when it has not ended, unless `force`, which stops it.
  void remove(bool force = false);

  // Waits until it has ended for good (stopped, finished, failed), or the time is over: false.
  bool wait_end(std::chrono::nanoseconds timeout);
  // What it has written since the last call; at first, all that is kept (the last 256 KiB).
  std::vector<ClientOutput> output();
  // Waits until it may have written more, its state has changed, or the time is over.
  void wait_change(std::chrono::nanoseconds timeout);

 private:
  friend Client find_client(const ConnectOptions& options, std::string_view name);
  friend Client run_client(const ConnectOptions& options, std::string_view name,
                           const std::vector<std::string>& command, const ClientOptions& how);
  struct Core;
  void await_start(std::uint64_t serial);
  std::shared_ptr<Core> core_;
};

// Registers a client and starts it, with this process's environment, working directory, file mode
// mask and resource limits, beside TARN_APPLICATION, TARN_USER and TARN_CLIENT. Starts the node
// when none runs, to stay. Returns once the command has been executed. Throws Error: exists,
// invalid_argument, too_large, table_full; not_found, access_denied or os when it cannot be
// executed, and then it is not registered.
Client run_client(const ConnectOptions& options, std::string_view name,
                  const std::vector<std::string>& command, const ClientOptions& how = {});
// Throws not_found.
Client find_client(const ConnectOptions& options, std::string_view name);
std::vector<ClientStatus> list_clients(const ConnectOptions& options);

}  // namespace tarn
