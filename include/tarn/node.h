// node.h - starting, stopping and examining a node: what `tarn up`, `down` and `doctor` are made
// of.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace tarn {

struct ConnectOptions;

// Starts the node if none runs, to stay until stop_node(). Returns true when this call started it.
// Throws Error: node_unavailable, unsafe_directory, invalid_argument.
bool start_node(const ConnectOptions& options);

// Ends the node; its memory goes when the last process lets go of it. Returns false when none ran.
// Without `force`, throws busy while sessions are attached. Waits until it has ended; throws
// node_lost when it has not within `patience` and the time that its supervised clients may take.
bool stop_node(const ConnectOptions& options, bool force,
               std::chrono::milliseconds patience = std::chrono::milliseconds(5000));

// The run directory of this domain: holds `pid`, `lock`, `socket` and `log`. Throws
// invalid_argument for a bad key and for one whose socket path would be too long.
std::string run_directory(const ConnectOptions& options);

// The library's version: "0.1.0".
std::string version();

enum class Severity : std::uint8_t { ok, notice, warning, problem };

// One thing that was looked at.
struct Finding {
  Severity severity = Severity::ok;
  std::string subject;  // "memfd seals"
  std::string found;    // "F_SEAL_FUTURE_WRITE works"
  std::string cure;     // empty when nothing is to do
};

// Examines kernel features, limits, cgroup, run directory, huge pages and clock, and the node if it
// runs. Changes nothing.
std::vector<Finding> examine_host(const ConnectOptions& options);

}  // namespace tarn
