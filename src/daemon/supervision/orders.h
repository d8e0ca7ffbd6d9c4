// orders.h - what the worker and a client's shepherd say to each other, over a SEQPACKET pair.
//
// Both ends are the same program, so the bytes have no version. The worker may be another one than
// before: it says `attach`, and gets the descriptors again. Orders are numbered; one that was taken
// already is not taken again.
#pragma once

#include <array>
#include <cstdint>

#include "os/socket.h"

namespace tarn::daemon {

enum class OrderKind : std::uint32_t {
  attach = 1,  // answer with a ShepherdReport
  run = 2,
  stop = 3,
  restart = 4,
  end = 5,  // stop, and end yourself
};

struct Order {
  OrderKind kind;
  std::uint32_t reserved;
  std::uint64_t serial;
};
static_assert(sizeof(Order) == 16);

// Shepherd -> worker. Beside it: its board for reading, and its own pidfd.
struct ShepherdReport {
  static constexpr std::uint32_t kMagic = 0x5045'4853;  // "SHEP"
  std::uint32_t magic;
  std::int32_t pid;
};
static_assert(sizeof(ShepherdReport) == 8);

// The shepherd's descriptors, as the worker hands them over.
inline constexpr int kShepherdControl = 3;
inline constexpr int kShepherdDescription = 4;
inline constexpr int kShepherdDirectory = 5;
inline constexpr int kShepherdFormerBoard = 6;  // of its predecessor; may be closed
inline constexpr const char* kShepherdProgram = "tarn-shepherd";

}  // namespace tarn::daemon
