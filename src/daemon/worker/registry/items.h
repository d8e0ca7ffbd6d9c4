// items.h - what the worker knows about each session, pipe and segment, and how they are linked.
//
// Writers   the worker's one thread. Each change is sent to the keeper before anybody learns of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "daemon/store/record.h"
#include "os/fd.h"
#include "shm/pipe/pipe.h"
#include "shm/segment/segment.h"
#include "shm/session/session.h"

namespace tarn::daemon {

enum class EndCause : std::uint8_t { goodbye, death };

// How far the end of a session has come: worker/server_ends.cc.
enum class EndStage : std::uint8_t {
  none,
  dying,      // the kernel has marked its life word
  resolving,  // tarn-recover is at what it claimed
  resolved,
};

// What it had claimed and taken, in all pipes together.
struct ResolvedClaims {
  std::uint64_t skipped = 0;
  std::uint64_t redelivered = 0;
};

struct SessionItem {
  StoredSession facts{};
  os::UniqueFd memory;   // its session segment
  os::UniqueFd process;  // pidfd
  Segment segment;
  SessionView view;              // empty when the segment could not be mapped again after a restart
  std::uint64_t connection = 0;  // 0: not connected now
  std::map<std::uint32_t, std::uint64_t> openings;  // pipe id -> serial number of the opening
  std::set<std::uint32_t> viewed;                   // segment indexes
  std::set<std::uint32_t> owned;                    // segment indexes
  EndStage stage = EndStage::none;
  std::optional<EndCause> ended;  // its memory may be used again
  ResolvedClaims found;           // once it is resolved

  SessionId id() const noexcept { return {facts.index, facts.generation}; }
  std::string_view name() const noexcept { return wire::get_text(facts.name); }
};

struct PipeItem {
  StoredPipe facts{};
  os::UniqueFd memory;
  Segment segment;
  PipeView view;                     // empty while it is in quarantine
  std::set<std::uint32_t> sessions;  // that have it open
  std::set<std::uint32_t> carried;   // segment indexes, carried by another's hand than the owner's

  std::string_view name() const noexcept { return wire::get_text(facts.name); }
  std::uint64_t size_bytes() const noexcept { return layout::pipe_bytes(facts.slot_count); }
};

struct SegmentItem {
  StoredSegment facts{};
  os::UniqueFd memory;
  std::set<std::uint32_t> viewers;   // session indexes
  std::set<std::uint32_t> carriers;  // pipe ids

  SegmentId id() const noexcept { return {facts.index, facts.generation}; }
  bool is_orphan() const noexcept { return facts.owner == 0; }
};

}  // namespace tarn::daemon
