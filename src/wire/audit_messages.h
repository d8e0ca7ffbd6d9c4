// audit_messages.h - what an auditor asks of its node: pages of facts, and memory for reading. The
// same page for readers: docs/formats/wire.md.
//
// For the node's own account. Each answer takes the worker no longer than a page: an audit asks
// often, rather than long.
#pragma once

#include <array>
#include <cstdint>

#include "wire/record.h"

namespace tarn::wire {

enum class AuditSubject : std::uint32_t {
  sessions = 1,
  pipes = 2,
  slabs = 3,
  // Links, as the first object lists them, and then those that the second alone lists.
  openings = 4,
  openings_of_pipes = 5,
  viewings = 6,
  viewings_of_slabs = 7,
  carryings = 8,
  carryings_of_pipes = 9,
  ownings = 10,
  // For AuditGet.
  table = 11,
  clients = 12,
};

// The page of that subject after those two numbers: what came last, or zeroes.
struct AuditList {
  static constexpr MessageType kType = MessageType::audit_list;
  Header header;
  AuditSubject subject;
  std::uint32_t after_first;
  std::uint32_t after_second;
  std::uint32_t reserved;
};

struct AuditSession {
  Name name;
  std::uint32_t index;
  std::uint32_t generation;
  std::int32_t pid;
  std::uint32_t has_exited;
  std::uint32_t in_quarantine;
  std::uint32_t reserved;
  std::uint64_t quota_bytes;
  std::uint64_t charged_bytes;
  std::uint64_t owned_bytes;
};

struct AuditPipe {
  Name name;
  std::uint32_t id;
  std::uint32_t slot_count;
  std::uint32_t delivery;
  std::uint32_t in_quarantine;
};

struct AuditSlab {
  std::uint32_t index;
  std::uint32_t generation;
  std::uint32_t owner;
  std::uint32_t chunk_count;
  std::uint64_t chunk_bytes;
  std::uint64_t size_bytes;
  std::uint32_t owner_exists;
  std::uint32_t owner_has_it;
};

// A supervised client. Its memory is told by identity alone: what stands in it is its shepherd's.
struct AuditClient {
  Name name;
  std::uint32_t id;
  std::uint32_t reserved;
  std::uint64_t description;  // inode of what it runs; 0: none
  std::uint64_t board;        // of how it fares
};

struct AuditLink {
  std::uint32_t first;
  std::uint32_t second;
  std::uint64_t serial;
  std::uint32_t listed_by;  // bit 0: the first; bit 1: the second
  std::uint32_t existing;   // likewise
};

template <class T, MessageType Type, std::size_t Count>
struct AuditPage {
  static constexpr MessageType kType = Type;
  Header header;
  std::uint32_t count;
  std::uint32_t more;  // 1: ask again, after these
  std::uint32_t last_first;
  std::uint32_t last_second;
  std::array<T, Count> items;
};
using AuditSessions = AuditPage<AuditSession, MessageType::audit_sessions, 64>;
using AuditPipes = AuditPage<AuditPipe, MessageType::audit_pipes, 64>;
using AuditSlabs = AuditPage<AuditSlab, MessageType::audit_slabs, 128>;
using AuditClients = AuditPage<AuditClient, MessageType::audit_clients, 64>;
using AuditLinks = AuditPage<AuditLink, MessageType::audit_links, 256>;

// The memory of one object. Answered by done; beside it: the descriptor, for reading.
struct AuditGet {
  static constexpr MessageType kType = MessageType::audit_get;
  Header header;
  AuditSubject subject;  // sessions, pipes, slabs or table
  std::uint32_t index;
  std::uint32_t generation;  // 0 for pipes
  std::uint32_t reserved;
};

struct AuditNode {
  static constexpr MessageType kType = MessageType::audit_node;
  Header header;
};
struct AuditFigures {
  static constexpr MessageType kType = MessageType::audit_figures;
  Header header;
  std::uint64_t node_id;
  std::uint64_t limit_bytes;
  std::uint64_t used_bytes;
  std::uint64_t holders_bytes;
  std::uint64_t pipes_bytes;
  std::uint64_t orphans_bytes;
  std::uint64_t last_opening;
  std::uint32_t last_pipe_id;
  std::uint32_t last_session_generation;
  std::uint32_t last_segment_generation;
  std::int32_t keeper_pid;
  std::int32_t worker_pid;
  std::uint32_t worker_starts;
};

// Repair what was found, if it is still so: the numbers of audit::Finding. Of that node alone:
// another one that took its place has other objects under the same numbers.
struct AuditRepair {
  static constexpr MessageType kType = MessageType::audit_repair;
  Header header;
  std::uint64_t node_id;
  std::uint32_t kind;
  std::uint32_t object;
  std::uint32_t index;
  std::uint32_t generation;
  std::uint32_t part;
  std::uint32_t reserved;
  std::uint64_t evidence;
};

enum class RepairOutcome : std::uint32_t {
  left = 0,         // nothing was done, for the reason that the verdict gives
  repaired = 1,     // also when it had gone meanwhile
  quarantined = 2,  // nobody looks into the object any more
};

struct AuditRepaired {
  static constexpr MessageType kType = MessageType::audit_repaired;
  Header header;
  RepairOutcome outcome;
  std::uint32_t reserved;
  std::array<char, 256> verdict;
};

}  // namespace tarn::wire
