// server.h - the worker's event loop: connections, deaths, timers.
//
// One thread. It never waits for a client: who does not read its answers is disconnected.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>

#include "daemon/recovery/desk.h"
#include "daemon/recovery/session_end.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/death_watch.h"
#include "daemon/worker/registry/node_state.h"
#include "daemon/worker/requests/admission.h"
#include "daemon/worker/requests/request.h"
#include "daemon/worker/supervision/shepherds.h"
#include "os/events.h"
#include "os/life/mapped_asker.h"

namespace tarn::daemon {

struct ServerDescriptors {
  int listener = -1;
  int channel = -1;  // to the keeper: its end ends this process
  int signals = -1;
};

class Server {
 public:
  // Everything borrowed outlives this.
  Server(NodeState& node, os::Poller poller, DeathWatch& deaths,
         const ServerDescriptors& descriptors);

  // Watches everybody that is there already, then serves until the node ends.
  FullStatus run();

 private:
  // Somebody who was accepted and has no connection yet.
  struct Visitor {
    os::UniqueFd socket;
    std::uint32_t uid = 0;
    bool may_bring = false;  // as a connection's
  };

  void on_event(const os::Event& event);
  void on_timers();
  Deadline next_timer() const noexcept;

  // Connections: server_connections.cc.
  void accept_clients();
  void refuse_for_want_of_descriptors();
  static void refuse_connection(os::UniqueFd socket);
  void rest_listener();
  void add_connection(Visitor visitor, Newcomer newcomer, bool by_door);
  void limit_silence();
  void read_from(std::uint64_t number);
  bool read_one(Connection& connection);
  void on_socket_end(Connection& connection);
  bool handle(Connection& connection, os::ReceiveOutcome outcome, Request& request);
  bool greet(Connection& connection, Request& request);
  bool attach(Connection& connection, SessionItem& session, bool is_new);
  void let_descriptors_in(Connection& connection);
  bool answer(Connection& connection, Request& request);
  bool say_goodbye(Connection& connection, const Request& request);
  // False when the client is gone or does not read: it is to be closed.
  bool send(Connection& connection, const Answer& answer) noexcept;
  void send_error(Connection& connection, std::uint64_t request, const Error& error) noexcept;
  void close(std::uint64_t number);
  void send_notices();

  // Ends of sessions: server_ends.cc.
  void watch_session(SessionItem& session);
  void on_death_notices();
  void note_dying(SessionItem& session);
  void look_at_the_dying();
  void resolve(SessionItem& session);
  void begin_end(SessionItem& session, EndCause cause);
  void on_mapped();
  void finish_the_resolved();
  void finish_in_turn(SessionItem& session);
  void finish_others();
  void finish_session(SessionItem& session);

  // Other accounts: server_door.cc.
  void watch_door();
  void on_visitors();
  void welcome_others();
  void turn_away(Visitor visitor, const Error& why);
  // A visitor's hello would bring a descriptor: may it? False: the visit ends.
  bool hear_knock(Connection& connection, const wire::Header& header);
  // None of these waits for what another account made slow to close.
  void part_with(Visitor visitor);
  void part_with_visitors();
  void close_for(std::uint32_t uid, std::vector<os::UniqueFd> descriptors);
  void tend_closer();
  bool can_read_from_other(const Connection& connection) noexcept;
  // Whether not too much of what the account sent before is still to be closed.
  bool may_bring_more(std::uint32_t uid) noexcept;
  void rest_door();
  // Whether the connection may be read from now; if not, it rests until it may.
  bool is_in_turn(Connection& connection);
  // One message, if it is in turn.
  void read_from_other(Connection& connection);
  void end_rests();
  // Those who have no right any more.
  void review_connections();

  // Time: server.cc.
  void take_spare();
  void look_after_orphans();
  void look_after_idleness();
  void say_alive();
  // The node is to end: first its supervised clients, while it still serves them.
  void begin_node_end();
  void look_after_node_end();
  void say_node_ends();

  NodeState& node_;
  os::Poller poller_;
  DeathWatch& deaths_;
  RecoveryDesk desk_;
  ServerDescriptors descriptors_;
  os::UniqueFd spare_;  // given up for a moment to tell a client that there are none left
  std::map<std::uint64_t, Connection> connections_;
  std::set<std::uint64_t> silent_;  // connections without a hello; the lowest is the oldest
  std::uint64_t last_number_ = 0;
  struct Dying {
    SessionId session;
    std::uint32_t looks = 0;
    Deadline look_at = Deadline::passed();
  };
  // True when no further look is needed.
  bool look_at(Dying& entry, SessionItem& session);
  std::vector<Dying> dying_;            // whose threads may still run
  os::MappedAsker mapped_;              // about those that run on
  std::deque<SessionId> ended_others_;  // resolved: to be finished a few at a turn
  Deadline finish_others_at_ = Deadline::never();
  Deadline look_again_ = Deadline::never();  // at `dying_`
  Deadline listen_again_ = Deadline::never();
  std::uint64_t watched_door_ = 0;  // its serial number; 0: none
  Deadline open_door_again_ = Deadline::never();
  Deadline try_door_again_ = Deadline::never();  // to make it, when there was no descriptor for it
  std::set<std::uint64_t> resting_;              // connections of others that asked too fast
  Deadline rests_end_ = Deadline::never();
  Deadline close_again_ = Deadline::never();  // what no thread could be had for
  Deadline orphans_again_ = Deadline::never();
  std::int64_t orphans_pause_ns_ = 0;
  bool orphans_for_others_ = false;  // the next look at them is due to others
  Deadline idle_until_ = Deadline::never();
  Shepherds shepherds_;
  bool ending_ = false;
  Deadline alive_at_ = Deadline::never();  // a sign of life for the keeper
  Deadline end_by_ = Deadline::never();
  bool over_ = false;
};

}  // namespace tarn::daemon
