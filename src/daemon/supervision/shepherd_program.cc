// A shepherd's beginning: from the descriptors it was given to a loop that looks after the client.

#include <array>
#include <csignal>
#include <string>
#include <utility>

#include "base/log.h"
#include "daemon/supervision/shepherd.h"
#include "daemon/supervision/tags.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/run/spawn.h"

namespace tarn::daemon {
namespace {

// SIGINT and SIGHUP of a terminal are the node's to answer: it tells us to end.
constexpr std::array kSignalsTaken = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};

// What the predecessor knew. Its board is input: what makes no sense there is left out.
void take_over(Board& board, int former) {
  const auto segment = map_foreign(former, layout::kBoardBytes, true, false);
  if (!segment) return;
  const auto view = BoardView::attach(*segment);
  if (!view) return;
  const auto facts = view->facts();
  if (facts) board.edit() = *facts;
  std::uint64_t position = view->log_first();
  const std::uint64_t first = position;
  std::vector<LogPiece> pieces;
  if (!view->read_log(position, pieces)) {
    log_warning("a former shepherd's log makes no sense");
    return;
  }
  board.begin_log_at(first);
  for (const LogPiece& piece : pieces) board.append(piece.text, piece.stream, piece.unix_ns);
}

FullStatus make_board(ShepherdParts& parts, int former) {
  const auto self = os::identify(os::own_pid());
  if (!self) return Error(self.error(), "identify this process", "shepherd", {});
  auto owned = create_segment("tarn-board", layout::kBoardBytes, layout::kBoardBytes, true);
  if (!owned) return std::move(owned).error();
  auto reader = os::reopen_readable(owned->fd.get());
  if (!reader) return std::move(reader).error();
  auto board = Board::format(std::move(owned->segment), self->pid, self->start_ticks);
  if (!board) return Error(board.error(), "make a board", "shepherd", {});
  parts.board = std::move(*board);
  parts.board_memory = std::move(*reader);
  take_over(parts.board, former);
  parts.board.publish();
  return Done{};
}

FullStatus watch(ShepherdParts& parts) {
  auto signals = os::signals_as_descriptor(kSignalsTaken);
  if (!signals) return std::move(signals).error();
  parts.signals = std::move(*signals);
  auto done =
      parts.poller.watch(parts.signals.get(), static_cast<std::uint64_t>(ShepherdTag::signals));
  if (!done) return done;
  return parts.poller.watch(parts.control.get(), static_cast<std::uint64_t>(ShepherdTag::control));
}

Result<ShepherdParts, Error> prepare() {
  // Asked first: its number is free for others when there was no predecessor.
  const bool has_former = os::examine_memory(kShepherdFormerBoard).has_value();
  const os::UniqueFd former(has_former ? kShepherdFormerBoard : -1);
  const os::UniqueFd memory(kShepherdDescription);
  os::UniqueFd control(kShepherdControl);
  os::UniqueFd directory(kShepherdDirectory);
  auto poller = os::Poller::create();
  if (!poller) return std::move(poller).error();
  ShepherdParts parts{{}, std::move(control), std::move(directory), {}, {}, {},
                      {}, std::move(*poller)};
  const auto bytes = os::read_sealed(memory.get(), wire::kMaxDescriptionBytes);
  if (!bytes) return bytes.error();
  auto description = wire::decode_description(*bytes);
  if (!description) return std::move(description).error();
  parts.description = std::move(*description);
  if (auto done = os::adopt_orphans(); !done) return std::move(done).error();
  auto process = os::open_pidfd(os::own_pid());
  if (!process) return std::move(process).error();
  parts.own_process = std::move(*process);
  if (auto done = watch(parts); !done) return std::move(done).error();
  if (auto done = make_board(parts, former.get()); !done) return std::move(done).error();
  return parts;
}

}  // namespace

int run_shepherd(const char* name) {
  set_log_role("shepherd of " + std::string(name));
  os::name_thread(kShepherdProgram);
  auto parts = prepare();
  if (!parts) {
    log_error(parts.error().what());
    return 1;
  }
  Shepherd(std::move(*parts)).run();
  return 0;
}

}  // namespace tarn::daemon
