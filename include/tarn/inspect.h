// inspect.h - what can be seen of a node from outside. Plain copies; reading them changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tarn {

enum class Delivery : std::uint8_t;

struct PipeStatus {
  std::uint32_t id = 0;
  std::string name;
  std::int64_t capacity = 0;
  Delivery delivery{};
  bool closed = false;
  std::int64_t depth = 0;             // messages in it now
  std::int64_t depth_high_water = 0;  // the most there ever were
  std::uint64_t pushed = 0;           // messages, since the pipe was created
  std::uint64_t popped = 0;
  std::uint64_t pushed_bytes = 0;
  std::uint64_t popped_bytes = 0;
  std::uint64_t push_waits = 0;  // how often a producer went to sleep because it was full
  std::uint64_t pop_waits = 0;   // how often a consumer went to sleep because it was empty
  std::uint64_t skipped = 0;     // claimed by a producer that died before it had pushed
  std::uint64_t redelivered = 0;
  // Pushed out of memory of the producer's own, which cost a copy into shared memory. What was
  // built in a Loan or a shared Value, or is small enough to travel in its slot, is not among them.
  std::uint64_t copied_in = 0;
  std::uint32_t producers = 0;  // sessions that have pushed and still have it open
  std::uint32_t consumers = 0;  // sessions that have popped and still have it open
  std::uint32_t sessions = 0;   // sessions that have it open
};

struct SessionStatus {
  std::uint32_t id = 0;
  std::uint32_t generation = 0;
  std::int32_t pid = 0;
  std::uint32_t uid = 0;
  std::string name;
  std::uint64_t age_ns = 0;
  bool connected = true;  // false: alive, but not (yet) back after a restart of the worker
  std::uint32_t segments = 0;
  std::uint64_t segment_bytes = 0;
  std::uint64_t quota_bytes = 0;  // 0: none
  std::uint32_t pipes = 0;        // pipes it has open
  std::uint32_t holds = 0;        // received messages that it still holds
  std::uint64_t pushed = 0;       // over the pipes it has open
  std::uint64_t popped = 0;
};

// A structure that made no sense, or on which recovery failed. The node leaves it alone until it
// ends; others are not affected.
struct Quarantined {
  std::string object;   // "pipe 'spectra'"
  std::string verdict;  // why
  std::uint64_t age_ns = 0;
};

struct NodeStatus {
  std::string application;
  std::string user;
  std::string directory;  // the run directory
  std::string version;    // of the daemon
  std::int32_t keeper_pid = 0;
  std::int32_t worker_pid = 0;
  std::uint32_t worker_starts = 0;  // 1: never restarted
  std::uint64_t age_ns = 0;
  bool ends_when_idle = false;
  std::uint64_t limit_bytes = 0;  // the domain's memory limit
  std::uint64_t used_bytes = 0;   // all segments together
  std::uint32_t sessions = 0;
  std::uint32_t pipes = 0;
  std::uint32_t segments = 0;
  std::uint32_t orphan_segments = 0;     // their owner is dead, their last hold is not
  std::uint64_t recovered_sessions = 0;  // deaths cleaned up after, since the node began
  std::int32_t recover_pid = 0;  // of tarn-recover, which stands by; 0 while it is being started
  std::uint32_t recover_starts = 0;   // by this worker
  std::uint32_t quarantined = 0;      // structures that are left alone
  std::vector<Quarantined> verdicts;  // why, of the first of them
  std::uint32_t clients = 0;          // supervised: tarn/client.h
  std::uint64_t longest_stop_ns = 0;  // how long the slowest of them may take to end
  bool service = false;               // a service manager (systemd) runs it
  bool watchdog = false;              // and restarts it when it gives no sign of life
  bool socket_activated = false;      // and made its listening socket
  bool keeps_descriptors = false;     // and keeps its descriptors: it outlives its keeper
};

}  // namespace tarn
