// What the worker knows, against itself: links with two ends, sums, numbers never given twice, and
// the table that sessions read.
#include <algorithm>
#include <cstring>
#include <string>

#include "shm/audit/audit.h"
#include "shm/session/session_layout.h"

namespace tarn::audit {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

Place node_place(std::uint32_t part = 0) { return {ObjectKind::node, 0, 0, part}; }

struct LinkWords {
  Kind kind;
  const char* first;
  const char* second;
  const char* between;  // "session 3 [has] pipe 5 [open]"
  ObjectKind object;
};

LinkWords words_of(LinkKind kind) noexcept {
  switch (kind) {
    case LinkKind::opening:
      return {Kind::opening_broken, "session ", "pipe ", " has open ", ObjectKind::session};
    case LinkKind::viewing:
      return {Kind::viewing_broken, "session ", "segment ", " looks into ", ObjectKind::session};
    case LinkKind::carrying:
      return {Kind::carrying_broken, "segment ", "pipe ", " is carried by ", ObjectKind::slab};
    case LinkKind::owning:
      return {Kind::owning_broken, "session ", "segment ", " owns ", ObjectKind::session};
  }
  return {Kind::owning_broken, "session ", "segment ", " owns ", ObjectKind::session};
}

void check_link(const LinkImage& link, Findings& out) {
  if (link.first_lists && link.second_lists && link.first_exists && link.second_exists) return;
  const LinkWords words = words_of(link.kind);
  const std::string first = words.first + number(link.first);
  const std::string second = words.second + number(link.second);
  std::string found;
  if (!link.first_exists || !link.second_exists) {
    found = (link.first_exists ? second : first) + " is not there any more";
  } else {
    found = "only " + (link.first_lists ? first : second) + " lists the other";
  }
  out.add(words.kind, {words.object, link.first, 0, link.second},
          evidence_of(link.serial, link.first_lists ? 1 : 0, link.first_exists ? 1 : 0),
          first + words.between + second, std::move(found));
}

std::string sum_text(std::uint64_t charged, std::uint64_t sum) {
  return "the ledger says " + number(charged) + " bytes, the segments add up to " + number(sum);
}

// What every slab and pipe adds up to was read page by page; the ledger in one go.
void check_sums(const NodeImage& node, Findings& out) {
  std::uint64_t pipes = 0;
  for (const auto& [id, pipe] : node.pipes) pipes += layout::pipe_bytes(pipe.slot_count);
  std::uint64_t orphans = 0;
  for (const auto& [index, slab] : node.slabs) orphans += slab.owner == 0 ? slab.size_bytes : 0;
  const NodeFigures& figures = node.figures;
  if (figures.pipes_bytes != pipes) {
    out.add(Kind::ledger_pipes, node_place(), evidence_of(figures.pipes_bytes, pipes), "pipes",
            sum_text(figures.pipes_bytes, pipes));
  }
  if (figures.orphans_bytes != orphans) {
    out.add(Kind::ledger_orphans, node_place(), evidence_of(figures.orphans_bytes, orphans),
            "segments of ended sessions", sum_text(figures.orphans_bytes, orphans));
  }
  if (figures.used_bytes != figures.holders_bytes) {
    out.add(Kind::ledger_total, node_place(),
            evidence_of(figures.used_bytes, figures.holders_bytes), "memory in use",
            "the ledger says " + number(figures.used_bytes) + " bytes, its holders add up to " +
                number(figures.holders_bytes));
  }
  if (figures.used_bytes > figures.limit_bytes) {
    out.add(Kind::limit_exceeded, node_place(), figures.used_bytes, "memory in use",
            number(figures.used_bytes) + " bytes are more than the limit of " +
                number(figures.limit_bytes));
  }
}

void check_session_facts(const SessionImage& session, Findings& out) {
  const Place place{ObjectKind::session, session.index, session.generation, 0};
  if (session.charged_bytes != session.owned_bytes) {
    out.add(Kind::ledger_session, place, evidence_of(session.charged_bytes, session.owned_bytes),
            name_of(session), sum_text(session.charged_bytes, session.owned_bytes));
  }
  if (session.quota_bytes != 0 && session.owned_bytes > session.quota_bytes) {
    out.add(Kind::quota_exceeded, place, session.owned_bytes, name_of(session),
            "it owns " + number(session.owned_bytes) + " bytes, more than its quota of " +
                number(session.quota_bytes));
  }
  if (session.has_exited) {
    out.add(Kind::session_exited, place, 0, name_of(session),
            "its process " + number(static_cast<std::uint64_t>(session.pid)) +
                " has ended, and nobody has cleaned up after it");
  }
}

// The counters were read last, and only rise.
void check_counters(const NodeImage& node, Findings& out) {
  const auto expect = [&](std::uint32_t part, std::uint64_t counter, std::uint64_t newest,
                          const char* what) {
    if (newest <= counter) return;
    out.add(Kind::counter_behind, node_place(part), evidence_of(counter, newest),
            std::string("counter of ") + what,
            "it stands at " + number(counter) + ", and " + number(newest) + " is in use");
  };
  std::uint64_t sessions = 0;
  for (const auto& [index, session] : node.sessions) {
    sessions = std::max<std::uint64_t>(sessions, session.generation);
  }
  std::uint64_t slabs = 0;
  for (const auto& [index, slab] : node.slabs) {
    slabs = std::max<std::uint64_t>(slabs, slab.generation);
  }
  std::uint64_t openings = 0;
  for (const LinkImage& link : node.links) {
    if (link.kind == LinkKind::opening) openings = std::max(openings, link.serial);
  }
  const std::uint64_t pipes = node.pipes.empty() ? 0 : node.pipes.rbegin()->first;
  expect(0, node.figures.last_pipe_id, pipes, "pipes");
  expect(1, node.figures.last_session_generation, sessions, "sessions");
  expect(2, node.figures.last_segment_generation, slabs, "segments");
  expect(3, node.figures.last_opening, openings, "openings");
}

void check_orphans(const NodeImage& node, const Seen& seen, Findings& out) {
  for (const auto& [index, slab] : node.slabs) {
    if (slab.owner != 0) continue;
    const std::uint64_t id = SegmentId{slab.index, slab.generation}.packed();
    if (seen.named.contains(id) || seen.counted.contains(id)) continue;
    out.add(Kind::slab_orphan_leaked, {ObjectKind::slab, index, slab.generation, 0}, 0,
            name_of(slab), "its owner has ended, and nobody holds or names anything of it");
  }
}

bool is_in_quarantine(const NodeImage& node, std::uint32_t session) {
  const auto found = node.sessions.find(session);
  return found != node.sessions.end() && found->second.in_quarantine;
}

// What a session in quarantine holds is taken to be everything that it could hold.
void count_all_it_views(const NodeImage& node, std::uint32_t session, Seen& seen) {
  for (const auto& [viewer, slab] : node.viewings) {
    const auto found = node.slabs.find(slab);
    if (viewer != session || found == node.slabs.end()) continue;
    seen.counted.insert(SegmentId{slab, found->second.generation}.packed());
  }
}

}  // namespace

