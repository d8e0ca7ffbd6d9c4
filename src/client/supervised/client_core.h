// client_core.h - one supervised client as seen from outside: orders through the node, everything
// else from its board.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/observer.h"
#include "shm/board/board.h"
#include "tarn/client.h"
#include "wire/client_messages.h"

namespace tarn {

ClientStatus to_status(const wire::ClientFacts& facts);
// Why the command cannot be executed, for whoever asked for it.
Error exec_refusal(const std::string& command, int error);

struct Client::Core {
  Core(std::shared_ptr<detail::Observer> node, std::string called)
      : observer(std::move(node)), name(std::move(called)) {}

  // Asks the node for facts and for the board that counts now. Throws.
  wire::ClientGot look();
  // Sends an order; returns its serial. Throws.
  std::uint64_t order(wire::ClientWish wish, bool force, const char* attempted);
  // Waits until the board says that order `serial` was taken and `done` is true of the facts, or
  // the deadline passes: false. Throws when client or node are gone.
  bool await(std::uint64_t serial, Deadline deadline,
             const std::function<bool(const layout::BoardFacts&)>& done);
  // Waits for any change of the board, a moment at most.
  void await_change(std::uint32_t seen, Deadline deadline);
  // Waits for a moment in which a removal may get on.
  void await_removal();
  bool shepherd_is_gone() const noexcept;

  const std::shared_ptr<detail::Observer> observer;
  const std::string name;
  Segment segment;
  BoardView board;
  std::uint64_t log_position = 0;
  std::uint32_t seen_changes = 0;
};

}  // namespace tarn
