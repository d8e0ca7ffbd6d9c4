// socket.h - Unix SEQPACKET sockets: short messages, descriptors beside them, the peer's identity.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "os/fd.h"

namespace tarn::os {

inline constexpr std::size_t kMaxSocketPath = 107;
inline constexpr std::size_t kMaxDescriptors = 4;  // in one message of ours
// In one message of anybody's, as the kernel has it.
inline constexpr std::size_t kMostDescriptorsOfAnybody = 253;

struct Peer {
  std::int32_t pid = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

// A listening socket at `path`, mode 0600, non-blocking. Removes a socket that stands there.
// Requires: the caller holds the domain's lock. `path` is at most kMaxSocketPath bytes.
Result<UniqueFd, Error> listen_at(const std::string& path);
// Waits while more connect than are accepted: node_lost when the deadline passes meanwhile.
// Error::node_unavailable when nobody listens there; os otherwise.
Result<UniqueFd, Error> connect_to(const std::string& path, Deadline deadline = Deadline::never());
// The next connection, non-blocking, or an invalid descriptor when none waits.
Result<UniqueFd, Error> accept_from(int listener);
Result<std::pair<UniqueFd, UniqueFd>, Error> socket_pair();

Result<Peer, Error> peer_of(int socket);
// A pidfd of the process at the other end: SO_PEERPIDFD, or pidfd_open where the kernel is older.
Result<UniqueFd, Error> peer_pidfd(int socket, std::int32_t pid);

// From now on what reaches the socket, or what a listener accepts, brings descriptors or none. Who
// receives none need not close what others made slow to close. False: the kernel is too old for it
// (before 6.16), and they may come as ever.
bool allow_descriptors(int socket, bool allowed) noexcept;

enum class SendOutcome : std::uint8_t {
  ok,
  would_block,
  no_descriptors,  // the other side takes none
  gone,
};
// One whole message or nothing. Never raises SIGPIPE.
SendOutcome send_message(int socket, std::span<const std::byte> bytes,
                         std::span<const int> descriptors, bool wait) noexcept;

enum class ReceiveOutcome : std::uint8_t {
  ok,
  would_block,
  ended,                // the other side closed or died
  too_long,             // longer than `buffer`: dropped
  descriptors_dropped,  // RLIMIT_NOFILE is reached: the kernel dropped what came along
};
struct Received {
  ReceiveOutcome outcome = ReceiveOutcome::ended;
  std::size_t size_bytes = 0;
  std::vector<UniqueFd> descriptors;
};
// The next whole message into `buffer`. With `wait`, blocks.
Received receive_message(int socket, std::span<std::byte> buffer, bool wait) noexcept;
// The same message, with descriptors for the same things, which stays where it is: it is received
// once more. Does not wait.
Received peek_message(int socket, std::span<std::byte> buffer) noexcept;

// Whoever reads at either end gets `ended`. What was sent before still arrives.
void end_conversation(int socket) noexcept;

// Waits until `fd` is readable (true) or the deadline passes (false).
bool wait_readable(int fd, Deadline deadline) noexcept;

}  // namespace tarn::os