void check_registry(const NodeImage& node, const Seen& seen, Findings& out) {
  for (const LinkImage& link : node.links) check_link(link, out);
  for (const auto& [index, slab] : node.slabs) {
    if (slab.owner == 0 || !slab.owner_exists || slab.owner_has_it) continue;
    check_link({LinkKind::owning, slab.owner, index, 0, false, true, true, true}, out);
  }
  for (const auto& [index, session] : node.sessions) check_session_facts(session, out);
  check_sums(node, out);
  check_counters(node, out);
  check_orphans(node, seen, out);
}

void check_table(const NodeImage& node, Findings& out) {
  const Place place{ObjectKind::table, 0, 0, 0};
  if (!check_segment(node.table.get(), layout::SegmentKind::node, layout::kNodeBytes, true, place,
                     "node table", out)) {
    return;
  }
  std::uint64_t node_id = 0;
  node.table->copy_record(offsetof(layout::NodeHeader, node_id), node_id);
  if (node_id != node.figures.node_id) {
    out.add(Kind::table_node_id, place, node_id, "node table", "its node id is another node's");
  }
  std::vector<std::byte> entries(layout::kMaxSessions * sizeof(layout::NodeEntry));
  if (!node.table->copy(layout::kNodeTableOffset, entries)) return;
  for (std::uint32_t index = 0; index < layout::kMaxSessions; ++index) {
    std::uint32_t generation = 0;
    std::memcpy(&generation, entries.data() + index * sizeof(layout::NodeEntry), sizeof generation);
    const auto session = node.sessions.find(index);
    const bool is_there = session != node.sessions.end();
    const std::uint32_t expected = is_there ? session->second.generation : 0;
    if (generation == expected) continue;
    out.add(is_there ? Kind::table_generation : Kind::table_entry_without_session,
            {ObjectKind::table, index, expected, 0}, generation,
            "node table entry " + number(index),
            "it says generation " + number(generation) + ", where the session there has " +
                (is_there ? number(expected) : std::string("none")));
  }
}

std::vector<Finding> audit_node(const NodeImage& node, Counts& counts) {
  Seen seen;
  Findings out;
  check_table(node, out);
  for (const auto& [index, slab] : node.slabs) {
    // With its owner, which is counted below.
    if (!is_in_quarantine(node, slab.owner)) check_slab(slab, out);
  }
  for (const auto& [id, pipe] : node.pipes) {
    if (pipe.in_quarantine) {
      ++seen.counts.quarantined;
    } else {
      check_pipe(pipe, &node, seen, out);
    }
  }
  for (const auto& [index, session] : node.sessions) {
    if (session.in_quarantine) {
      ++seen.counts.quarantined;
      count_all_it_views(node, index, seen);
    } else {
      check_session(session, &node, seen, out);
    }
  }
  check_registry(node, seen, out);
  seen.counts.segments = node.slabs.size() + node.pipes.size() + node.sessions.size() + 1;
  counts = seen.counts;
  return out.take();
}

}  // namespace tarn::audit
