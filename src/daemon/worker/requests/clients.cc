// Supervised clients: what is ordered of them, and how they fare. What is ordered happens later:
// the asker looks at the client's board, and nobody waits here.

#include <algorithm>
#include <string>
#include <utility>

#include "base/crash_point.h"
#include "daemon/worker/requests/request.h"
#include "os/process.h"
#include "os/run/command.h"

namespace tarn::daemon {
namespace {

using layout::ClientState;

std::string called(std::string_view name) { return "client '" + std::string(name) + "'"; }

Result<ClientItem*, Error> find_client(NodeState& node, std::string_view name) {
  ClientItem* item = node.clients().find(name);
  if (item != nullptr) return item;
  return Error(Error::not_found, "find the client", called(name), "`tarn client ls` lists them");
}

Answer accepted(const ClientItem& item, std::uint64_t request) {
  auto reply = wire::make<wire::ClientAccepted>(request);
  reply.serial = item.facts.serial;
  reply.client = item.facts.id;
  return answer_with(reply);
}

// Crash: the record is the commit point. What it says is done by whoever is the worker then.
Answer order(NodeState& node, ClientItem& item, OrderKind kind, std::uint64_t nonce,
             std::uint64_t request) {
  item.facts.order = static_cast<std::uint32_t>(kind);
  item.facts.nonce = nonce;
  ++item.facts.serial;
  node.sink().put(item.facts);
  TARN_CRASH_POINT("supervision.order.stored");
  return accepted(item, request);
}

FullStatus take_description(ClientItem& item, std::vector<os::UniqueFd>& descriptors) {
  if (descriptors.size() != 2 || !os::is_directory(descriptors[1].get())) {
    return Error(Error::corrupt, "register a client", "it came without description and directory",
                 "report this defect of the client");
  }
  ClientItem trial;
  trial.description = std::move(descriptors[0]);
  if (auto good = read_description(trial); !good) return good;
  item.description = std::move(trial.description);
  item.directory = std::move(descriptors[1]);
  item.command = std::move(trial.command);
  item.restart = trial.restart;
  item.facts.stop_ns = trial.facts.stop_ns;
  return Done{};
}

FullStatus check_new(NodeState& node, std::string_view name, const ClientItem* former,
                     bool replace) {
  if (auto good = wire::check_client_name(name); !good) return good;
  if (node.end_requested()) {
    return Error(Error::busy, "register a client", "the node is ending", "try again");
  }
  if (former != nullptr && former->order() == OrderKind::end) {
    return Error(Error::busy, "register a client", called(name) + " is being removed", "try again");
  }
  if (former != nullptr && !replace) {
    return Error(Error::exists, "register a client", called(name),
                 "choose another name, or replace it with --replace");
  }
  if (former == nullptr && node.clients().all().size() >= kMaxClients) {
    return Error(Error::table_full, "register a client",
                 "the node has " + std::to_string(kMaxClients) + " clients already",
                 "remove some with `tarn client rm`");
  }
  return Done{};
}

// What its board says, unless a newer order is on its way to it.
ClientState shown_state(const ClientItem& item, const layout::BoardFacts& facts) noexcept {
  if (facts.order >= item.facts.serial) return facts.state;
  const bool ends = item.order() == OrderKind::stop || item.order() == OrderKind::end;
  return ends ? ClientState::stopping : ClientState::starting;
}

wire::ClientFacts facts_of(const ClientItem& item) {
  wire::ClientFacts shown{};
  const layout::BoardFacts facts = item.board_facts();
  const std::int64_t now = monotonic_ns();
  shown.name = item.facts.name;
  wire::put_text(shown.command, item.command);
  shown.id = item.facts.id;
  shown.state = static_cast<std::uint32_t>(shown_state(item, facts));
  shown.pid = facts.command_pid;
  shown.shepherd_pid = item.shepherd_pid;
  shown.starts = facts.starts;
  shown.ends = facts.ends;
  shown.exit_status = facts.exit_status;
  shown.exit_signal = facts.exit_signal;
  shown.exec_error = facts.exec_error;
  shown.restart = static_cast<std::uint32_t>(item.restart);
  if (facts.command_pid != 0) {
    shown.up_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(now - facts.started_ns, 0));
  }
  if (facts.state == ClientState::waiting) {
    shown.next_start_ns =
        static_cast<std::uint64_t>(std::max<std::int64_t>(facts.next_start_ns - now, 0));
  }
  shown.started_unix_ns = facts.started_unix_ns;
  shown.ended_unix_ns = facts.ended_unix_ns;
  return shown;
}

}  // namespace

