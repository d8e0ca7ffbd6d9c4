#include "client/connection.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "os/process.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;

constexpr auto kComeBackWithin = 10s;
// A try: whoever ends the session meanwhile waits for it.
constexpr auto kConnectWithin = 200ms;
// How often who waits for an answer makes sure that somebody is there to give it.
constexpr auto kLookAfterWorker = 1s;

// Another node, or one that does not know us: what it says will not change. A node that lacks
// something for now is asked again.
bool is_final(Error::Code code) noexcept {
  return code == Error::access_denied || code == Error::version_mismatch ||
         code == Error::invalid_argument || code == Error::corrupt;
}

Error lost(const char* attempted, const wire::RunPaths& paths) {
  return Error(Error::node_lost, attempted, "node at '" + paths.directory + "'",
               "it ended or does not answer: see `tarn status`, then connect again");
}

}  // namespace

Result<Reply, Error> ask_once(int socket, std::span<const std::byte> request, int descriptor,
                              Deadline deadline) {
  const std::array<int, 1> beside{descriptor};
  return ask_once(socket, request,
                  descriptor >= 0 ? std::span<const int>(beside) : std::span<const int>(),
                  deadline);
}

Result<Reply, Error> ask_once(int socket, std::span<const std::byte> request,
                              std::span<const int> descriptors, Deadline deadline) {
  // A node that refuses us may have closed by now; what it said first can still be read.
  if (os::send_message(socket, request, descriptors, true) == os::SendOutcome::no_descriptors) {
    // Another account's node takes none before it has looked at us.
    auto heard = ask_once(socket, wire::bytes_of(wire::make<wire::Knock>(0)), -1, deadline);
    if (!heard || !heard->as<wire::DoneReply>("join the domain")) return heard;
    os::send_message(socket, request, descriptors, true);
  }
  if (!os::wait_readable(socket, deadline)) {
    return Error(Error::node_lost, "ask the node", "no answer in time", "see the node's log");
  }
  std::array<std::byte, wire::kMaxMessageBytes> buffer{};
  auto received = os::receive_message(socket, buffer, true);
  if (received.outcome == os::ReceiveOutcome::descriptors_dropped) {
    return Error(Error::no_descriptors, "ask the node", "RLIMIT_NOFILE",
                 "raise the limit of open files (ulimit -n)");
  }
  if (received.outcome != os::ReceiveOutcome::ok) {
    return Error(Error::node_lost, "ask the node", "it closed the connection", "try again");
  }
  Reply reply;
  reply.bytes.assign(buffer.begin(),
                     buffer.begin() + static_cast<std::ptrdiff_t>(received.size_bytes));
  reply.descriptors = std::move(received.descriptors);
  return reply;
}

Connection::Connection(os::UniqueFd socket, wire::RunPaths paths, wire::Hello resume, Hooks hooks)
    : paths_(std::move(paths)),
      resume_(resume),
      hooks_(std::move(hooks)),
      socket_(std::move(socket)) {}

FullStatus Connection::begin() {
  auto thread = os::start_quiet_thread("tarn-session", [this] { run(); });
  if (!thread) return std::move(thread).error();
  thread_ = std::move(*thread);
  return Done{};
}

