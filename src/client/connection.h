// connection.h - this session's line to its node: questions, answers and notices, and coming back
// after the node's worker was restarted.
//
// One background thread reads. Any thread may ask; it waits until its answer is there. When the
// line breaks the thread connects again, proves with its token who it is, and sends once more what
// was not answered; the node recognises what it carried out before.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "os/fd.h"
#include "os/socket.h"
#include "shm/segment/segment_layout.h"
#include "wire/messages.h"
#include "wire/names.h"

namespace tarn {

// An answer with what came beside it.
// Whether the process that made the socket may speak for the owner: it is the owner's, or root's,
// whose service manager listens for accounts, and who could do anything anyway.
inline bool speaks_for(const os::Peer& peer, std::uint32_t owner_uid) noexcept {
  return peer.uid == owner_uid || peer.uid == 0;
}

struct Reply {
  std::vector<std::byte> bytes;
  std::vector<os::UniqueFd> descriptors;

  template <class T>
  Result<T, Error> as(const char* attempted) const {
    if (auto record = wire::decode<T>(bytes)) return *record;
    if (const auto refusal = wire::decode<wire::ErrorReply>(bytes)) {
      return wire::to_error(*refusal);
    }
    return Error(Error::corrupt, attempted, "the node's answer", "restart the node");
  }
};

// Sends one record, with a descriptor beside it unless that is -1, and waits for the answer; for a
// socket that no background thread reads: the first exchange, and observers.
Result<Reply, Error> ask_once(int socket, std::span<const std::byte> request, int descriptor,
                              Deadline deadline);
Result<Reply, Error> ask_once(int socket, std::span<const std::byte> request,
                              std::span<const int> descriptors, Deadline deadline);

class Connection {
 public:
  struct Hooks {
    // Called on the background thread; must not ask.
    std::function<void(SegmentId)> segment_gone;
    // Called before each attempt to come back; must not ask.
    std::function<void()> coming_back;
    // Whether the worker that was there when we came has been replaced; must not ask.
    std::function<bool()> is_replaced;
    // The node knows us again, perhaps with another table than before, which came along. Called on
    // the background thread; must not ask. False: that could not be used, so it is to be tried
    // again.
    std::function<bool(const Reply&)> back;
    // The node has ended, does not come back, or does not know us any more. Called once.
    std::function<void()> node_lost;
  };

  // Takes over a connected socket after Welcome. `resume` is the Hello that brings us back.
  Connection(os::UniqueFd socket, wire::RunPaths paths, wire::Hello resume, Hooks hooks);
  // Starts the thread; nothing can be asked before.
  FullStatus begin();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  // Says goodbye and ends the thread.
  ~Connection();

  template <class T, class Request>
  Result<T, Error> ask(Request request, const char* attempted, int descriptor = -1,
                       os::UniqueFd* received = nullptr) {
    request.header.request = next_request();
    auto reply = ask_bytes(request.header.request, wire::bytes_of(request), descriptor, attempted);
    if (!reply) return std::move(reply).error();
    if (received != nullptr && !reply->descriptors.empty()) {
      *received = std::move(reply->descriptors.front());
    }
    auto record = reply->template as<T>(attempted);
    if (record && received != nullptr && !*received) {
      return Error(Error::no_descriptors, attempted, "the descriptor that came with the answer",
                   "raise the limit of open files (ulimit -n)");
    }
    return record;
  }

  // Sends without waiting for the answer; nothing happens when the line is down.
  template <class Request>
  void tell(Request request) noexcept {
    request.header.request = next_request();
    const std::lock_guard guard(lock_);
    if (socket_) os::send_message(socket_.get(), wire::bytes_of(request), {}, false);
  }

 private:
  struct Pending {
    std::vector<std::byte> request;
    int descriptor = -1;
    const char* attempted = "";
    bool answered = false;
    Reply reply;
  };

  std::uint64_t next_request() noexcept;
  Result<Reply, Error> ask_bytes(std::uint64_t number, std::span<const std::byte> request,
                                 int descriptor, const char* attempted);
  void run();
  void receive_one();
  void handle(std::span<const std::byte> packet, std::vector<os::UniqueFd> descriptors);
  void come_back();
  bool try_resume();
  void send_pending(std::uint64_t number, Pending& pending);
  void send_pending_again();

  const wire::RunPaths paths_;
  const wire::Hello resume_;
  const Hooks hooks_;
  std::mutex lock_;
  std::condition_variable changed_;
  os::UniqueFd socket_;                      // guarded by lock_; replaced by the thread alone
  std::map<std::uint64_t, Pending*> asked_;  // guarded by lock_
  std::uint64_t next_ = 1;                   // guarded by lock_
  bool ending_ = false;                      // guarded by lock_
  bool node_ended_ = false;                  // guarded by lock_
  bool lost_ = false;                        // guarded by lock_; the node did not come back in time
  std::thread thread_;
};

}  // namespace tarn
