// The worker's connections: from accept to close.

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "base/log.h"
#include "daemon/worker/requests/admission.h"
#include "daemon/worker/server.h"
#include "daemon/worker/server_tags.h"
#include "os/limits.h"

namespace tarn::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto kHelloPatience = 5s;
constexpr auto kHelloPatienceWhenMany = 1s;
constexpr std::size_t kMostSilent = 1024;
constexpr int kAcceptsPerEvent = 64;
constexpr int kMessagesPerEvent = 16;  // then it is another client's turn
constexpr auto kListenerRest = 50ms;

Error no_descriptors() {
  return Error(Error::no_descriptors, "serve a client", "the node has no descriptors left",
               "raise the limit of open files (ulimit -n) where the node starts");
}

// What is kept of the last descriptors that came in would be missed when the next worker has to
// recover and serve what is there.
bool leaves_spare_descriptors(const Request& request) {
  return std::all_of(request.descriptors.begin(), request.descriptors.end(),
                     [](const os::UniqueFd& descriptor) {
                       return os::leaves_descriptors(descriptor.get(), kSpareDescriptors);
                     });
}

std::string who(const os::Peer& peer) {
  return "pid " + std::to_string(peer.pid) + " (uid " + std::to_string(peer.uid) + ")";
}

}  // namespace

void Server::accept_clients() {
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    if (silent_.size() >= kMostSilent) return rest_listener();
    auto socket = os::accept_from(descriptors_.listener);
    if (!socket) {
      if (socket.error().code() == Error::no_descriptors) return refuse_for_want_of_descriptors();
      return log_error(socket.error().what());
    }
    if (!*socket) return;
    if (!os::leaves_descriptors(socket->get(), kSpareForClients)) {
      refuse_connection(std::move(*socket));
      continue;
    }
    auto owner = identify_owner(socket->get());
    if (!owner) {
      log_warning(owner.error().what());
      const auto reply = wire::make_error(0, owner.error());
      os::send_message(socket->get(), wire::bytes_of(reply), {}, false);
      continue;
    }
    add_connection({std::move(*socket)}, std::move(*owner), false);
  }
}

// The spare descriptor lets us accept the client that we have to refuse. If even that fails, the
// listener rests for a moment: it stays readable, and the loop would spin.
void Server::refuse_for_want_of_descriptors() {
  spare_.reset();
  auto socket = os::accept_from(descriptors_.listener);
  if (socket && *socket) {
    refuse_connection(std::move(*socket));
  } else {
    rest_listener();
  }
  take_spare();
}

void Server::refuse_connection(os::UniqueFd socket) {
  log_warning(no_descriptors().what());
  const auto reply = wire::make_error(0, no_descriptors());
  os::send_message(socket.get(), wire::bytes_of(reply), {}, false);
}

// Newcomers wait in the kernel's queue meanwhile.
void Server::rest_listener() {
  poller_.forget(descriptors_.listener);
  listen_again_ = Deadline::in(kListenerRest);
}

void Server::add_connection(Visitor visitor, Newcomer newcomer, bool by_door) {
  Connection connection;
  connection.number = ++last_number_;
  connection.socket = std::move(visitor.socket);
  connection.may_bring = visitor.may_bring;
  connection.peer = newcomer.peer;
  connection.caller = std::move(newcomer.caller);
  connection.by_door = by_door;
  connection.hello_by = Deadline::in(kHelloPatience);
  connection.hello_soon = Deadline::in(kHelloPatienceWhenMany);
  const Tag tag = make_tag(TagKind::connection, connection.number);
  if (auto done = poller_.watch(connection.socket.get(), tag); !done) {
    send_error(connection, 0, done.error());
    return part_with({std::move(connection.socket), connection.peer.uid, connection.may_bring});
  }
  silent_.insert(connection.number);
  if (by_door) node_.doorkeeper().add(connection.peer.uid);
  connections_.emplace(connection.number, std::move(connection));
}

