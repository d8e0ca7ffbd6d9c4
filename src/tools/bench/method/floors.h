// floors.h - what this machine can do at best, at this moment: the figures that ratios stand on.
//
// Each floor does the least that the named way of handing a message over needs: no bounds, no
// claims, no crash safety. Two processes, one producer and one consumer each way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tools/bench/method/ping_pong.h"

namespace tarn::bench {

enum class Floor : std::uint8_t {
  one_line,        // F1: sequence and a payload of 48 bytes share a cache line; polling
  one_line_pause,  // the same, with the processor's pause between two looks
  two_lines,       // F2: a line with the sequence, and a payload; polling
  futex,           // W: FUTEX_WAIT and FUTEX_WAKE, no polling
  futex_asleep,    // W with both sides certainly asleep when the message comes
  event            // E: an eventfd read after epoll_wait
};

// "F1", "F1_pause", "F2", "W", "W_asleep", "E"
std::string_view name_of(Floor floor) noexcept;

// Runs one floor. The payload is written in full and read one byte per line; only F2 heeds its
// size, the others send what fits their line.
Histogram measure_floor(Floor floor, const PingPongPlan& plan, std::size_t payload_bytes);

struct CopySpeed {
  double warm = 0;  // bytes per second: 1 MiB, source and target used just before
  double cold = 0;  // buffers larger than the caches, their pages mapped
};
CopySpeed measure_copy(std::size_t cold_bytes);

}  // namespace tarn::bench