Connection::~Connection() {
  {
    const std::lock_guard guard(lock_);
    ending_ = true;
    if (socket_) {
      const auto goodbye = wire::make<wire::Goodbye>(0);
      os::send_message(socket_.get(), wire::bytes_of(goodbye), {}, false);
      os::end_conversation(socket_.get());
    }
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

std::uint64_t Connection::next_request() noexcept {
  const std::lock_guard guard(lock_);
  return next_++;
}

// model: worker_handover.pml, labels say_hello, ask_open, ask_again, ask_leave
Result<Reply, Error> Connection::ask_bytes(std::uint64_t number, std::span<const std::byte> request,
                                           int descriptor, const char* attempted) {
  Pending pending;
  pending.request.assign(request.begin(), request.end());
  pending.descriptor = descriptor;
  pending.attempted = attempted;
  std::unique_lock guard(lock_);
  if (node_ended_ || lost_) return lost(attempted, paths_);
  asked_[number] = &pending;
  // A broken line is noticed by the thread, which sends this once more when it is back.
  if (socket_) send_pending(number, pending);
  const auto is_over = [&] { return pending.answered || node_ended_ || lost_ || ending_; };
  while (!changed_.wait_for(guard, kLookAfterWorker, is_over)) {
    // A worker that the kernel does not let die keeps its end of the line open. The thread comes
    // back.
    if (socket_ && hooks_.is_replaced()) os::end_conversation(socket_.get());
  }
  asked_.erase(number);
  if (!pending.answered) return lost(attempted, paths_);
  return std::move(pending.reply);
}

void Connection::run() {
  for (;;) {
    bool lost = false;
    {
      const std::lock_guard guard(lock_);
      if (ending_) return;
      lost = node_ended_;
    }
    if (lost) return hooks_.node_lost();
    if (!socket_) {
      come_back();
      continue;
    }
    if (os::wait_readable(socket_.get(), Deadline::never())) receive_one();
  }
}

void Connection::receive_one() {
  std::array<std::byte, wire::kMaxMessageBytes> buffer;
  auto received = os::receive_message(socket_.get(), buffer, false);
  switch (received.outcome) {
    case os::ReceiveOutcome::ok:
    case os::ReceiveOutcome::descriptors_dropped:
      handle(std::span(buffer).first(received.size_bytes), std::move(received.descriptors));
      return;
    case os::ReceiveOutcome::would_block:
    case os::ReceiveOutcome::too_long:
      return;
    case os::ReceiveOutcome::ended:
      const std::lock_guard guard(lock_);
      socket_.reset();
      return;
  }
}

void Connection::handle(std::span<const std::byte> packet, std::vector<os::UniqueFd> descriptors) {
  const auto header = wire::decode_header(packet);
  if (!header) return;
  if (header->type == wire::MessageType::notice_segment_gone) {
    const auto notice = wire::decode<wire::NoticeSegmentGone>(packet);
    if (notice) hooks_.segment_gone({notice->index, notice->generation});
    return;
  }
  const std::lock_guard guard(lock_);
  if (header->type == wire::MessageType::notice_shutdown) {
    node_ended_ = true;
  } else if (const auto found = asked_.find(header->request); found != asked_.end()) {
    found->second->reply.bytes.assign(packet.begin(), packet.end());
    found->second->reply.descriptors = std::move(descriptors);
    found->second->answered = true;
  }
  changed_.notify_all();
}

// The worker is gone. The keeper still listens, so that connecting succeeds at once and the next
// worker answers; a node that ended altogether refuses.
void Connection::come_back() {
  const Deadline deadline = Deadline::in(kComeBackWithin);
  auto pause = 1ms;
  for (;;) {
    if (try_resume()) return;
    std::unique_lock guard(lock_);
    if (ending_ || node_ended_) return;
    if (deadline.has_passed()) {
      lost_ = true;
      node_ended_ = true;
      changed_.notify_all();
      return;
    }
    changed_.wait_for(guard, pause, [&] { return ending_; });
    pause = std::min(pause * 2, std::chrono::milliseconds(100));
  }
}

bool Connection::try_resume() {
  hooks_.coming_back();
  auto socket = os::connect_to(paths_.socket, Deadline::in(kConnectWithin));
  if (!socket) return false;
  const auto node = os::peer_of(socket->get());
  if (!node || !speaks_for(*node, paths_.owner_uid)) return false;
  // The node has our segment: sent again, it would cost a full node the descriptor that it lacks.
  auto reply = ask_once(socket->get(), wire::bytes_of(resume_), -1, Deadline::in(2s));
  if (!reply) return false;
  const auto welcome = reply->as<wire::Welcome>("come back to the node");
  if (welcome && !hooks_.back(*reply)) return false;
  const std::lock_guard guard(lock_);
  if (!welcome) {
    node_ended_ = is_final(welcome.error().code());
    changed_.notify_all();
    return node_ended_;
  }
  socket_ = std::move(*socket);
  send_pending_again();
  return true;
}

// Requires: lock_ is held.
void Connection::send_pending_again() {
  for (const auto& [number, pending] : asked_) {
    if (!pending->answered) send_pending(number, *pending);
  }
  changed_.notify_all();
}

// What was not sent will not be answered. Another account's node takes our descriptors as long as
// it has us take part; who has lost that right after the session began is told so. Requires: lock_
// is held.
void Connection::send_pending(std::uint64_t number, Pending& pending) {
  const std::array<int, 1> beside{pending.descriptor};
  const auto sent = os::send_message(
      socket_.get(), pending.request,
      pending.descriptor >= 0 ? std::span<const int>(beside) : std::span<const int>(), true);
  if (sent != os::SendOutcome::no_descriptors) return;
  const auto refusal = wire::make_error(
      number, Error(Error::access_denied, pending.attempted,
                    "the node takes no memory from this account any more",
                    "ask the node's owner: `tarn access allow`, then connect again"));
  const auto bytes = wire::bytes_of(refusal);
  pending.reply.bytes.assign(bytes.begin(), bytes.end());
  pending.answered = true;
}

}  // namespace tarn
