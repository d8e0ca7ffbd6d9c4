// node_rig.h - a node with survivors, at which processes are ended after a chosen instruction; and
// several such rigs at work at once, because a node takes its time to notice a death.
//
// What a death leaves at a node is more than bytes: descriptors, threads, what the kernel was told.
// So these sweeps kill for real, each time anew, and then look at the node as everybody can.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "testing/clean_node.h"
#include "testing/pattern.h"
#include "testing/process_fixture.h"
#include "testing/step/stepper.h"
#include "tests/e2e/node_fixture.h"
#include "tests/stepper/survivors.h"

namespace tarn::step {

using testing::StepCount;
using testing::StepForm;
using testing::StepPath;
using testing::Tracee;

// More rigs than processors: most of the time each waits for its node.
inline constexpr std::uint64_t kRigs = 6;
inline constexpr std::uint64_t kShortKills = 3;
inline constexpr int kAttempts = 4;
inline constexpr unsigned kRigWatchdogSeconds = 60;
inline constexpr std::uint64_t kEnoughFailures = 3;

// How long the complete form of one operation may take: TARN_STEP_SECONDS. What it did not get to
// by then shows in the table: kills below instructions.
inline std::chrono::seconds sweep_time() {
  const char* wish = std::getenv("TARN_STEP_SECONDS");
  return std::chrono::seconds(wish != nullptr ? std::strtoul(wish, nullptr, 10) : 40);
}

// What the rigs of one sweep have come to, in memory that they share.
struct Tally {
  std::atomic<std::uint64_t> instructions;
  std::atomic<std::uint64_t> system_calls;
  std::atomic<std::uint64_t> kills;
  std::atomic<std::uint64_t> missed;
  std::atomic<std::uint64_t> failures;
  std::atomic<std::uint64_t> finished;  // rigs
};

template <class T>
T& make_shared_record() {
  void* base =
      ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  TARN_ASSERT(base != MAP_FAILED, errno);
  return *static_cast<T*>(base);
}

// What the one that dies says before and after each of its steps.
struct Ledger {
  std::atomic<std::uint64_t> begun;
  std::atomic<std::uint64_t> done;
  std::atomic<std::uint64_t> number;
};

class NodeRig {
 public:
  explicit NodeRig(Delivery delivery)
      : daemon_(place_, {"--idle-exit", "60"}, [] { ::prctl(PR_SET_PDEATHSIG, SIGTERM); }),
        line_(daemon_.start_line()),
        survivors_(delivery, [this] { enter(); }),
        observer_(place_.paths().socket) {
    EXPECT_EQ(line_, wire::kReadyLine);
    observer_.observe();
    base_ = status();
    enter();
  }

  // This process, and those that it starts, find the rig's node.
  void enter() const {
    ::setenv("XDG_RUNTIME_DIR", place_.path().c_str(), 1);
    ::setenv("TARN_APPLICATION", "test", 1);
    ::setenv("TARN_USER", "tester", 1);
    const auto program = std::string(TARN_TEST_BIN_DIR) + "/tarnd";
    ::setenv("TARN_DAEMON", program.c_str(), 1);
  }
  std::string socket_path() const { return place_.paths().socket; }
  pid_t keeper_pid() const { return daemon_.pid(); }
  Survivors& survivors() { return survivors_; }
  Ledger& ledger() { return ledger_; }
  void clear_ledger() {
    ledger_.begun = 0;
    ledger_.done = 0;
    ledger_.number = 0;
  }
  // Of the node as it is now; from the next worker when this one is dead.
  wire::StatusReply status() {
    for (;;) {
      const auto reply = observer_.ask<wire::StatusGet>().as<wire::StatusReply>();
      if (reply) return *reply;
      observer_.reconnect();
      if (observer_.is_connected()) observer_.observe();
    }
  }
  const wire::StatusReply& base() const { return base_; }
  void take_base() { base_ = status(); }
  bool is_at_base(const wire::StatusReply& now, bool exact_memory) const {
    return now.sessions == base_.sessions && now.pipes == base_.pipes && now.orphan_segments == 0 &&
           (!exact_memory ||
            (now.segments == base_.segments && now.used_bytes == base_.used_bytes));
  }
  void expect_base(bool exact_memory) {
    if (raw::eventually([&] { return is_at_base(status(), exact_memory); })) {
      return testing::expect_clean_node({}, std::chrono::seconds(5));
    }
    const auto now = status();
    EXPECT_EQ(now.sessions, base_.sessions);
    EXPECT_EQ(now.pipes, base_.pipes);
    EXPECT_EQ(now.orphan_segments, 0u);
    EXPECT_EQ(now.segments, base_.segments);
    EXPECT_EQ(now.used_bytes, base_.used_bytes);
  }
  std::size_t connected_sessions() {
    status();
    std::size_t count = 0;
    for (const auto& session : observer_.sessions()) count += session.connected;
    return count;
  }
  // So that nobody's coming back mixes with what is stepped.
  void await_all_connected() {
    EXPECT_TRUE(raw::eventually([&] { return connected_sessions() == status().sessions; }));
  }
  void expect_good(const Books& books) { EXPECT_EQ(books.is_good, 1u) << books.story.data(); }

