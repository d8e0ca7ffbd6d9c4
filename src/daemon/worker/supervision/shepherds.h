// shepherds.h - sees to it that each supervised client has its shepherd, and that this one knows
// what was ordered.
//
// Part of the worker's event loop: it never waits for a shepherd. What it does is stored with the
// keeper before it counts, so that the next worker goes on from there.
#pragma once

#include <cstdint>

#include "base/deadline.h"
#include "daemon/worker/registry/node_state.h"
#include "os/events.h"

namespace tarn::daemon {

class Shepherds {
 public:
  // Both outlive this.
  Shepherds(NodeState& node, os::Poller& poller) noexcept : node_(node), poller_(poller) {}

  // A new worker: greets the shepherds that are there.
  void begin();
  // The socket to a shepherd has something to read, or its process has ended.
  void on_control(std::uint32_t client);
  void on_process_end(std::uint32_t client);
  // Does what is due: starts shepherds, sends orders, forgets clients that were removed.
  void tend();
  Deadline next_timer() const noexcept;

  // The node ends: every client is stopped, and no shepherd is started any more.
  void end_all() noexcept { ending_ = true; }
  bool all_ended() const noexcept;

 private:
  void tend_one(ClientItem& item);
  void spawn(ClientItem& item);
  void watch(ClientItem& item);
  bool send(ClientItem& item, OrderKind kind);
  void send_orders(ClientItem& item);
  void take_report(ClientItem& item, os::UniqueFd board, os::UniqueFd process, std::int32_t pid);
  void lose_shepherd(ClientItem& item, bool killed);
  void forget_shepherd(ClientItem& item);
  void remove(ClientItem& item);

  NodeState& node_;
  os::Poller& poller_;
  Deadline again_ = Deadline::never();  // an order did not fit into a socket
  bool ending_ = false;
};

}  // namespace tarn::daemon