// Who says nothing is closed when its time has passed: sooner while there are many.
void Server::limit_silence() {
  while (!silent_.empty()) {
    Connection& oldest = connections_.at(*silent_.begin());
    const bool late = oldest.hello_by.has_passed();
    if (!late && (silent_.size() < kMostSilent || !oldest.hello_soon.has_passed())) return;
    if (!oldest.by_door || node_.doorkeeper().may_complain(monotonic_ns())) {
      log_warning(who(oldest.peer) + " connected and said nothing");
    }
    send_error(oldest, 0,
               Error(Error::invalid_argument, "join the domain", "no hello came in time",
                     "speak tarn's protocol"));
    close(oldest.number);
  }
}

void Server::read_from(std::uint64_t number) {
  for (int i = 0; i < kMessagesPerEvent; ++i) {
    const auto found = connections_.find(number);
    if (found == connections_.end()) return;
    // Of others one message at a time: they never come before the owner's.
    if (!found->second.caller.is_owner) {
      return read_from_other(found->second);
    }
    if (!read_one(found->second)) return;
  }
}

// True when there may be more to read.
bool Server::read_one(Connection& connection) {
  std::array<std::byte, wire::kMaxMessageBytes> buffer;
  auto received = os::receive_message(connection.socket.get(), buffer, false);
  if (received.outcome == os::ReceiveOutcome::would_block) return false;
  Request request;
  request.caller = connection.caller;
  request.packet = std::span(buffer).first(std::min(received.size_bytes, buffer.size()));
  request.descriptors = std::move(received.descriptors);
  const std::uint32_t uid = connection.peer.uid;
  const bool is_other = !connection.caller.is_owner;
  const bool more = handle(connection, received.outcome, request);  // it may be gone now
  if (is_other) close_for(uid, std::move(request.descriptors));
  return more;
}

bool Server::handle(Connection& connection, os::ReceiveOutcome outcome, Request& request) {
  if (outcome == os::ReceiveOutcome::ended) {
    on_socket_end(connection);
    return false;
  }
  bool good = false;
  if (outcome == os::ReceiveOutcome::too_long) {
    send_error(connection, 0,
               Error(Error::invalid_argument, "read a message",
                     "it is longer than " + std::to_string(wire::kMaxMessageBytes) + " bytes",
                     "speak tarn's protocol"));
  } else if (outcome == os::ReceiveOutcome::descriptors_dropped ||
             !leaves_spare_descriptors(request)) {
    const auto header = wire::decode_header(request.packet);
    send_error(connection, header ? header->request : 0, no_descriptors());
    good = connection.state != ConnectionState::silent && header;
  } else if (connection.state == ConnectionState::silent) {
    good = greet(connection, request);
  } else {
    good = answer(connection, request);
  }
  if (!good) close(connection.number);
  return good;
}

// The life word tells a death, or another program in the same process, from a line that was lost.
void Server::on_socket_end(Connection& connection) {
  SessionItem* session = node_.sessions().at(connection.session);
  close(connection.number);
  if (session == nullptr) return;
  // In quarantine it has no view, but its word is watched all the same.
  const bool is_marked =
      session->stage != EndStage::none || (session->view && session->view.has_ended());
  if (is_marked) begin_end(*session, EndCause::death);
}

bool Server::greet(Connection& connection, Request& request) {
  const auto knock = wire::decode<wire::Knock>(request.packet);
  if (knock) return hear_knock(connection, knock->header);
  auto admission = admit(node_, connection.peer, connection.socket.get(), request);
  if (!admission) {
    if (!connection.by_door || node_.doorkeeper().may_complain(monotonic_ns())) {
      log_warning(who(connection.peer) + ": " + admission.error().what());
    }
    const auto header = wire::decode_header(request.packet);
    send_error(connection, header ? header->request : 0, admission.error());
    return false;
  }
  silent_.erase(connection.number);
  if (connection.by_door) node_.doorkeeper().greeted(connection.peer.uid);
  connection.state = ConnectionState::observer;
  SessionItem* session = admission->session;
  if (session != nullptr && !attach(connection, *session, admission->is_new)) return false;
  return send(connection, admission->welcome);
}

