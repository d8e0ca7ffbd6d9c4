// kill_board.h - the ledger of the kill tests: what was sent and what arrived, noted by those who
// did it, so that it outlives them.
//
// Lives in  a file of the test's folder, mapped shared.
// Writers   a producer notes `intended` before and `committed` after each push; a consumer notes a
//           delivery after each pop. A kill falls between any two of these.
// Bounds    kMostLives producers one after the other, kMostMessages each.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "testing/shared_board.h"

namespace tarn::kill {

inline constexpr std::uint32_t kMostLives = 4096;
inline constexpr std::uint32_t kMostMessages = 8192;

// One byte for each message.
inline constexpr std::uint8_t kDelivered = 1;     // unmarked
inline constexpr std::uint8_t kRedelivered = 2;   // marked, once or more often
inline constexpr std::uint8_t kAcknowledged = 4;  // must not come again

struct Life {
  std::atomic<std::uint32_t> intended;   // messages that it began to push
  std::atomic<std::uint32_t> committed;  // messages whose push returned ok
  std::atomic<std::uint8_t> messages[kMostMessages];
};

struct Board {
  std::atomic<std::uint32_t> producers_stop;
  std::atomic<std::uint64_t> arrived;  // deliveries of all kinds
  std::atomic<std::uint64_t> sent;
  std::atomic<std::uint64_t> values;        // deliveries of values
  std::atomic<std::uint64_t> edited;        // of which edited on the way
  std::atomic<std::uint32_t> failures;      // broken promises that a participant saw
  std::atomic<std::uint32_t> redeliveries;  // marked deliveries
  Life lives[kMostLives];

  // Something that must never happen has.
  template <class... Values>
  void fail(const char* format, Values... what) {
    ++failures;
    std::fprintf(stderr, format, what...);
  }
};

using SharedBoard = testkit::SharedBoard<Board>;

// The first bytes of each payload; the rest is the pattern that belongs to them.
struct Head {
  std::uint32_t life;
  std::uint32_t number;
  std::uint64_t seed() const noexcept { return (std::uint64_t{life} << 32) | number; }
};

// What the ledger says when everybody has ended and the pipe is drained.
struct Audit {
  std::uint64_t committed = 0;
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;       // committed, and never delivered
  std::uint64_t uncertain = 0;  // delivered, though their producer died before it noted the commit
  std::uint64_t invented = 0;   // delivered, and never sent
};

inline void add_life(Audit& sum, const Life& life) {
  const std::uint32_t committed = life.committed;
  const std::uint32_t intended = life.intended;
  sum.committed += committed;
  for (std::uint32_t number = 0; number < kMostMessages; ++number) {
    const bool is_delivered = (life.messages[number] & (kDelivered | kRedelivered)) != 0;
    sum.delivered += is_delivered ? 1 : 0;
    if (number < committed && !is_delivered) ++sum.lost;
    if (number >= committed && number < intended && is_delivered) ++sum.uncertain;
    if (number >= intended && is_delivered) ++sum.invented;
  }
}

inline Audit audit(const Board& board, std::uint32_t lives) {
  Audit sum;
  for (std::uint32_t i = 0; i < lives; ++i) add_life(sum, board.lives[i]);
  return sum;
}

}  // namespace tarn::kill
