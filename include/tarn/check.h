// check.h - auditing a running node: every segment, slab, hold, slot and session, without changing
// or disturbing anything. What `tarn check` is made of.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tarn {

struct ConnectOptions;

// One thing that is not as it has to be.
struct Defect {
  std::string kind;        // a stable word: "slot_claimed_by_nobody"
  std::string object;      // "pipe 'spectra' slot 17"
  std::string found;       // "it is claimed, signed by session 0"
  std::string cure;        // what a repair does about it
  bool is_problem = true;  // false: the node goes on well with it for now
  // After a repair.
  std::string outcome;  // "repaired", "quarantined", "left"; empty when none was asked for
  std::string verdict;  // what was done, or why not
};

// What was looked at.
struct CheckReport {
  std::vector<Defect> defects;
  std::uint64_t segments = 0;
  std::uint64_t pipes = 0;
  std::uint64_t slots = 0;
  std::uint64_t sessions = 0;
  std::uint64_t holds = 0;
  std::uint64_t quarantined = 0;  // objects in quarantine, which are not looked at
  std::uint32_t looks = 0;        // how often it looked, until every doubt was settled
  std::uint64_t took_ns = 0;

  bool is_clean() const noexcept { return defects.empty(); }
};

struct CheckOptions {
  // What is about to end by itself (a death that is being recovered, a slab that is let go of) is a
  // defect only when it is still there after so long. 0: such things are not reported.
  std::chrono::milliseconds patience{5000};
  // Called now and then, with what is being done: "look 2: 17 objects".
  std::function<void(const std::string& what)> progress{};
};

// Audits the node of the domain. Nothing that is merely in flight is reported: what could be is
// looked at again. Throws Error: node_unavailable, node_lost, access_denied, no_descriptors.
CheckReport check_node(const ConnectOptions& options, const CheckOptions& check = {});

// The same, and has the node repair what was found, or put it in quarantine. The node judges each
// again before it touches anything, and says in its log what it did.
CheckReport repair_node(const ConnectOptions& options, const CheckOptions& check = {});

}  // namespace tarn
