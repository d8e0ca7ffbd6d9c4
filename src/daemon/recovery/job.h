// job.h - what the worker and tarn-recover say to each other.
//
// Carried by a SEQPACKET socket pair: one job a packet, the pipe's control segment beside it; one
// answer each, in the same order. Both ends are the same program file, so the bytes have no
// version.
#pragma once

#include <cstdint>

namespace tarn::daemon {

// Resolve what a dead session claimed and took in one pipe.
struct RecoveryJob {
  std::uint64_t number;
  std::uint32_t dead;  // the session's index
  std::uint32_t pipe;
  std::uint32_t slot_count;  // as the node made it
  std::uint32_t reserved;
};

enum class RecoveryOutcome : std::uint32_t {
  resolved = 0,
  unmapped = 1,  // the segment could not be mapped
  spoilt = 2,    // its header is not what the node wrote
};

struct RecoveryAnswer {
  std::uint64_t number;
  RecoveryOutcome outcome;
  std::uint32_t reserved;
  std::uint64_t skipped;
  std::uint64_t redelivered;
};

// The first answer has this number: the program has come up, and can be given jobs. What ends
// before it says so is no job's fault.
inline constexpr std::uint64_t kReadyNumber = 0;

inline constexpr const char* kRecoverProgram = "tarn-recover";

}  // namespace tarn::daemon