 private:
  raw::RuntimeDirectory place_;
  raw::Daemon daemon_;
  std::string line_;
  Survivors survivors_;
  raw::Client observer_;
  wire::StatusReply base_{};
  Ledger& ledger_ = make_shared_record<Ledger>();
};

// Which instructions one rig takes, in an order without a pattern, so that a sweep that is cut
// short has tried them evenly. Around system calls first: there others may see a difference.
inline std::vector<std::uint64_t> choose(const StepPath& path,
                                         const std::vector<std::uint64_t>& calls,
                                         const StepForm& form, std::uint64_t rig,
                                         std::uint64_t rigs) {
  testkit::Chance chance(form.seed + rig);
  std::vector<std::uint64_t> chosen;
  for (std::uint64_t k = rig; k < path.length(); k += rigs) chosen.push_back(k);
  for (std::size_t i = chosen.size(); i > 1; --i) {
    std::swap(chosen[i - 1], chosen[chance.below(i)]);
  }
  const auto is_near = [&](std::uint64_t k) {
    return std::binary_search(calls.begin(), calls.end(), k) ||
           (k > 0 && std::binary_search(calls.begin(), calls.end(), k - 1));
  };
  if (form.is_complete()) {
    std::stable_partition(chosen.begin(), chosen.end(), is_near);
  } else if (chosen.size() > kShortKills) {
    // Half of them around system calls, as far as there are as many.
    std::stable_partition(chosen.begin(), chosen.begin() + static_cast<long>(chosen.size() / 2),
                          is_near);
    std::rotate(chosen.begin() + (kShortKills + 1) / 2,
                chosen.begin() + static_cast<long>(chosen.size() / 2), chosen.end());
    chosen.resize(kShortKills);
  }
  return chosen;
}

// What a rig does with one operation.
class RigWork {
 public:
  virtual ~RigWork() = default;
  // Steps through the operation once, and calls visit(address, is a system call) for each
  // instruction.
  virtual void record(const std::function<void(std::uint64_t, bool)>& visit) = 0;
  // Ends it after its k-th, and judges. False when it had ended before: it took another way than
  // the recorded run, for instance because it had not to wait.
  virtual bool kill_after(const StepPath& path, std::uint64_t k) = 0;
};

struct Recording {
  StepPath path;
  std::vector<std::uint64_t> calls;
};

// The shortest of a few: on a busy machine the process that is stepped may do other things on the
// way, a timer's or somebody's end, which it will not do again.
inline Recording record_shortest(RigWork& work) {
  constexpr int kRecordings = 3;
  Recording shortest;
  for (int i = 0; i < kRecordings; ++i) {
    ::alarm(kRigWatchdogSeconds);
    Recording now;
    work.record([&](std::uint64_t address, bool is_call) {
      if (is_call) now.calls.push_back(now.path.length());
      now.path.add(address);
    });
    if (i == 0 || now.path.length() < shortest.path.length()) shortest = std::move(now);
  }
  return shortest;
}

inline void run_rig(RigWork& work, const StepForm& form, std::uint64_t rig, std::uint64_t rigs,
                    Tally& tally) {
  const auto [path, calls] = record_shortest(work);
  tally.instructions = path.length();
  tally.system_calls = calls.size();
  const Deadline end = Deadline::in(sweep_time());
  for (const std::uint64_t k : choose(path, calls, form, rig, rigs)) {
    if (end.has_passed() || tally.failures >= kEnoughFailures) break;
    ::alarm(kRigWatchdogSeconds);
    const ::testing::ScopedTrace trace(__FILE__, __LINE__, "instruction " + std::to_string(k));
    bool is_killed = false;
    for (int attempt = 0; attempt < kAttempts && !is_killed; ++attempt) {
      is_killed = work.kill_after(path, k);
      if (::testing::Test::HasFailure()) break;
    }
    ++(is_killed ? tally.kills : tally.missed);
    if (::testing::Test::HasFailure()) {
      ++tally.failures;
      break;
    }
  }
  ++tally.finished;
}

// make_work() is called in each rig's process.
template <class MakeWork>
StepCount sweep_at_nodes(const std::string& operation, MakeWork&& make_work) {
  const StepForm form = testing::step_form(1000);
  const std::uint64_t rigs = form.is_complete() ? kRigs : 1;
  Tally& tally = make_shared_record<Tally>();
  std::vector<pid_t> processes;
  std::fflush(stdout);
  // The watchdog's time for each operation of a test.
  ::alarm(static_cast<unsigned>(sweep_time().count()) + 2 * kRigWatchdogSeconds);
  for (std::uint64_t rig = 0; rig < rigs; ++rig) {
    const pid_t process = ::fork();
    TARN_ASSERT(process >= 0, errno);
    if (process == 0) {
      ::signal(SIGALRM, SIG_DFL);
      ::signal(SIGPIPE, SIG_IGN);
      ::alarm(kRigWatchdogSeconds);
      {
        auto work = make_work();
        run_rig(*work, form, rig, rigs, tally);
      }
      std::fflush(stdout);
      ::_exit(0);
    }
    processes.push_back(process);
  }
  for (const pid_t process : processes) {
    int status = 0;
    ::waitpid(process, &status, 0);
    if (WIFSIGNALED(status)) {
      ++tally.failures;
      ADD_FAILURE() << operation << ": a rig ended by signal " << WTERMSIG(status);
    }
  }
  StepCount count;
  count.operation = operation;
  count.instructions = tally.instructions;
  count.system_calls = tally.system_calls;
  count.kills = tally.kills;
  count.missed = tally.missed;
  count.failures = tally.failures;
  testing::note_count(count);
  EXPECT_EQ(count.failures, 0u) << operation << ", TARN_SEED=" << form.seed;
  EXPECT_GT(count.kills, 0u) << operation;
  return count;
}

}  // namespace tarn::step
