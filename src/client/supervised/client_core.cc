#include "client/supervised/client_core.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "os/process.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;

// A shepherd that was killed wakes nobody: who waits looks after it so often.
constexpr auto kLookAfterShepherd = 100ms;
constexpr auto kPauseForShepherd = 2ms;

}  // namespace

ClientStatus to_status(const wire::ClientFacts& facts) {
  ClientStatus status;
  status.id = facts.id;
  status.name = wire::get_text(facts.name);
  status.command = wire::get_text(facts.command);
  status.state = static_cast<ClientState>(std::min(facts.state, layout::kClientStates - 1));
  status.restart = static_cast<RestartRule>(std::min(facts.restart, 2U));
  status.pid = facts.pid;
  status.shepherd_pid = facts.shepherd_pid;
  status.starts = facts.starts;
  status.ends = facts.ends;
  status.exit_status = facts.exit_status;
  status.exit_signal = facts.exit_signal;
  status.exec_error = facts.exec_error;
  status.up_ns = facts.up_ns;
  status.next_start_ns = facts.next_start_ns;
  status.started_unix_ns = facts.started_unix_ns;
  status.ended_unix_ns = facts.ended_unix_ns;
  return status;
}

Error exec_refusal(const std::string& command, int error) {
  const std::string object = "'" + command + "'";
  switch (error) {
    case ENOENT:
      return Error(Error::not_found, "execute the command", object,
                   "write its path, or put it on the PATH; a script's interpreter must exist too",
                   error);
    case EACCES:
      return Error(Error::access_denied, "execute the command", object,
                   "make it executable: chmod +x", error);
    case ENOEXEC:
      return Error(Error::os, "execute the command", object,
                   "it is neither a program of this machine nor a script with #! in front", error);
    default:
      return Error(Error::os, "execute the command", object, "see `tarn client ls` and the log",
                   error);
  }
}

wire::ClientGot Client::Core::look() {
  auto get = wire::make<wire::ClientGet>(0);
  wire::put_text(get.name, name);
  os::UniqueFd memory;
  auto got = observer->ask_with<wire::ClientGot>(get, {}, "look at the client", &memory);
  if (!got) throw std::move(got).error();
  if (got->has_board == 0) return *got;
  if (!memory) {
    throw Error(Error::no_descriptors, "look at the client", "its board",
                "raise the limit of open files (ulimit -n)");
  }
  auto mapped = map_foreign(memory.get(), layout::kBoardBytes, true, false);
  if (!mapped) throw std::move(mapped).error();
  const auto view = BoardView::attach(*mapped);
  if (!view) throw Error(view.error(), "look at the client", "its board", "restart the client");
  segment = std::move(*mapped);
  board = *view;
  return *got;
}

std::uint64_t Client::Core::order(wire::ClientWish wish, bool force, const char* attempted) {
  auto request = wire::make<wire::ClientOrder>(0);
  wire::put_text(request.name, name);
  os::random_bytes(&request.nonce, sizeof request.nonce);
  request.wish = wish;
  request.force = force ? 1 : 0;
  auto accepted = observer->ask<wire::ClientAccepted>(request, attempted);
  if (!accepted) throw std::move(accepted).error();
  return accepted->serial;
}

bool Client::Core::shepherd_is_gone() const noexcept {
  const auto shepherd = os::identify(board.shepherd_pid());
  if (!shepherd) return shepherd.error() == Error::not_found;
  return shepherd->start_ticks != board.shepherd_start_ticks();
}

bool Client::Core::await(std::uint64_t serial, Deadline deadline,
                         const std::function<bool(const layout::BoardFacts&)>& done) {
  for (;;) {
    if (!board || shepherd_is_gone()) look();
    if (board) {
      const std::uint32_t seen = board.changes();
      const auto facts = board.facts();
      if (facts && facts->order >= serial && done(*facts)) return true;
      // A later order has overtaken ours, which perhaps nobody saw.
      if (facts && facts->order > serial) return true;
      if (deadline.has_passed()) return false;
      if (!shepherd_is_gone()) {
        board.wait(seen, deadline.earlier(Deadline::in(kLookAfterShepherd)));
        continue;
      }
    }
    if (deadline.has_passed()) return false;
    // The next shepherd is on its way.
    std::this_thread::sleep_for(kPauseForShepherd);
  }
}

void Client::Core::await_removal() {
  const auto facts = board ? board.facts() : Result<layout::BoardFacts>(Error::not_found);
  // A command that ends may take its time; after that it is the node's turn.
  if (facts && facts->state == layout::ClientState::stopping) {
    await_change(board.changes(), Deadline::never());
  } else {
    std::this_thread::sleep_for(kPauseForShepherd);
  }
}

void Client::Core::await_change(std::uint32_t seen, Deadline deadline) {
  if (!board || shepherd_is_gone()) {
    look();
    std::this_thread::sleep_for(kPauseForShepherd);
  } else {
    board.wait(seen, deadline.earlier(Deadline::in(kLookAfterShepherd)));
  }
}

}  // namespace tarn
