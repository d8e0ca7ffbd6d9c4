// What an auditor asks: pages of what the worker knows, and memory for reading. Changes nothing.
//
// Both ends of a link are looked up for one answer: what that says of a link was so at one instant.

#include <algorithm>
#include <string>
#include <utility>

#include "daemon/worker/requests/request.h"
#include "os/process.h"

namespace tarn::daemon {
namespace {

using wire::AuditSubject;

// How much is looked at for one page, when little of it is worth telling.
constexpr std::uint32_t kMostLooked = 1024;

wire::AuditSession facts_of(NodeState& node, const SessionItem& session) {
  wire::AuditSession facts{};
  facts.name = session.facts.name;
  facts.index = session.facts.index;
  facts.generation = session.facts.generation;
  facts.pid = session.facts.pid;
  facts.has_exited = os::has_exited(session.process.get()) ? 1 : 0;
  facts.in_quarantine =
      node.quarantined().find(ObjectKind::session, session.facts.index) != nullptr ? 1 : 0;
  facts.quota_bytes = session.facts.quota_bytes;
  facts.charged_bytes = node.ledger().used_by(session.facts.index);
  for (const std::uint32_t index : session.owned) {
    if (const SegmentItem* segment = node.segments().at(index)) {
      facts.owned_bytes += segment->facts.size_bytes;
    }
  }
  return facts;
}

wire::AuditPipe facts_of(NodeState& node, const PipeItem& pipe) {
  wire::AuditPipe facts{};
  facts.name = pipe.facts.name;
  facts.id = pipe.facts.id;
  facts.slot_count = pipe.facts.slot_count;
  facts.delivery = pipe.facts.delivery;
  facts.in_quarantine = node.quarantined().find(ObjectKind::pipe, pipe.facts.id) != nullptr ? 1 : 0;
  return facts;
}

wire::AuditSlab facts_of(NodeState& node, const SegmentItem& segment) {
  wire::AuditSlab facts{};
  facts.index = segment.facts.index;
  facts.generation = segment.facts.generation;
  facts.owner = segment.facts.owner;
  facts.chunk_count = segment.facts.chunk_count;
  facts.chunk_bytes = segment.facts.chunk_bytes;
  facts.size_bytes = segment.facts.size_bytes;
  if (const SessionItem* owner = node.sessions().at(segment.facts.owner)) {
    facts.owner_exists = 1;
    facts.owner_has_it = owner->owned.contains(segment.facts.index) ? 1 : 0;
  }
  return facts;
}

std::uint64_t identity_of(const os::UniqueFd& memory) {
  if (!memory) return 0;
  const auto facts = os::examine_memory(memory.get());
  return facts ? facts->identity : 0;
}

wire::AuditClient facts_of(NodeState&, const ClientItem& client) {
  wire::AuditClient facts{};
  facts.name = client.facts.name;
  facts.id = client.facts.id;
  facts.description = identity_of(client.description);
  facts.board = identity_of(client.board_memory);
  return facts;
}

template <class Page, class Table>
Outcome list_objects(NodeState& node, const wire::AuditList& ask, const Table& all) {
  auto page = wire::make<Page>(ask.header.request);
  auto at = all.upper_bound(ask.after_first);
  for (; at != all.end() && page.count < page.items.size(); ++at) {
    page.items[page.count++] = facts_of(node, *at->second);
    page.last_first = at->first;
  }
  page.more = at != all.end() ? 1 : 0;
  return answer_with(page);
}

// Goes through the links that objects list, from where the last page ended.
class LinkPage {
 public:
  explicit LinkPage(const wire::AuditList& ask)
      : ask_(ask), page_(wire::make<wire::AuditLinks>(ask.header.request)) {}

  // `links_of(item)` is an ordered set or map of numbers; `tell(first, second)` adds what is worth
  // telling.
  template <class Table, class LinksOf, class Tell>
  Outcome walk(const Table& all, LinksOf&& links_of, Tell&& tell) {
    for (auto at = all.lower_bound(ask_.after_first); at != all.end(); ++at) {
      const auto& links = links_of(*at->second);
      const bool goes_on = at->first == ask_.after_first;
      auto link = goes_on ? links.upper_bound(ask_.after_second) : links.begin();
      for (; link != links.end(); ++link) {
        if (!look_at(at->first, number_of(*link))) return answer_with(page_);
        tell(at->first, page_.last_second);
      }
      // An object costs a look, too, though it may list nothing. After the last of its links.
      if (!look_at(at->first, UINT32_MAX)) return answer_with(page_);
    }
    return answer_with(page_);
  }

