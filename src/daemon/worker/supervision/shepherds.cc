#include "daemon/worker/supervision/shepherds.h"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/crash_point.h"
#include "base/log.h"
#include "daemon/worker/server_tags.h"
#include "os/child.h"
#include "os/process.h"
#include "os/run/spawn.h"

namespace tarn::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto kSendAgain = 100ms;

std::string describe(const ClientItem& item) { return "client '" + std::string(item.name()) + "'"; }

#ifdef TARN_CRASH_POINTS
// Armed from outside, the first shepherd dies (TARN_CRASH_AT) or the second one
// (TARN_CRASH_SUCCESSOR); those after it have to finish what it left.
void arm_whose_turn_it_is() {
  static int turn = 0;
  if (++turn == 1) return;
  ::unsetenv("TARN_CRASH_AT");
  const char* wish = std::getenv("TARN_CRASH_SUCCESSOR");
  if (turn == 2 && wish != nullptr) ::setenv("TARN_CRASH_AT", wish, 1);
}
#endif

}  // namespace

void Shepherds::begin() {
  for (const auto& [id, item] : node_.clients().all()) {
    if (item->has_shepherd()) watch(*item);
  }
}

Deadline Shepherds::next_timer() const noexcept {
  Deadline next = again_;
  for (const auto& [id, item] : node_.clients().all()) {
    if (ending_ && !item->has_leftovers()) continue;
    if (!item->has_shepherd()) next = next.earlier(item->spawn_at);
  }
  return next;
}

bool Shepherds::all_ended() const noexcept {
  for (const auto& [id, item] : node_.clients().all()) {
    if (item->has_shepherd() || item->has_leftovers()) return false;
  }
  return true;
}

void Shepherds::tend() {
  if (again_.has_passed()) again_ = Deadline::never();
  std::vector<ClientItem*> items;
  for (const auto& [id, item] : node_.clients().all()) items.push_back(item.get());
  for (ClientItem* item : items) tend_one(*item);
}

void Shepherds::tend_one(ClientItem& item) {
  if (item.has_shepherd()) return send_orders(item);
  const bool ends = ending_ || item.order() == OrderKind::end;
  // What a shepherd left that was killed while it ended, only another one can end.
  if (!ends || item.has_leftovers()) {
    if (item.spawn_at.has_passed()) spawn(item);
  } else if (item.order() == OrderKind::end) {
    remove(item);
  }
}

// Crash: [1] the keeper has our end of the socket before anybody has the other: the next worker
//        reads its end, or greets who is there. A shepherd starts nothing before it is told to.
void Shepherds::spawn(ClientItem& item) {
  item.spawned_ns = monotonic_ns();
  auto ends = os::socket_pair();
  if (!ends) {
    log_error("starting a shepherd: " + std::string(ends.error().what()));
    item.spawn_at = Deadline::in(1s);
    return;
  }
  item.control = std::move(ends->first);
  item.shepherd_edition = item.facts.edition;
  item.shepherd_pid = 0;
  StoredShepherd record{item.facts.id, 0, item.shepherd_edition};
  node_.sink().put(record, std::array{item.control.get()});  // [1]
  TARN_CRASH_POINT("supervision.spawn.stored");
  os::SpawnPlan plan;
  plan.program = os::kOwnProgram;
  plan.arguments = {kShepherdProgram, std::string(item.name())};
  plan.descriptors = {ends->second.get(), item.description.get(), item.directory.get()};
  if (item.board_memory) plan.descriptors.push_back(item.board_memory.get());
#ifdef TARN_CRASH_POINTS
  arm_whose_turn_it_is();
#endif
  const auto pid = node_.spawner().spawn(plan);
  TARN_CRASH_POINT("supervision.spawn.spawned");
  if (pid) {
    item.shepherd_pid = *pid;
    auto process = os::open_pidfd(*pid);
    if (process) item.process = std::move(*process);
  } else {
    log_error("starting a shepherd: " + std::string(pid.error().what()));
  }
  ends->second.reset();  // without a shepherd, this is its end
  watch(item);
}

void Shepherds::watch(ClientItem& item) {
  const std::uint32_t id = item.facts.id;
  auto done = poller_.watch(item.control.get(), make_tag(TagKind::shepherd_control, id));
  if (done && item.process) {
    done = poller_.watch(item.process.get(), make_tag(TagKind::shepherd_process, id));
  }
  if (!done) log_error("watching the shepherd of " + describe(item) + ": " + done.error().what());
  send(item, OrderKind::attach);
}

bool Shepherds::send(ClientItem& item, OrderKind kind) {
  const Order order{kind, 0, item.facts.serial};
  const auto bytes = std::as_bytes(std::span(&order, 1));
  const auto sent = os::send_message(item.control.get(), bytes, {}, false);
  if (sent == os::SendOutcome::would_block) again_ = Deadline::in(kSendAgain);
  return sent == os::SendOutcome::ok;
}

