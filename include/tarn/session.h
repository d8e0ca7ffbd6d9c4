// session.h - this process's attachment to the node of its domain.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tarn/error.h"
#include "tarn/inspect.h"
#include "tarn/message.h"
#include "tarn/pipe.h"

namespace tarn {

// Which domain to join, and as whom. Everything has a default.
struct ConnectOptions {
  // The domain's key. Empty: $TARN_APPLICATION, else "default"; $TARN_USER, else the account's
  // name. Both 1 to 63 bytes of letters, digits, '.', '_' and '-', not beginning with '.'.
  std::string application{};
  std::string user{};
  // Shown by `tarn session ls`. Empty: the program's name.
  std::string name{};
  // Start the node when none runs. Observers say false, and get Error::node_unavailable.
  bool start_node = true;
  // Only looks: status(), pipes(), pipe_status(), sessions() and remove_pipe(). It is no session,
  // does not keep the node alive, and never starts one; everything else throws invalid_argument.
  bool observer = false;
  // How long to wait for a node that is starting.
  std::chrono::milliseconds patience{5000};
  // This session may own at most this many bytes; 0: the domain's limit alone counts.
  std::uint64_t quota_bytes = 0;
  // Another account, by name or number, whose node this is; $TARN_OWNER when empty. Its owner has
  // to let us in (`tarn access`); its node is never started from here, and its name is the default
  // for `user`.
  std::string owner{};
};

// A cheap handle, copyable, safe to use from any number of threads. The session ends when the last
// handle to it, its pipes, loans and messages goes, or with the process, however it dies. When the
// node's worker restarts, the library reconnects by itself. After fork() only the parent has it.
class Session {
 public:
  Session() noexcept = default;
  explicit operator bool() const noexcept { return core_ != nullptr || observer_ != nullptr; }

  // Opens the pipe, or creates it. Throws Error: invalid_argument (name or capacity),
  // option_mismatch (it exists with other options), table_full, domain_full, node_lost, forked.
  Pipe pipe(std::string_view name, const PipeOptions& options = {});
  // Opens it, or throws not_found.
  Pipe open_pipe(std::string_view name, const PipeOptions& options = {});
  // Creates it, or throws exists.
  Pipe create_pipe(std::string_view name, const PipeOptions& options = {});
  // Ends the name and closes the pipe: consumers that have it open may still drain it. Throws
  // not_found.
  void remove_pipe(std::string_view name);

  // Memory for one message, for any pipe of this session: another session's pipe takes a copy.
  // Throws Error: domain_full, quota_exceeded, no_memory, too_large, node_lost, forked.
  Loan loan(std::size_t size_bytes);
  // A value to fill in place in shared memory, for any pipe that only this account has open; for
  // others it is copied in. `expected_bytes` saves it growing. Throws what loan() throws.
  Value value(std::size_t expected_bytes = 0);
  // What was received, to be changed: a copy in this session's own memory, since nobody but its
  // maker can write what another process made. The message stays as it is: of an at-least-once pipe
  // it is best acknowledged when what became of it was pushed. Throws what loan() throws, and
  // wrong_type, version_mismatch, corrupt.
  Value edit(const Message& message);
  // Why the newest push() of this session returned no_memory or too_large.
  std::optional<Error> last_refusal() const;

  // Whether the node has gone for good. What is in memory still works; connect anew for more. False
  // for observers, who keep no connection.
  bool is_lost() const noexcept;

  // 0 for observers.
  std::uint32_t id() const noexcept;
  const std::string& application() const noexcept;
  const std::string& user() const noexcept;

  // What the node knows; watching changes nothing. Each throws node_lost when it does not answer.
  NodeStatus status();
  std::vector<PipeStatus> pipes();
  PipeStatus pipe_status(std::string_view name);  // throws not_found
  std::vector<SessionStatus> sessions();

 private:
  friend Session connect(const ConnectOptions& options);
  std::shared_ptr<detail::SessionCore> core_;
  std::shared_ptr<detail::Observer> observer_;  // instead of core_
};

// Joins the domain. Throws Error: node_unavailable, access_denied, version_mismatch,
// unsafe_directory, invalid_argument, no_descriptors, table_full, os.
Session connect(const ConnectOptions& options = {});

}  // namespace tarn