// Crash: the record with its descriptors is the commit point, as in order().
Outcome client_run(NodeState& node, Request& request, const wire::ClientRun& ask) {
  const std::string_view name = wire::get_text(ask.name);
  ClientItem* former = node.clients().find(name);
  if (former != nullptr && ask.nonce != 0 && former->facts.nonce == ask.nonce) {
    return accepted(*former, ask.header.request);
  }
  if (auto good = check_new(node, name, former, ask.replace != 0); !good) {
    return std::move(good).error();
  }
  auto fresh = std::make_unique<ClientItem>();
  ClientItem& item = former != nullptr ? *former : *fresh;
  if (auto good = take_description(item, request.descriptors); !good) {
    return std::move(good).error();
  }
  ++item.facts.edition;
  if (former == nullptr) {
    // Never given twice, so that who waits for a client's removal sees that the next is another.
    item.facts.id = ++node.counters().last_client_id;
    node.put_counters();
    item.facts.name = ask.name;
    node.clients().add(std::move(fresh));
  }
  item.facts.order = static_cast<std::uint32_t>(OrderKind::run);
  item.facts.nonce = ask.nonce;
  ++item.facts.serial;
  node.sink().put(item.facts, std::array{item.description.get(), item.directory.get()});
  TARN_CRASH_POINT("supervision.run.stored");
  return accepted(item, ask.header.request);
}

Outcome client_order(NodeState& node, const wire::ClientOrder& ask) {
  auto found = find_client(node, wire::get_text(ask.name));
  if (!found) return std::move(found).error();
  ClientItem& item = **found;
  const bool again = ask.nonce != 0 && item.facts.nonce == ask.nonce;
  // A client that is being removed takes no other order.
  if (again || item.order() == OrderKind::end) return accepted(item, ask.header.request);
  switch (ask.wish) {
    case wire::ClientWish::stop:
      return order(node, item, OrderKind::stop, ask.nonce, ask.header.request);
    case wire::ClientWish::restart:
      return order(node, item, OrderKind::restart, ask.nonce, ask.header.request);
    case wire::ClientWish::remove:
      if (ask.force == 0 && !item.is_over()) {
        return Error(Error::busy, "remove the client", called(item.name()) + " has not ended",
                     "stop it first, or remove it with --force");
      }
      return order(node, item, OrderKind::end, ask.nonce, ask.header.request);
  }
  return Error(Error::invalid_argument, "order a client", "an unknown wish",
               "use a library of the node's version");
}

Outcome client_list(NodeState& node, const wire::ClientList& ask) {
  auto page = wire::make<wire::ClientPage>(ask.header.request);
  const auto& all = node.clients().all();
  auto at = all.upper_bound(ask.after);
  for (; at != all.end() && page.count < page.items.size(); ++at) {
    page.items[page.count++] = facts_of(*at->second);
  }
  page.more = at != all.end() ? 1 : 0;
  return answer_with(page);
}

Outcome client_get(NodeState& node, const wire::ClientGet& ask) {
  auto found = find_client(node, wire::get_text(ask.name));
  if (!found) return std::move(found).error();
  const ClientItem& item = **found;
  auto got = wire::make<wire::ClientGot>(ask.header.request);
  got.serial = item.facts.serial;
  got.facts = facts_of(item);
  if (!item.board_memory) return answer_with(got);
  got.has_board = 1;
  return answer_read_only(got, item.board_memory.get());
}

}  // namespace tarn::daemon