void Shepherds::send_orders(ClientItem& item) {
  if (!item.knows_board || item.told_end) return;
  const bool ends =
      ending_ || item.order() == OrderKind::end || item.shepherd_edition != item.facts.edition;
  if (ends) {
    item.told_end = send(item, OrderKind::end);
  } else if (item.told_serial != item.facts.serial && send(item, item.order())) {
    item.told_serial = item.facts.serial;
  }
}

void Shepherds::on_control(std::uint32_t client) {
  ClientItem* item = node_.clients().at(client);
  if (item == nullptr || !item->has_shepherd()) return;
  ShepherdReport report{};
  const auto bytes = std::as_writable_bytes(std::span(&report, 1));
  auto received = os::receive_message(item->control.get(), bytes, false);
  if (received.outcome == os::ReceiveOutcome::would_block) return;
  if (received.outcome == os::ReceiveOutcome::ended) {
    // Its process tells when it is gone. Nobody is there when nobody was started.
    poller_.forget(item->control.get());
    if (!item->process) lose_shepherd(*item, false);
    return;
  }
  const bool sound = received.size_bytes == sizeof report &&
                     report.magic == ShepherdReport::kMagic && received.descriptors.size() == 2;
  if (!sound) return log_error("the shepherd of " + describe(*item) + " makes no sense");
  take_report(*item, std::move(received.descriptors[0]), std::move(received.descriptors[1]),
              report.pid);
}

// Crash: [1] and [2] may be repeated: the next worker asks for the report again.
void Shepherds::take_report(ClientItem& item, os::UniqueFd board, os::UniqueFd process,
                            std::int32_t pid) {
  auto segment = map_foreign(board.get(), layout::kBoardBytes, true, false);
  if (!segment) return log_error(describe(item) + ": " + segment.error().what());
  const auto view = BoardView::attach(*segment);
  if (!view) return log_error("the board of " + describe(item) + " makes no sense");
  if (!item.process) {
    item.process = std::move(process);
    auto done =
        poller_.watch(item.process.get(), make_tag(TagKind::shepherd_process, item.facts.id));
    if (!done) log_error(describe(item) + ": " + done.error().what());
  }
  item.shepherd_pid = pid;
  item.board_memory = std::move(board);
  item.board_segment = std::move(*segment);
  item.board = *view;
  const StoredShepherd record{item.facts.id, pid, item.shepherd_edition};
  node_.sink().put(record, std::array{item.control.get(), item.process.get()});  // [1]
  TARN_CRASH_POINT("supervision.report.stored");
  node_.sink().put(StoredBoard{item.facts.id, 0}, std::array{item.board_memory.get()});  // [2]
  item.knows_board = true;
}

void Shepherds::on_process_end(std::uint32_t client) {
  ClientItem* item = node_.clients().at(client);
  if (item == nullptr || !item->process) return;
  // Of a former worker's child the keeper is the parent, and reaps it; then nobody tells us how it
  // ended.
  const auto end = os::reap_if_ended(item->shepherd_pid);
  lose_shepherd(*item, !end || end->signal == SIGKILL);
}

void Shepherds::lose_shepherd(ClientItem& item, bool killed) {
  const bool ordered = item.told_end;
  const std::chrono::nanoseconds lived(monotonic_ns() - item.spawned_ns);
  forget_shepherd(item);
  if (ordered) return;
  const auto wait = item.pace.wait_after(lived, killed);
  item.spawn_at = Deadline::in(wait);
  log_warning("the shepherd of " + describe(item) + " died; the next one starts in " +
              std::to_string(wait / 1ms) + " ms");
}

// Its board stays: it says what the next one has to end, and how the client fared.
void Shepherds::forget_shepherd(ClientItem& item) {
  poller_.forget(item.control.get());
  if (item.process) poller_.forget(item.process.get());
  item.control.reset();
  item.process.reset();
  item.shepherd_pid = 0;
  item.knows_board = false;
  item.told_end = false;
  item.told_serial = 0;
  item.spawn_at = Deadline::passed();
  node_.sink().drop(StoredShepherd{item.facts.id, 0, 0});
  TARN_CRASH_POINT("supervision.forget.dropped");
}

// Crash: the client's record goes last; until then the next worker does all of this again.
void Shepherds::remove(ClientItem& item) {
  log_info(describe(item) + " is removed");
  node_.sink().drop(StoredBoard{item.facts.id, 0});
  TARN_CRASH_POINT("supervision.remove.board_dropped");
  node_.sink().drop(item.facts);
  node_.clients().erase(item.facts.id);
}

}  // namespace tarn::daemon
