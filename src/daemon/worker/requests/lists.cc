// What can be seen of the node from outside; and its end.

#include "daemon/worker/requests/lists.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/version.h"
#include "os/process.h"
#include "os/run/command.h"

namespace tarn::daemon {
namespace {

wire::PipeFacts facts_of(NodeState& node, const PipeItem& pipe) {
  wire::PipeFacts facts{};
  facts.name = pipe.facts.name;
  facts.id = pipe.facts.id;
  facts.delivery = pipe.facts.delivery;
  facts.capacity = pipe.facts.slot_count;
  facts.sessions = static_cast<std::uint32_t>(pipe.sessions.size());
  const StoredTotals& retired = pipe.facts.retired;
  facts.pushed = retired.pushed;
  facts.pushed_bytes = retired.pushed_bytes;
  facts.push_waits = retired.push_waits;
  facts.copied_in = retired.copied_in;
  facts.popped = retired.popped;
  facts.popped_bytes = retired.popped_bytes;
  facts.pop_waits = retired.pop_waits;
  for (const std::uint32_t index : pipe.sessions) {
    const SessionItem* session = node.sessions().at(index);
    if (session == nullptr) continue;
    const EndFacts end = facts_of_end(*session, pipe.facts.id);
    facts.producers += end.pushed > 0 ? 1 : 0;
    facts.consumers += end.popped > 0 ? 1 : 0;
    facts.pushed += end.pushed;
    facts.pushed_bytes += end.pushed_bytes;
    facts.push_waits += end.push_waits;
    facts.copied_in += end.copied_in;
    facts.popped += end.popped;
    facts.popped_bytes += end.popped_bytes;
    facts.pop_waits += end.pop_waits;
  }
  // Numbers are added after the fact: what was popped had been pushed, though who pushed it was
  // looked at before it could say so, or was killed. With at_least_once it may be popped again.
  const bool is_popped_once = pipe.facts.delivery == 0;
  if (is_popped_once) facts.pushed = std::max(facts.pushed, facts.popped);
  if (!pipe.view) return facts;
  const PipeSnapshot now = pipe.view.snapshot();
  facts.closed = now.closed ? 1 : 0;
  facts.depth = static_cast<std::int64_t>(now.depth);
  facts.depth_high_water = static_cast<std::int64_t>(now.high_water);
  facts.skipped = now.skipped;
  facts.redelivered = now.redelivered;
  return facts;
}

wire::SessionFacts facts_of(NodeState& node, const SessionItem& session) {
  wire::SessionFacts facts{};
  facts.name = session.facts.name;
  facts.index = session.facts.index;
  facts.generation = session.facts.generation;
  facts.pid = session.facts.pid;
  facts.uid = session.facts.uid;
  facts.connected = session.connection != 0 ? 1 : 0;
  facts.segments = static_cast<std::uint32_t>(session.owned.size());
  facts.pipes = static_cast<std::uint32_t>(session.openings.size());
  facts.age_ns = static_cast<std::uint64_t>(monotonic_ns() - session.facts.began_ns);
  facts.segment_bytes = node.ledger().used_by(session.facts.index);
  facts.quota_bytes = session.facts.quota_bytes;
  if (!session.view) return facts;
  facts.holds = session.view.total_holds();
  session.view.for_each_end([&](const EndFacts& end) noexcept {
    if (!session.openings.contains(end.pipe)) return;
    facts.pushed += end.pushed;
    facts.popped += end.popped;
  });
  return facts;
}

Outcome one_pipe(NodeState& node, const wire::PipeList& ask, std::string_view name) {
  const PipeItem* pipe = node.pipes().find(name);
  if (pipe == nullptr) {
    return Error(Error::not_found, "look at the pipe", "pipe '" + std::string(name) + "'",
                 "`tarn pipe ls` lists them");
  }
  auto page = wire::make<wire::PipePage>(ask.header.request);
  page.items[page.count++] = facts_of(node, *pipe);
  return answer_with(page);
}

// "session 3 'sink' (pid 4711), ..." Supervised clients end with the node, and stand in nobody's
// way.
std::string name_some(NodeState& node, const SessionItem* except) {
  constexpr std::size_t kNamed = 3;
  std::string text;
  std::size_t count = 0;
  for (const auto& [index, session] : node.sessions().all()) {
    if (session.get() == except || session->ended) continue;
    if (node.clients().supervises_session(os::session_of_process(session->facts.pid))) continue;
    if (++count <= kNamed) text += (count > 1 ? ", " : "") + node.describe_holder(index);
  }
  if (count > kNamed) text += " and " + std::to_string(count - kNamed) + " more";
  return text;
}

}  // namespace

Outcome pipe_list(NodeState& node, const wire::PipeList& ask, const MaySeePipe& may_see) {
  const std::string_view name = wire::get_text(ask.name);
  if (!name.empty()) return one_pipe(node, ask, name);
  auto page = wire::make<wire::PipePage>(ask.header.request);
  const auto& all = node.pipes().all();
  for (auto at = all.upper_bound(ask.after); at != all.end(); ++at) {
    if (at->second->facts.nameless != 0) continue;  // removed: only its users know it
    if (!may_see(*at->second)) continue;
    if (page.count == page.items.size()) {
      page.more = 1;
      break;
    }
    page.items[page.count++] = facts_of(node, *at->second);
  }
  return answer_with(page);
}

Outcome pipe_list(NodeState& node, const wire::PipeList& ask) {
  return pipe_list(node, ask, [](const PipeItem&) { return true; });
}

Outcome session_list(NodeState& node, const wire::SessionList& ask) {
  return session_list(node, ask, [](const SessionItem&) { return true; });
}

Outcome session_list(NodeState& node, const wire::SessionList& ask, const MaySeeSession& may_see) {
  auto page = wire::make<wire::SessionPage>(ask.header.request);
  const auto& all = node.sessions().all();
  auto at = all.upper_bound(ask.after);
  for (; at != all.end() && page.count < page.items.size(); ++at) {
    if (may_see(*at->second)) page.items[page.count++] = facts_of(node, *at->second);
  }
  page.more = at != all.end() ? 1 : 0;
  return answer_with(page);
}

Outcome status(NodeState& node, const wire::StatusGet& ask) {
  auto reply = wire::make<wire::StatusReply>(ask.header.request);
  const NodeFacts& facts = node.facts();
  wire::put_text(reply.application, facts.application);
  wire::put_text(reply.user, facts.user);
  wire::put_text(reply.directory, facts.directory);
  wire::put_text(reply.version, kVersion);
  reply.keeper_pid = facts.keeper_pid;
  reply.worker_pid = os::own_pid();
  reply.worker_starts = facts.worker_starts;
  reply.ends_when_idle = facts.idle_exit_ns ? 1 : 0;
  reply.age_ns = static_cast<std::uint64_t>(monotonic_ns() - facts.began_ns);
  reply.limit_bytes = facts.limit_bytes;
  reply.used_bytes = node.ledger().used_bytes();
  reply.sessions = static_cast<std::uint32_t>(node.sessions().all().size());
  reply.pipes = static_cast<std::uint32_t>(node.pipes().all().size());
  reply.segments = static_cast<std::uint32_t>(node.segments().size());
  reply.orphan_segments = static_cast<std::uint32_t>(node.segments().orphans().size());
  reply.recovered_sessions = node.counters().recovered_sessions;
  reply.recover_pid = node.recovery().pid;
  reply.recover_starts = node.recovery().starts;
  reply.quarantined = static_cast<std::uint32_t>(node.quarantined().size());
  node.quarantined().for_each([&](const StoredVerdict& verdict) {
    if (reply.verdict_count == reply.verdicts.size()) return;
    wire::VerdictFacts& told = reply.verdicts[reply.verdict_count++];
    wire::put_text(told.object, node.describe(verdict));
    told.text = verdict.text;
    told.age_ns = static_cast<std::uint64_t>(monotonic_ns() - verdict.at_ns);
  });
  reply.clients = static_cast<std::uint32_t>(node.clients().all().size());
  reply.service = facts.service;
  reply.longest_stop_ns = static_cast<std::uint64_t>(node.clients().longest_stop_ns());
  return answer_with(reply);
}

Outcome shutdown(NodeState& node, SessionItem* session, const wire::Shutdown& ask) {
  const std::string others = name_some(node, session);
  if (ask.force == 0 && !others.empty()) {
    return Error(Error::busy, "end the node", "attached: " + others,
                 "end these programs first, or force it");
  }
  // Whoever was told so must not find a new worker, should this one die at once.
  node.sink().stop();
  node.request_end();
  TARN_CRASH_POINT("shutdown.told");
  return answer_done(ask.header.request);
}

}  // namespace tarn::daemon
