// session_layout.h - what a session says about itself: whom it is, what it holds, what it has open.
//
// Lives in  the session's own segment: one writer, mapped read-only by the node and by every
//           session whose messages it has received. Bytes: docs/formats/session.md.
// Writers   the session's process alone, all its threads.
// Readers   owners of slabs (rows: may a chunk be used again?), the node (recovery, statistics).
// Crash     every word is valid at every instant; the whole segment is dropped with its owner, so
//           nothing in it is ever repaired.
// Bounds    kMaxRows rows, kMaxEnds ends, kSessionBytes in all. Pages get allocated before they
//           are published through row_count and end_count; readers never look beyond these.
#pragma once

#include "shm/segment/segment_layout.h"

namespace tarn::layout {

inline constexpr std::uint32_t kMaxRows = 2048;
inline constexpr std::uint32_t kMaxEnds = 1024;

struct SessionHeader {
  SegmentHeader segment;
  std::int32_t pid;  // constant after format; the node believes the kernel, not this
  // A robust futex: names a thread of the library while the session lives. The kernel marks it when
  // that thread ends, and wakes the node.
  std::atomic<std::uint32_t> life;
  std::uint64_t start_ticks;  // constant after format
  // Bumped after a held message was pushed on and before its hold ends: an owner that sees it
  // change while it looks for holds looks again.
  alignas(kCacheLine) std::atomic<std::uint64_t> forwards;
  alignas(kCacheLine) std::atomic<std::uint32_t> row_count;  // rows below it have their pages
  std::atomic<std::uint32_t> end_count;                      // ends below it have their pages
  std::atomic<std::uint64_t> row_changes;  // bumped after a row was added or removed
};
static_assert(std::is_standard_layout_v<SessionHeader>);
static_assert(offsetof(SessionHeader, forwards) == 1 * kCacheLine);
static_assert(offsetof(SessionHeader, row_count) == 2 * kCacheLine);
static_assert(sizeof(SessionHeader) == 3 * kCacheLine);

// Where the hold counts for one segment stand: one 16-bit count for each of its chunks, written by
// this session alone. A chunk is free when no row counts it and no slot names it.
struct RowEntry {
  std::atomic<std::uint64_t> segment;      // SegmentId::packed(), or 0: the row is not in use
  std::atomic<std::uint32_t> offset;       // of the counts, from the segment's start
  std::atomic<std::uint32_t> chunk_count;  // how many there are
};
static_assert(std::is_standard_layout_v<RowEntry> && sizeof(RowEntry) == 16);
using HoldCount = std::atomic<std::uint16_t>;
static_assert(sizeof(HoldCount) == 2 && HoldCount::is_always_lock_free);

// One pipe that this session has open, and what it did there.
struct EndEntry {
  std::atomic<std::uint32_t> pipe;  // its id, or 0: not in use
  std::uint32_t reserved;
  std::atomic<std::uint64_t> pushed;
  std::atomic<std::uint64_t> pushed_bytes;
  std::atomic<std::uint64_t> push_waits;
  std::atomic<std::uint64_t> copied_in;  // pushes that copied their payload into shared memory
  // What other threads than the first one that pushed did: they need locked instructions.
  std::atomic<std::uint64_t> pushed_elsewhere;
  std::atomic<std::uint64_t> pushed_bytes_elsewhere;
  std::uint64_t reserved_producer;
  alignas(kCacheLine) std::atomic<std::uint64_t> popped;
  std::atomic<std::uint64_t> popped_bytes;
  std::atomic<std::uint64_t> pop_waits;
  std::atomic<std::uint64_t> popped_elsewhere;  // as above
  std::atomic<std::uint64_t> popped_bytes_elsewhere;
  std::uint64_t reserved_consumer[3];
};
static_assert(std::is_standard_layout_v<EndEntry> && sizeof(EndEntry) == 2 * kCacheLine);
static_assert(offsetof(EndEntry, popped) == kCacheLine);

inline constexpr std::uint64_t kRowTableOffset = kPage;
inline constexpr std::uint64_t kEndTableOffset = kRowTableOffset + kMaxRows * sizeof(RowEntry);
inline constexpr std::uint64_t kRowArenaOffset = kEndTableOffset + kMaxEnds * sizeof(EndEntry);
inline constexpr std::uint64_t kSessionBytes = std::uint64_t{16}
                                               << 20;  // address space, not memory
static_assert(kEndTableOffset % kPage == 0 && kRowArenaOffset % kPage == 0);

// The node's table of sessions, written by the node alone and mapped read-only by every session.
struct NodeEntry {
  std::atomic<std::uint32_t> generation;  // of the session that has this index now; 0: none
  std::uint32_t reserved;
  // Bumped whenever a session begins or ends to look into this one's slabs, or a pipe begins to
  // carry them by another's hand: the owner then asks who, before it uses a chunk again.
  std::atomic<std::uint64_t> viewers_epoch;
  std::uint64_t reserved_line[6];
};
static_assert(std::is_standard_layout_v<NodeEntry> && sizeof(NodeEntry) == kCacheLine);

struct NodeHeader {
  SegmentHeader segment;
  std::uint64_t node_id;  // random, constant: another node, another id
  // A robust futex, written by the keeper and the kernel. Names the keeper while another keeper may
  // follow it, with a table of its own; marked by the kernel when it died. Else 0.
  std::atomic<std::uint32_t> keeper;
  // The number of the worker that serves, by which a session sees that its line leads to one of
  // before. Writer: each worker, before it serves.
  std::atomic<std::uint32_t> worker;
  std::uint64_t reserved[2];
};
static_assert(std::is_standard_layout_v<NodeHeader> && sizeof(NodeHeader) == kCacheLine);
static_assert(offsetof(NodeHeader, keeper) == 40);
// An epoch that no table has: of a table whose keeper died.
inline constexpr std::uint64_t kNoEpoch = ~std::uint64_t{0};
// The epochs of a node's n-th keeper begin at n times this: no table repeats another one's.
inline constexpr std::uint64_t kEpochsOfAKeeper = std::uint64_t{1} << 40;
inline constexpr std::uint64_t kNodeTableOffset = kPage;
inline constexpr std::uint64_t kNodeBytes = kNodeTableOffset + kMaxSessions * sizeof(NodeEntry);

}  // namespace tarn::layout
