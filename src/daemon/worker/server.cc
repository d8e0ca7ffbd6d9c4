#include "daemon/worker/server.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>

#include "base/log.h"
#include "daemon/recovery/orphans.h"
#include "daemon/worker/server_tags.h"

namespace tarn::daemon {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kFirstOrphanPauseNs = 50'000'000;
constexpr std::int64_t kLongestOrphanPauseNs = 1'000'000'000;
constexpr auto kIdleRecheck = 1s;
// Beyond the time that the commands themselves may take.
constexpr auto kPatienceWithShepherds = 1s;

}  // namespace

Server::Server(NodeState& node, os::Poller poller, DeathWatch& deaths,
               const ServerDescriptors& descriptors)
    : node_(node),
      poller_(std::move(poller)),
      deaths_(deaths),
      desk_(node, make_tag(TagKind::recovery, 0), make_tag(TagKind::recovery_process, 0)),
      descriptors_(descriptors),
      shepherds_(node, poller_) {}

FullStatus Server::run() {
  const std::pair<int, Tag> watched[] = {{descriptors_.listener, make_tag(TagKind::listener, 0)},
                                         {descriptors_.channel, make_tag(TagKind::keeper, 0)},
                                         {descriptors_.signals, make_tag(TagKind::signals, 0)},
                                         {deaths_.event(), make_tag(TagKind::deaths, 0)},
                                         {mapped_.event(), make_tag(TagKind::mapped, 0)}};
  for (const auto& [fd, tag] : watched) {
    if (auto done = poller_.watch(fd, tag); !done) return done;
  }
  for (const auto& [index, session] : node_.sessions().all()) watch_session(*session);
  desk_.begin(poller_);
  node_.access().look_after_door();
  watch_door();
  take_spare();
  if (node_.facts().service != 0) say_alive();
  shepherds_.begin();
  shepherds_.tend();
  while (!over_) {
    on_timers();
    for (const os::Event& event : poller_.wait(next_timer())) on_event(event);
    for (const std::uint32_t index : node_.take_deaths_due()) {
      if (SessionItem* session = node_.sessions().at(index)) begin_end(*session, EndCause::death);
    }
    if (!dying_.empty()) look_at_the_dying();
    finish_the_resolved();
    send_notices();
    watch_door();
    if (node_.take_review_due()) review_connections();
    if (node_.end_requested()) begin_node_end();
    shepherds_.tend();
    look_after_node_end();
  }
  say_node_ends();
  part_with_visitors();
  return Done{};
}

void Server::on_event(const os::Event& event) {
  switch (kind_of(event.tag)) {
    case TagKind::listener:
      return accept_clients();
    case TagKind::door:
      return on_visitors();
    case TagKind::connection:
      return read_from(number_of(event.tag));
    case TagKind::process: {
      const SessionId id = session_of(event.tag);
      const SessionItem* session = node_.sessions().find(id);
      // What it said last is still to be read: perhaps a goodbye.
      if (session != nullptr && session->connection != 0) read_from(session->connection);
      if (SessionItem* dead = node_.sessions().find(id)) begin_end(*dead, EndCause::death);
      return;
    }
    case TagKind::deaths:
      return on_death_notices();
    case TagKind::mapped:
      return on_mapped();
    case TagKind::recovery:
      return desk_.on_answer(poller_);
    case TagKind::recovery_process:
      return desk_.on_process_end(poller_);
    case TagKind::signals:
      if (os::next_signal(descriptors_.signals) != SIGHUP) begin_node_end();
      return;
    case TagKind::shepherd_control:
      return shepherds_.on_control(static_cast<std::uint32_t>(number_of(event.tag)));
    case TagKind::shepherd_process:
      return shepherds_.on_process_end(static_cast<std::uint32_t>(number_of(event.tag)));
    case TagKind::keeper:
      log_error("the keeper is gone: the worker ends too");
      over_ = true;
      return;
  }
}

void Server::on_timers() {
  if (listen_again_.has_passed()) {
    listen_again_ = Deadline::never();
    auto done = poller_.watch(descriptors_.listener, make_tag(TagKind::listener, 0));
    if (!done) log_error(done.error().what());
  }
  desk_.on_timer(poller_);
  if (alive_at_.has_passed()) say_alive();
  if (open_door_again_.has_passed()) {
    open_door_again_ = Deadline::never();
    watch_door();
  }
  if (try_door_again_.has_passed()) {
    try_door_again_ = Deadline::never();
    node_.access().look_after_door();
  }
  if (close_again_.has_passed()) tend_closer();
  end_rests();
  limit_silence();
  look_after_orphans();
  look_after_idleness();
}

