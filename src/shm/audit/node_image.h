// node_image.h - a node as an auditor sees it: what the worker says of each object, and the memory
// of each, mapped for reading.
//
// Process-local. The facts were read one page after the other while the node went on, and the
// memory later still: what compares two of them has to be seen twice (kind.h, Proof).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "os/fd.h"
#include "os/memory.h"
#include "shm/segment/segment.h"

namespace tarn::audit {

// The memory of one object. Everything in it is input. Slots are read where they stand, so a pipe
// is mapped; of everything else copies do, and copying makes no page where there is none.
struct SegmentImage {
  std::span<const std::byte> bytes{};      // where it is mapped, if it is
  Segment mapping{};                       // owns that; empty when somebody else does
  std::optional<os::MemoryFacts> facts{};  // what the kernel says; none without a descriptor
  os::UniqueFd fd{};

  bool is_readable() const noexcept { return fd || !bytes.empty(); }
  // Fills `target` from `offset` on; false when not all of it could be read.
  bool copy(std::uint64_t offset, std::span<std::byte> target) const noexcept;
  template <class T>
  bool copy_record(std::uint64_t offset, T& record) const noexcept {
    static_assert(std::is_standard_layout_v<T>);
    return copy(offset, std::as_writable_bytes(std::span(&record, 1)));
  }
};
using SharedImage = std::shared_ptr<const SegmentImage>;

struct SessionImage {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  std::int32_t pid = 0;
  std::uint64_t quota_bytes = 0;
  std::uint64_t charged_bytes = 0;  // what the ledger says it owns
  std::uint64_t owned_bytes = 0;    // what its slabs add up to, at the same instant
  bool has_exited = false;
  bool in_quarantine = false;
  bool is_stopped = false;  // by a debugger or a signal: what it has begun, it cannot finish
  std::string name;
  SharedImage memory;
};

struct PipeImage {
  std::uint32_t id = 0;
  std::uint32_t slot_count = 0;
  std::uint32_t delivery = 0;
  bool in_quarantine = false;
  std::string name;
  SharedImage memory;

  bool is_at_least_once() const noexcept { return delivery == 1; }
};

struct SlabImage {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  std::uint32_t owner = 0;  // session index; 0: an orphan
  std::uint32_t chunk_count = 0;
  std::uint64_t chunk_bytes = 0;
  std::uint64_t size_bytes = 0;
  bool owner_exists = false;
  bool owner_has_it = false;  // in its list of what it owns
  SharedImage memory;
};

// A supervised client, of which the keeper and the worker hold some memory.
struct ClientImage {
  std::uint32_t id = 0;
  std::string name;
  std::uint64_t description = 0;  // inodes; 0: none
  std::uint64_t board = 0;
};

// Two objects that belong together, each of which lists the other.
enum class LinkKind : std::uint8_t { opening, viewing, carrying, owning };
struct LinkImage {
  LinkKind kind{};
  std::uint32_t first = 0;   // session; of a carrying: segment
  std::uint32_t second = 0;  // pipe; of a viewing or owning: segment
  std::uint64_t serial = 0;  // of an opening
  bool first_lists = false;  // the second, and so on
  bool second_lists = false;
  bool first_exists = false;
  bool second_exists = false;
};
using Pair = std::pair<std::uint32_t, std::uint32_t>;

struct NodeFigures {
  std::uint64_t node_id = 0;
  std::uint64_t limit_bytes = 0;
  std::uint64_t used_bytes = 0;
  std::uint64_t holders_bytes = 0;  // all holders of the ledger together, at the same instant
  std::uint64_t pipes_bytes = 0;    // what the ledger says of pipes
  std::uint64_t orphans_bytes = 0;  // and of orphans
  std::uint32_t last_pipe_id = 0;
  std::uint32_t last_session_generation = 0;
  std::uint32_t last_segment_generation = 0;
  std::uint64_t last_opening = 0;
  std::int32_t keeper_pid = 0;
  std::int32_t worker_pid = 0;
  std::uint32_t worker_starts = 0;
};

// What was looked at, for people.
struct Counts {
  std::uint64_t segments = 0;
  std::uint64_t pipes = 0;
  std::uint64_t slots = 0;
  std::uint64_t sessions = 0;
  std::uint64_t rows = 0;
  std::uint64_t holds = 0;
  std::uint64_t quarantined = 0;  // known to make no sense: not looked at
};

struct NodeImage {
  NodeFigures figures;  // read last: its counters are at least as new as everything else
  std::map<std::uint32_t, SessionImage> sessions;
  std::map<std::uint32_t, PipeImage> pipes;
  std::map<std::uint32_t, SlabImage> slabs;
  std::map<std::uint32_t, ClientImage> clients;
  std::vector<LinkImage> links;
  std::set<Pair> openings;   // session, pipe: as the session lists them
  std::set<Pair> viewings;   // session, segment
  std::set<Pair> carryings;  // segment, pipe
  SharedImage table;

  void add_link(const LinkImage& link);
};

}  // namespace tarn::audit