  void add(const wire::AuditLink& link) { page_.items[page_.count++] = link; }

 private:
  // False when the page has come to its end before it.
  bool look_at(std::uint32_t first, std::uint32_t second) noexcept {
    if (page_.count == page_.items.size() || looked_ == kMostLooked) {
      page_.more = 1;
      return false;
    }
    ++looked_;
    page_.last_first = first;
    page_.last_second = second;
    return true;
  }
  static std::uint32_t number_of(std::uint32_t number) noexcept { return number; }
  static std::uint32_t number_of(const std::pair<const std::uint32_t, std::uint64_t>& entry) {
    return entry.first;
  }

  const wire::AuditList& ask_;
  wire::AuditLinks page_;
  std::uint32_t looked_ = 0;
};

constexpr std::uint32_t bits(bool first, bool second) noexcept {
  return (first ? 1U : 0U) | (second ? 2U : 0U);
}

wire::AuditLink opening(NodeState& node, std::uint32_t session_index, std::uint32_t pipe_id) {
  const SessionItem* session = node.sessions().at(session_index);
  const PipeItem* pipe = node.pipes().at(pipe_id);
  wire::AuditLink link{session_index, pipe_id, 0, 0, bits(session != nullptr, pipe != nullptr)};
  if (session != nullptr) {
    const auto found = session->openings.find(pipe_id);
    if (found != session->openings.end()) {
      link.listed_by |= 1;
      link.serial = found->second;
    }
  }
  if (pipe != nullptr && pipe->sessions.contains(session_index)) link.listed_by |= 2;
  return link;
}

wire::AuditLink viewing(NodeState& node, std::uint32_t session_index, std::uint32_t slab_index) {
  const SessionItem* session = node.sessions().at(session_index);
  const SegmentItem* slab = node.segments().at(slab_index);
  const bool by_session = session != nullptr && session->viewed.contains(slab_index);
  const bool by_slab = slab != nullptr && slab->viewers.contains(session_index);
  return {session_index, slab_index, 0, bits(by_session, by_slab),
          bits(session != nullptr, slab != nullptr)};
}

wire::AuditLink carrying(NodeState& node, std::uint32_t slab_index, std::uint32_t pipe_id) {
  const SegmentItem* slab = node.segments().at(slab_index);
  const PipeItem* pipe = node.pipes().at(pipe_id);
  const bool by_slab = slab != nullptr && slab->carriers.contains(pipe_id);
  const bool by_pipe = pipe != nullptr && pipe->carried.contains(slab_index);
  return {slab_index, pipe_id, 0, bits(by_slab, by_pipe), bits(slab != nullptr, pipe != nullptr)};
}

wire::AuditLink owning(NodeState& node, std::uint32_t session_index, std::uint32_t slab_index) {
  const SegmentItem* slab = node.segments().at(slab_index);
  const bool by_slab = slab != nullptr && slab->facts.owner == session_index;
  return {session_index, slab_index, 0, bits(true, by_slab), bits(true, slab != nullptr)};
}

bool first_lists(const wire::AuditLink& link) noexcept { return (link.listed_by & 1) != 0; }

Outcome list_links(NodeState& node, const wire::AuditList& ask) {
  LinkPage page(ask);
  const auto& sessions = node.sessions().all();
  const auto& pipes = node.pipes().all();
  const auto& slabs = node.segments().all();
  // What the second alone lists: the rest was told with the first.
  const auto add_if_alone = [&](const wire::AuditLink& link) {
    if (!first_lists(link)) page.add(link);
  };
  switch (ask.subject) {
    case AuditSubject::openings:
      return page.walk(
          sessions, [](auto& item) -> auto& { return item.openings; },
          [&](auto first, auto second) { page.add(opening(node, first, second)); });
    case AuditSubject::openings_of_pipes:
      return page.walk(
          pipes, [](auto& item) -> auto& { return item.sessions; },
          [&](auto first, auto second) { add_if_alone(opening(node, second, first)); });
    case AuditSubject::viewings:
      return page.walk(
          sessions, [](auto& item) -> auto& { return item.viewed; },
          [&](auto first, auto second) { page.add(viewing(node, first, second)); });
    case AuditSubject::viewings_of_slabs:
      return page.walk(
          slabs, [](auto& item) -> auto& { return item.viewers; },
          [&](auto first, auto second) { add_if_alone(viewing(node, second, first)); });
    case AuditSubject::carryings:
      return page.walk(
          slabs, [](auto& item) -> auto& { return item.carriers; },
          [&](auto first, auto second) { page.add(carrying(node, first, second)); });
    case AuditSubject::carryings_of_pipes:
      return page.walk(
          pipes, [](auto& item) -> auto& { return item.carried; },
          [&](auto first, auto second) { add_if_alone(carrying(node, second, first)); });
    default:
      return page.walk(
          sessions, [](auto& item) -> auto& { return item.owned; },
          [&](auto first, auto second) { page.add(owning(node, first, second)); });
  }
}

Error nothing_there(const wire::AuditGet& ask) {
  return Error(Error::not_found, "audit the node",
               "object " + std::to_string(ask.index) + " of subject " +
                   std::to_string(static_cast<std::uint32_t>(ask.subject)),
               "it has gone meanwhile");
}

int memory_of(NodeState& node, const wire::AuditGet& ask) {
  const SegmentId id{ask.index, ask.generation};
  switch (ask.subject) {
    case AuditSubject::sessions: {
      const SessionItem* session = node.sessions().find({ask.index, ask.generation});
      return session == nullptr ? -1 : session->memory.get();
    }
    case AuditSubject::pipes: {
      const PipeItem* pipe = node.pipes().at(ask.index);
      return pipe == nullptr ? -1 : pipe->memory.get();
    }
    case AuditSubject::slabs: {
      const SegmentItem* slab = node.segments().find(id);
      return slab == nullptr ? -1 : slab->memory.get();
    }
    case AuditSubject::table:
      return node.table_reader();
    default:
      return -1;
  }
}

}  // namespace

Outcome audit_list(NodeState& node, const wire::AuditList& ask) {
  switch (ask.subject) {
    case AuditSubject::sessions:
      return list_objects<wire::AuditSessions>(node, ask, node.sessions().all());
    case AuditSubject::pipes:
      return list_objects<wire::AuditPipes>(node, ask, node.pipes().all());
    case AuditSubject::slabs:
      return list_objects<wire::AuditSlabs>(node, ask, node.segments().all());
    case AuditSubject::clients:
      return list_objects<wire::AuditClients>(node, ask, node.clients().all());
    case AuditSubject::openings:
    case AuditSubject::openings_of_pipes:
    case AuditSubject::viewings:
    case AuditSubject::viewings_of_slabs:
    case AuditSubject::carryings:
    case AuditSubject::carryings_of_pipes:
    case AuditSubject::ownings:
      return list_links(node, ask);
    default:
      return Error(Error::invalid_argument, "audit the node",
                   "subject " + std::to_string(static_cast<std::uint32_t>(ask.subject)),
                   "use a library of the node's version");
  }
}

Outcome audit_get(NodeState& node, const wire::AuditGet& ask) {
  const int memory = memory_of(node, ask);
  if (memory < 0) return nothing_there(ask);
  return answer_read_only(wire::make<wire::DoneReply>(ask.header.request), memory);
}

Outcome audit_node(NodeState& node, const wire::AuditNode& ask) {
  auto figures = wire::make<wire::AuditFigures>(ask.header.request);
  const MemoryLedger& ledger = node.ledger();
  const StoredCounters& counters = node.counters();
  figures.node_id = node.facts().node_id;
  figures.limit_bytes = ledger.limit_bytes();
  figures.used_bytes = ledger.used_bytes();
  figures.holders_bytes = ledger.sum_of_holders();
  figures.pipes_bytes = ledger.used_by(kPipesHolder);
  figures.orphans_bytes = ledger.used_by(kOrphansHolder);
  figures.last_opening = counters.last_opening;
  figures.last_pipe_id = counters.last_pipe_id;
  figures.last_session_generation = counters.last_session_generation;
  figures.last_segment_generation = counters.last_segment_generation;
  figures.keeper_pid = node.facts().keeper_pid;
  figures.worker_pid = os::own_pid();
  figures.worker_starts = node.facts().worker_starts;
  return answer_with(figures);
}

}  // namespace tarn::daemon