Deadline Server::next_timer() const noexcept {
  Deadline next = listen_again_.earlier(orphans_again_).earlier(idle_until_);
  next = next.earlier(look_again_).earlier(desk_.next_timer());
  next = next.earlier(shepherds_.next_timer()).earlier(end_by_).earlier(alive_at_);
  next = next.earlier(open_door_again_).earlier(rests_end_).earlier(try_door_again_);
  next = next.earlier(finish_others_at_).earlier(close_again_);
  if (silent_.empty()) return next;
  return next.earlier(connections_.at(*silent_.begin()).hello_by);
}

void Server::take_spare() {
  auto spare = os::create_event();
  if (spare) spare_ = std::move(*spare);
}

// What others cause comes at a pace, is put off while they have no time left, and counts as time
// spent on them. What the owner's programs leave behind waits for nothing of that.
void Server::look_after_orphans() {
  const auto due = node_.take_orphans_due();
  const auto& orphans = node_.segments().orphans();
  if (orphans.empty()) {
    orphans_again_ = Deadline::never();
    return;
  }
  if (due != NodeState::Due::no) orphans_pause_ns_ = kFirstOrphanPauseNs;
  if (due == NodeState::Due::soon) {
    orphans_for_others_ = true;
    orphans_again_ =
        orphans_again_.earlier(Deadline::in(std::chrono::nanoseconds(kFirstOrphanPauseNs)));
  }
  if (due != NodeState::Due::now && !orphans_again_.has_passed()) return;
  const bool any_of_owner = std::any_of(orphans.begin(), orphans.end(), [&](std::uint32_t index) {
    return node_.access().is_owner(node_.segments().at(index)->facts.uid);
  });
  const std::int64_t began_ns = monotonic_ns();
  if (!any_of_owner && !node_.doorkeeper().has_time(began_ns)) {
    orphans_again_ = Deadline::in(std::chrono::nanoseconds(kFirstOrphanPauseNs));
    return;
  }
  drop_unused_orphans(node_);
  node_.take_orphans_due();
  const std::int64_t now_ns = monotonic_ns();
  const bool is_others = std::exchange(orphans_for_others_, false) || !any_of_owner;
  if (is_others) node_.doorkeeper().spent(now_ns - began_ns, now_ns);
  orphans_again_ = Deadline::in(std::chrono::nanoseconds(orphans_pause_ns_));
  orphans_pause_ns_ = std::min(2 * orphans_pause_ns_, kLongestOrphanPauseNs);
}

// Observers keep no node alive, and neither do pipes without messages.
void Server::look_after_idleness() {
  const auto idle_exit_ns = node_.facts().idle_exit_ns;
  if (!idle_exit_ns) return;
  if (!node_.sessions().all().empty() || node_.clients().keeps_node()) {
    idle_until_ = Deadline::never();
  } else if (idle_until_.is_never()) {
    idle_until_ = Deadline::in(std::chrono::nanoseconds(*idle_exit_ns));
  } else if (idle_until_.has_passed()) {
    // Somebody may be on the way in: then it is too early.
    accept_clients();
    if (!silent_.empty() || node_.has_undelivered()) {
      idle_until_ = Deadline::in(kIdleRecheck);
      return;
    }
    log_info("nobody has used the node for a while");
    begin_node_end();
  }
}

// Said in the loop, so that it is true: a loop that hangs says nothing.
void Server::say_alive() {
  const std::int64_t every_ns = node_.facts().alive_every_ns;
  node_.sink().say_alive();
  alive_at_ = every_ns > 0 ? Deadline::in(std::chrono::nanoseconds(every_ns)) : Deadline::never();
}

void Server::begin_node_end() {
  if (ending_) return;
  ending_ = true;
  node_.request_end();
  node_.sink().stop();
  TARN_CRASH_POINT("node.end.told");
  shepherds_.end_all();
  const std::chrono::nanoseconds longest(node_.clients().longest_stop_ns());
  end_by_ = Deadline::in(longest + kPatienceWithShepherds);
}

void Server::look_after_node_end() {
  if (!ending_) return;
  if (shepherds_.all_ended()) {
    over_ = true;
  } else if (end_by_.has_passed()) {
    // They were told, and press on without us: killed, they would leave what their commands started
    // to nobody.
    log_warning("clients are still ending; their shepherds see to it");
    over_ = true;
  }
}

void Server::say_node_ends() {
  const auto notice = wire::make<wire::NoticeShutdown>(0);
  for (auto& [number, connection] : connections_) {
    if (connection.state == ConnectionState::session) send(connection, answer_with(notice));
  }
}

}  // namespace tarn::daemon
