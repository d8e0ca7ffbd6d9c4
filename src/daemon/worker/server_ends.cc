// How sessions end. Three things tell of it, in this order:
//
//   the life word     the kernel marks it while the process begins to exit, or executes another
//                     program. Those who wait in its pipes are woken at once. As soon as none of
//                     its threads will run again, what it had claimed is resolved.
//   the socket's end  every thread has given up its memory: it may be used again.
//   the pidfd         the same, also where a fork()ed child still has the socket.
//
// A process that executed another program lives on, and its socket may have ended while no worker
// was there to see it, or be open still in a child. That it has let go of the session's segment
// tells it from one that is slow to die, or that plays with its word.
//
// A goodbye is all three at once. Claims are resolved by tarn-recover; when its answers are in, and
// the memory may be used again, the session's record ends.

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "daemon/worker/server.h"
#include "daemon/worker/server_tags.h"
#include "os/life/stopped.h"

namespace tarn::daemon {
namespace {

using namespace std::chrono_literals;

// A thread needs microseconds from the death's begin to its own exit, and a busy machine longer.
constexpr auto kFirstPause = 50us;
constexpr auto kStillRunning = 1ms;
// So often; then it is asked what the process has mapped, and ever less often.
constexpr std::uint32_t kQuickLooks = 100;
constexpr std::chrono::milliseconds kLongestPause = 10s;
// At first without a pause: nearly always the last thread is a few steps behind the first.
constexpr std::uint32_t kLooksAtOnce = 8;
// Of sessions of other accounts: then it is everybody's turn.
constexpr int kEndsOfOthersATurn = 2;
constexpr auto kWithoutTime = 1ms;

std::chrono::microseconds pause_after(std::uint32_t looks) noexcept {
  using Pause = std::chrono::microseconds;
  constexpr std::uint32_t kFirstDoublings = 4;
  constexpr std::uint32_t kMostDoublings = 14;
  if (looks <= kFirstDoublings) return kFirstPause * (1 << looks);
  if (looks <= kQuickLooks) return kStillRunning;
  const std::uint32_t doublings = std::min(looks - kQuickLooks, kMostDoublings);
  return std::min<Pause>(kStillRunning * (1 << doublings), kLongestPause);
}

}  // namespace

void Server::watch_session(SessionItem& session) {
  if (auto done = poller_.watch(session.process.get(), make_tag(session.id())); !done) {
    log_error(std::string("a session's death will go unnoticed: ") + done.error().what());
  }
  if (auto done = deaths_.watch(session.id(), session.memory.get()); !done) {
    log_warning(std::string("a session's death will be noticed late: ") + done.error().what());
    if (session.view && session.view.has_ended()) note_dying(session);
  }
}

void Server::on_death_notices() {
  for (const SessionId id : deaths_.take_news()) {
    if (SessionItem* session = node_.sessions().find(id)) note_dying(*session);
  }
}

void Server::note_dying(SessionItem& session) {
  if (session.stage != EndStage::none) return;
  const TimeForOthers spent(node_.doorkeeper(), !node_.access().is_owner(session.facts.uid));
  session.stage = EndStage::dying;
  // One that was woken for a message, and died before it took it, owes others that wake-up.
  for (const auto& [pipe_id, serial] : session.openings) {
    PipeItem* pipe = node_.pipes().at(pipe_id);
    if (pipe != nullptr && pipe->view) pipe->view.ring_everybody();
  }
  dying_.push_back({session.id()});
}

// Whatever else the node has to do: each is looked at when its time has come, not at every turn.
void Server::look_at_the_dying() {
  look_again_ = Deadline::never();
  std::erase_if(dying_, [this](Dying& entry) {
    SessionItem* session = node_.sessions().find(entry.session);
    if (session == nullptr || session->stage != EndStage::dying) return true;
    if (entry.look_at.has_passed()) {
      const bool is_others = !node_.access().is_owner(session->facts.uid);
      if (!is_others || node_.doorkeeper().has_time(monotonic_ns())) {
        const TimeForOthers spent(node_.doorkeeper(), is_others);
        if (look_at(entry, *session)) return true;
      }
      entry.look_at = Deadline::in(pause_after(entry.looks));
    }
    look_again_ = look_again_.earlier(entry.look_at);
    return false;
  });
}

bool Server::look_at(Dying& entry, SessionItem& session) {
  const std::uint32_t looks = entry.looks == 0 ? kLooksAtOnce : 1;
  for (std::uint32_t look = 0; look < looks; ++look) {
    if (!os::has_stopped_running(session.facts.pid)) continue;
    resolve(session);
    return true;
  }
  if (++entry.looks < kQuickLooks) return false;
  // It runs. One that still has its segment is slow to die, or plays: its socket or its pidfd will
  // tell. So will the pidfd of one that does not let us look; of another account it is not asked.
  if (node_.access().is_owner(session.facts.uid)) {
    mapped_.ask(make_tag(session.id()), session.facts.pid, session.facts.memory_identity);
  }
  return false;
}

// Answers of mapped_. The process may have come to its end meanwhile.
void Server::on_mapped() {
  for (const os::MappedAnswer& answer : mapped_.take()) {
    SessionItem* session = node_.sessions().find(session_of(answer.number));
    if (session == nullptr || session->stage != EndStage::dying) continue;
    if (!answer.is_mapped.value_or(true)) begin_end(*session, EndCause::death);
  }
}

void Server::resolve(SessionItem& session) {
  session.stage = EndStage::resolving;
  desk_.resolve(session);
}

// Its process can do nothing any more, or has said goodbye.
void Server::begin_end(SessionItem& session, EndCause cause) {
  if (session.ended) return;
  session.ended = cause;
  // The keeper has the descriptor too: closing ours would not end the watching.
  poller_.forget(session.process.get());
  deaths_.forget(session.id());
  if (cause == EndCause::death) close(session.connection);
  if (session.stage < EndStage::resolving) resolve(session);
  if (session.stage == EndStage::resolved) finish_in_turn(session);
}

void Server::finish_the_resolved() {
  for (const SessionId id : desk_.take_finished()) {
    ResolvedClaims found;
    const bool taken = desk_.take(id, found);
    SessionItem* session = node_.sessions().find(id);
    if (!taken || session == nullptr) continue;
    session->stage = EndStage::resolved;
    session->found = found;
    if (session->ended) finish_in_turn(*session);
  }
  finish_others();
}

// The owner's end at once. However many of others end together, they keep nobody waiting.
void Server::finish_in_turn(SessionItem& session) {
  if (node_.access().is_owner(session.facts.uid)) return finish_session(session);
  ended_others_.push_back(session.id());
}

void Server::finish_others() {
  finish_others_at_ = Deadline::never();
  for (int i = 0; i < kEndsOfOthersATurn && !ended_others_.empty(); ++i) {
    if (!node_.doorkeeper().has_time(monotonic_ns())) {
      finish_others_at_ = Deadline::in(kWithoutTime);
      return;
    }
    const SessionId id = ended_others_.front();
    ended_others_.pop_front();
    SessionItem* session = node_.sessions().find(id);
    if (session != nullptr && session->ended) finish_session(*session);
  }
  if (!ended_others_.empty()) finish_others_at_ = Deadline::passed();
}

void Server::finish_session(SessionItem& session) {
  const std::uint64_t number = session.connection;
  const TimeForOthers spent(node_.doorkeeper(), !node_.access().is_owner(session.facts.uid));
  end_session(node_, session.facts.index, *session.ended, session.found);
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  connection.session = 0;
  if (connection.goodbye_request) send(connection, answer_done(*connection.goodbye_request));
  close(number);
}

}  // namespace tarn::daemon
