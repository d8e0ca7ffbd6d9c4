// board_layout.h - how a supervised client fares, and what it said last.
//
// Lives in  a segment of its own, made by the client's shepherd. Bytes: docs/formats/board.md.
// Writers   the shepherd alone: a single process with a single thread.
// Readers   the node's worker, and whoever asked the node for the client.
// Crash     facts stand in two places in turn, and `version` says which counts: a shepherd that
//           dies while it writes leaves the former facts whole. Of the output, what lies between
//           `log_first` and `log_end` is whole.
// Bounds    kBoardBytes; the oldest output makes room for the newest.
#pragma once

#include <array>

#include "shm/segment/segment_layout.h"

namespace tarn::layout {

enum class ClientState : std::uint32_t {
  registered = 0,  // nothing was tried yet
  starting = 1,    // being started; what a dead shepherd left is being ended first
  running = 2,
  waiting = 3,   // it died, and is started again when its back-off is over
  stopping = 4,  // told to end; killed when its time is over
  stopped = 5,   // ended because it was told to
  finished = 6,  // ended by itself, with success
  failed = 7,    // could not be executed, or ended without success too often
};
inline constexpr std::uint32_t kClientStates = 8;

enum class EndGoal : std::uint32_t {
  policy = 0,   // as the client's policy says
  stop = 1,     // it stays stopped
  restart = 2,  // it is started, whatever the policy says
  end = 3,      // the shepherd ends
};

struct BoardFacts {
  ClientState state;
  std::uint32_t starts;
  std::uint32_t ends;
  std::int32_t command_pid;  // also the session id of all that it started; 0: nothing is left of it
  std::int32_t exit_status;  // of its newest end, when exit_signal is 0
  std::int32_t exit_signal;
  std::int32_t exec_error;  // errno, when it could not be executed
  EndGoal goal;             // what follows when what runs now has ended
  std::uint64_t command_start_ticks;
  std::uint64_t mark;          // random: TARN_SHEPHERD in the environment of all that it starts
  std::uint64_t order;         // the newest order that was taken
  std::int64_t started_ns;     // monotonic clock
  std::int64_t next_start_ns;  // monotonic clock, while waiting
  std::int64_t started_unix_ns;
  std::int64_t ended_unix_ns;
};
inline constexpr std::size_t kFactWords = 11;
static_assert(sizeof(BoardFacts) == kFactWords * 8);
static_assert(std::has_unique_object_representations_v<BoardFacts>, "no hidden padding");

// One of the two places for facts, as words, so that a reader may look while they are written.
struct FactSlot {
  std::array<std::atomic<std::uint64_t>, kFactWords> words;
};
static_assert(sizeof(FactSlot) == sizeof(BoardFacts));

struct BoardHeader {
  SegmentHeader segment;
  std::int32_t shepherd_pid;                               // constant after format
  std::uint32_t log_bytes;                                 // constant after format
  std::uint64_t shepherd_start_ticks;                      // constant after format
  alignas(kCacheLine) std::atomic<std::uint64_t> version;  // its lowest bit chooses the slot
  std::atomic<std::uint64_t> log_first;                    // where the oldest record begins
  std::atomic<std::uint64_t> log_end;                      // where the next record will begin
  std::atomic<std::uint32_t> changes;                      // bumped and woken after every change
  std::uint32_t reserved;
  alignas(kCacheLine) std::array<FactSlot, 2> slots;
};
static_assert(std::is_standard_layout_v<BoardHeader>);
static_assert(offsetof(BoardHeader, version) == kCacheLine);
static_assert(offsetof(BoardHeader, slots) == 2 * kCacheLine && sizeof(BoardHeader) <= kPage);

// What precedes each piece of output in the ring. Records begin at multiples of their header's
// size, so that a header never wraps.
struct LogRecord {
  std::int64_t unix_ns;
  std::uint32_t size_bytes;  // of the text that follows
  std::uint32_t stream;      // 1 standard output, 2 standard error
};
static_assert(sizeof(LogRecord) == 16);

inline constexpr std::uint64_t kLogBytes = std::uint64_t{256} << 10;
inline constexpr std::uint64_t kLogOffset = kPage;
inline constexpr std::uint64_t kBoardBytes = kLogOffset + kLogBytes;
inline constexpr std::uint32_t kMaxPieceBytes = 4096;

}  // namespace tarn::layout