bool Server::attach(Connection& connection, SessionItem& session, bool is_new) {
  if (is_new) watch_session(session);
  // A session that resumes while its old connection still counts has given that one up.
  if (session.connection != 0) close(session.connection);
  // One that resumes knocked when it began; what it repeats may have descriptors beside it.
  if (!is_new && connection.by_door && check_entry_to_session(node_, connection.caller)) {
    let_descriptors_in(connection);
  }
  session.connection = connection.number;
  connection.session = session.facts.index;
  connection.state = ConnectionState::session;
  log_info(node_.describe_holder(session.facts.index) + (is_new ? " begins" : " is back"));
  if (!is_new && session.view) {
    // Notices that were sent while it was away are lost: what it still maps is said again.
    session.view.for_each_row([&](SegmentId id, std::span<const layout::HoldCount>) {
      if (node_.segments().find(id) != nullptr) return;
      auto gone = wire::make<wire::NoticeSegmentGone>(0);
      gone.index = id.index;
      gone.generation = id.generation;
      node_.notify(session.facts.index, gone);
    });
  }
  return true;
}

bool Server::answer(Connection& connection, Request& request) {
  const auto header = wire::decode_header(request.packet);
  if (!header) {
    send_error(connection, 0,
               Error(Error::corrupt, "read a message", "its header is not that of its size",
                     "speak tarn's protocol"));
    return false;
  }
  request.header = *header;
  if (header->type == wire::MessageType::goodbye) return say_goodbye(connection, request);
  if (connection.goodbye_request) return true;  // after a goodbye nothing counts
  SessionItem* session = node_.sessions().at(connection.session);
  auto outcome = carry_out(node_, session, request);
  if (outcome) return send(connection, *outcome);
  const auto reply = wire::make_error(header->request, outcome.error());
  return send(connection, answer_with(reply));
}

// The answer comes once the session has ended. Returns false when the connection is to be closed.
bool Server::say_goodbye(Connection& connection, const Request& request) {
  SessionItem* session = node_.sessions().at(connection.session);
  if (session == nullptr || session->ended) {
    send(connection, answer_done(request.header.request));
    return false;
  }
  connection.goodbye_request = request.header.request;
  begin_end(*session, EndCause::goodbye);
  // It may be gone already; then there is nothing more to read either.
  return true;
}

bool Server::send(Connection& connection, const Answer& answer) noexcept {
  const std::span<const int> descriptors(&answer.descriptor, answer.descriptor >= 0 ? 1 : 0);
  return os::send_message(connection.socket.get(), answer.bytes, descriptors, false) ==
         os::SendOutcome::ok;
}

void Server::send_error(Connection& connection, std::uint64_t request,
                        const Error& error) noexcept {
  const auto reply = wire::make_error(request, error);
  os::send_message(connection.socket.get(), wire::bytes_of(reply), {}, false);
}

void Server::close(std::uint64_t number) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  // The session waits for its process to come back, or to end.
  if (SessionItem* session = node_.sessions().at(found->second.session)) {
    if (session->connection == number) session->connection = 0;
  }
  poller_.forget(found->second.socket.get());
  if (found->second.by_door) {
    node_.doorkeeper().remove(found->second.peer.uid, silent_.contains(number), monotonic_ns());
    resting_.erase(number);
  }
  silent_.erase(number);
  Connection ended = std::move(found->second);
  connections_.erase(found);
  part_with({std::move(ended.socket), ended.peer.uid, ended.may_bring});
}

void Server::send_notices() {
  const std::vector<Notice> notices = std::exchange(node_.notices(), {});
  for (const Notice& notice : notices) {
    const SessionItem* session = node_.sessions().at(notice.session);
    const auto found =
        session == nullptr ? connections_.end() : connections_.find(session->connection);
    if (found == connections_.end()) continue;
    if (!send(found->second, {notice.bytes, {}, -1})) close(found->first);
  }
}

}  // namespace tarn::daemon
