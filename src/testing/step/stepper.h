// stepper.h - ends an operation after each of its instructions, and lets the survivors check what
// it left.
//
// Two ways, which have to agree:
//   states  the operation is stepped through once. After each instruction the child stands still,
//           and the survivors go on with the shared memory as it is, as if the child had died; then
//           the memory is put back and the child takes its next step. That is exact for operations
//           whose traces are all in shared memory: a death leaves precisely that.
//   kills   the child gets SIGKILL after its k-th instruction, for real; the memory that it leaves
//           must be what the first way saw.
// The survivors' check runs in a child of its own, so that what it does to this process's memory is
// forgotten as well, and one that crashes or hangs is a failure as any other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "testing/step/tracee.h"

namespace tarn::testing {

// How much of the instructions is tried. From the environment: TARN_STEP_EVERY=n takes every n-th,
// from TARN_SEED on; 1 is all of them. Prints both where it samples.
struct StepForm {
  std::uint64_t every = 1;
  std::uint64_t seed = 0;
  bool is_complete() const noexcept { return every == 1; }
  bool takes(std::uint64_t k) const noexcept { return (k + seed) % every == 0; }
};
// `usual_every` holds where the environment says nothing.
inline constexpr std::uint64_t kShortForm = 16;
StepForm step_form(std::uint64_t usual_every);

// A row of the table.
struct StepCount {
  std::string operation;
  std::uint64_t instructions = 0;
  std::uint64_t system_calls = 0;  // each is one of the instructions
  std::uint64_t states = 0;        // that survivors went on from
  std::uint64_t kills = 0;         // by SIGKILL
  std::uint64_t missed = 0;        // the operation had ended before
  std::uint64_t failures = 0;
};
// The sum, under the name of the last.
StepCount& operator+=(StepCount& sum, const StepCount& count);
// What a test program came to, printed when it ends.
void note_count(const StepCount& count);

// The instructions of one run, by address. Another run of the same operation is taken to the k-th
// by a breakpoint at a rare one shortly before, and steps.
class StepPath {
 public:
  void add(std::uint64_t address);
  std::uint64_t length() const noexcept { return path_.size(); }
  // Takes the process, which stands at its first instruction, to where it has carried out `k`.
  // False when it ended, or its operation did, before. Where it takes other ways than the first
  // run it ends up near.
  bool lead(Tracee& process, std::uint64_t k) const;

 private:
  struct Landmark {
    std::uint64_t address;
    std::uint64_t times;    // that the path has been here
    bool is_usable = true;  // not within a repeated instruction
  };
  std::vector<Landmark> path_;
  std::unordered_map<std::uint64_t, std::uint64_t> times_;
};

// What is in the given pieces of memory at one instant.
class Image {
 public:
  explicit Image(std::vector<std::span<std::byte>> memory);
  void take();
  void put_back() const;
  std::uint64_t fingerprint() const;

 private:
  std::vector<std::span<std::byte>> memory_;
  std::vector<std::byte> bytes_;
};

struct Sweep {
  std::string operation;
  // All that processes share and the operation may write: a few pages.
  std::vector<std::span<std::byte>> memory;
  std::function<void()> prepare;  // here; leaves the same bytes each time
  std::function<void()> operate;  // in the child
  // As the survivors; finds fault by gtest's expectations.
  std::function<void()> check;
  // Here, while the child is about to make that system call: what others do just then.
  std::function<void(long)> before_system_call{};
  // Failures are counted, but not reported: somebody expects them.
  bool is_expected_to_fail = false;
  // Of something larger: no row of its own.
  bool is_part = false;
};
// Reports failures, unless they are expected.
StepCount step_through(const Sweep& sweep, const StepForm& form);

// Runs `check` in a fork()ed child; true when it ended with no failure.
bool passes(const std::function<void()>& check, bool is_quiet = false);

}  // namespace tarn::testing
