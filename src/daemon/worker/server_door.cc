// Other accounts: who comes in by the door, and how fast they may ask. Whatever they do, the
// owner's socket is served as if they were not there.

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "daemon/worker/requests/quotas.h"
#include "daemon/worker/server.h"
#include "daemon/worker/server_tags.h"
#include "os/limits.h"

namespace tarn::daemon {
namespace {

using namespace std::chrono_literals;

constexpr int kGuestsPerEvent = 8;
constexpr auto kDoorRest = 50ms;
constexpr auto kTryDoorAgain = 1s;
constexpr auto kConnectionRest = 5ms;
// Descriptors of one account that are not closed yet, because somebody made it slow.
constexpr std::size_t kMostClosingOfOne = 64;
// Of all others: where the kernel cannot keep descriptors out, whoever may connect, by rules or
// not, can leave some. One part in so many of all that there are.
constexpr std::uint64_t kClosingParts = 4;
constexpr auto kCloseAgain = 50ms;

Error too_many(const char* what) {
  return Error(Error::quota_exceeded, "join the domain", what,
               "close connections, or ask the node's owner: `tarn access quota`");
}

Error too_slow() {
  return Error(Error::quota_exceeded, "join the domain",
               "descriptors that this account sent are not closed yet",
               "see to it that they can be closed, then try again");
}

}  // namespace

// The door comes and goes with the rules.
void Server::watch_door() {
  const AccessTable& access = node_.access();
  if (access.lacks_descriptors() && try_door_again_.is_never()) {
    try_door_again_ = Deadline::in(kTryDoorAgain);
  }
  const bool wanted = access.door() >= 0 && open_door_again_.is_never();
  if (wanted == (watched_door_ == access.door_serial())) return;
  if (!wanted) {
    // One that was closed leaves the poller as soon as the keeper has closed it, too.
    if (watched_door_ == access.door_serial() && access.door() >= 0) poller_.forget(access.door());
    watched_door_ = 0;
    return;
  }
  auto done = poller_.watch(access.door(), make_tag(TagKind::door, 0));
  if (!done) return log_error(done.error().what());
  watched_door_ = access.door_serial();
}

// Newcomers wait in the kernel's queue meanwhile, which is the door's own.
void Server::rest_door() {
  open_door_again_ = Deadline::in(kDoorRest);
  watch_door();
}

void Server::on_visitors() {
  const TimeForOthers spent(node_.doorkeeper(), true);
  welcome_others();
}

// Judged by what the kernel says, before anything is read.
void Server::welcome_others() {
  Doorkeeper& keeper = node_.doorkeeper();
  for (int i = 0; i < kGuestsPerEvent && node_.access().door() >= 0; ++i) {
    const std::int64_t now_ns = monotonic_ns();
    if (keeper.are_too_many_silent() || !keeper.has_time(now_ns) ||
        node_.closer().waiting() >= os::descriptor_limit() / kClosingParts ||
        !keeper.takes_newcomer(now_ns)) {
      return rest_door();
    }
    auto socket = os::accept_from(node_.access().door());
    if (!socket) return rest_door();
    if (!*socket) return;
    const auto peer = os::peer_of(socket->get());
    // What the listener says holds already; asked again, it says whether the kernel can.
    const bool may_bring = !os::allow_descriptors(socket->get(), false);
    Visitor visitor{std::move(*socket), peer ? peer->uid : wire::kEveryUid, may_bring};
    if (!os::leaves_descriptors(visitor.socket.get(), 2 * kSpareDescriptors)) {
      turn_away(std::move(visitor), too_many("the node has no descriptors left for others"));
      return rest_door();
    }
    auto guest = identify_guest(node_, visitor.socket.get());
    if (!guest) {
      turn_away(std::move(visitor), guest.error());
      continue;
    }
    auto good = check_quota(node_, visitor.uid, {.connections = 1});
    if (good && !may_bring_more(visitor.uid)) good = too_slow();
    if (good && !keeper.may_be_silent(visitor.uid)) {
      good = too_many("too many connections of this account have not said hello");
    }
    if (!good) {
      turn_away(std::move(visitor), good.error());
      continue;
    }
    add_connection(std::move(visitor), std::move(*guest), true);
  }
}

void Server::turn_away(Visitor visitor, const Error& why) {
  if (node_.doorkeeper().may_complain(monotonic_ns())) {
    log_warning(std::string("at the door: ") + why.what());
  }
  const auto reply = wire::make_error(0, why);
  os::send_message(visitor.socket.get(), wire::bytes_of(reply), {}, false);
  part_with(std::move(visitor));
}

// The kernel lets a connection's descriptors through from here on: only those of accounts that may
// begin a session.
bool Server::hear_knock(Connection& connection, const wire::Header& header) {
  if (auto good = check_entry_to_session(node_, connection.caller); !good) {
    send_error(connection, header.request, good.error());
    return false;
  }
  if (connection.by_door && !may_bring_more(connection.peer.uid)) {
    send_error(connection, header.request, too_slow());
    return false;
  }
  let_descriptors_in(connection);
  return send(connection, answer_done(header.request));
}

void Server::let_descriptors_in(Connection& connection) {
  connection.may_bring = connection.by_door;
  os::allow_descriptors(connection.socket.get(), true);
}

bool Server::may_bring_more(std::uint32_t uid) noexcept {
  return node_.closer().waiting_of(uid) < kMostClosingOfOne;
}

void Server::close_for(std::uint32_t uid, std::vector<os::UniqueFd> descriptors) {
  if (descriptors.empty()) return;
  node_.closer().close(uid, std::move(descriptors));
  tend_closer();
}

// Who waits for a thread would wait for ever where no further close came: nothing is read from an
// account of which much waits.
void Server::tend_closer() {
  close_again_ = node_.closer().serve() ? Deadline::never() : Deadline::in(kCloseAgain);
}

void Server::part_with(Visitor visitor) {
  if (!visitor.may_bring) return;
  std::vector<os::UniqueFd> one;
  one.push_back(std::move(visitor.socket));
  close_for(visitor.uid, std::move(one));
}

// At the node's end, when nobody is served any more.
void Server::part_with_visitors() {
  for (auto& [number, connection] : connections_) {
    part_with({std::move(connection.socket), connection.peer.uid, connection.may_bring});
  }
}

bool Server::can_read_from_other(const Connection& connection) noexcept {
  if (!connection.may_bring) return true;
  // Without room the kernel would close what came along.
  return may_bring_more(connection.peer.uid) &&
         os::has_descriptors(os::kMostDescriptorsOfAnybody + kSpareDescriptors);
}

bool Server::is_in_turn(Connection& connection) {
  if (resting_.contains(connection.number)) return false;
  const std::uint32_t uid = connection.peer.uid;
  const std::uint32_t pace = quota_of(node_, uid).requests_per_second;
  const std::int64_t now_ns = monotonic_ns();
  if (node_.doorkeeper().has_time(now_ns) && can_read_from_other(connection) &&
      node_.doorkeeper().may_ask(uid, pace, now_ns)) {
    return true;
  }
  poller_.forget(connection.socket.get());
  resting_.insert(connection.number);
  if (rests_end_.is_never()) rests_end_ = Deadline::in(kConnectionRest);
  return false;
}

void Server::read_from_other(Connection& connection) {
  const TimeForOthers spent(node_.doorkeeper(), true);
  if (is_in_turn(connection)) read_one(connection);  // it may be gone now
}

void Server::end_rests() {
  if (!rests_end_.has_passed()) return;
  rests_end_ = Deadline::in(kConnectionRest);
  if (!node_.doorkeeper().has_time(monotonic_ns())) return;
  const TimeForOthers spent(node_.doorkeeper(), true);
  rests_end_ = Deadline::never();
  for (const std::uint64_t number : std::exchange(resting_, {})) {
    const auto found = connections_.find(number);
    if (found == connections_.end()) continue;
    const Tag tag = make_tag(TagKind::connection, number);
    if (!poller_.watch(found->second.socket.get(), tag)) close(number);
  }
}

// What they have mapped stays theirs until their processes end; they are just not served any more,
// and cannot come back.
void Server::review_connections() {
  std::vector<std::uint64_t> ended;
  for (const auto& [number, connection] : connections_) {
    if (node_.access().on_entry(connection.caller.who) == AccessRight::none) {
      ended.push_back(number);
    }
  }
  for (const std::uint64_t number : ended) {
    log_info("uid " + std::to_string(connections_.at(number).peer.uid) +
             " has no right any more: its connection ends");
    close(number);
  }
}

}  // namespace tarn::daemon
