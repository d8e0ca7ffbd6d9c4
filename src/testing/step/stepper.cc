#include "testing/step/stepper.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>

#include "base/assert.h"
#include "testing/pattern.h"

namespace tarn::testing {
namespace {

constexpr unsigned kWatchdogSeconds = 60;
// More failures of one operation tell nothing new.
constexpr std::uint64_t kEnoughFailures = 3;
constexpr std::uint64_t kKillsInAShortForm = 8;
constexpr std::uint64_t kMostInstructions = 1'000'000;

int failed_parts() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return 0;
  int failed = 0;
  for (int i = 0; i < test->result()->total_part_count(); ++i) {
    if (test->result()->GetTestPartResult(i).failed()) ++failed;
  }
  return failed;
}

// One operation's sweep, both ways.
class Sweeper {
 public:
  Sweeper(const Sweep& sweep, const StepForm& form) : sweep_(sweep), form_(form) {
    count_.operation = sweep.operation;
  }

  StepCount run() {
    step_once_through();
    kill_for_real();
    if (!sweep_.is_part) note_count(count_);
    return count_;
  }

 private:
  // The child's states, one after the other. The survivors' image of each is put back.
  void step_once_through() {
    sweep_.prepare();
    Tracee child([] {}, sweep_.operate);
    Image image(sweep_.memory);
    for (std::uint64_t k = 0;; ++k) {
      image.take();
      fingerprints_.push_back(image.fingerprint());
      const bool is_new = k == 0 || fingerprints_[k] != fingerprints_[k - 1];
      if (is_new || form_.takes(k)) {
        ++count_.states;
        judge(k, "stood still", "");
        image.put_back();
      }
      if (count_.failures >= kEnoughFailures || !step_on(child)) return;
      TARN_ASSERT(k < kMostInstructions, k);
    }
  }
  // False at the end of the operation.
  bool step_on(Tracee& child) {
    const auto call = child.next_system_call();
    if (call && sweep_.before_system_call) sweep_.before_system_call(*call);
    const std::uint64_t at = child.at();
    const Tracee::Stop stop = child.step();
    if (stop == Tracee::Stop::ended) fail(count_.instructions, "ended by itself");
    if (stop != Tracee::Stop::stepped) return false;
    path_.add(at);
    ++count_.instructions;
    if (call) ++count_.system_calls;
    return true;
  }

  void kill_for_real() {
    if (sweep_.before_system_call) return;  // what others did cannot be done again at full speed
    const std::uint64_t pace =
        form_.is_complete() ? 1 : std::max<std::uint64_t>(path_.length() / kKillsInAShortForm, 1);
    for (std::uint64_t k = form_.seed % pace; k < path_.length(); k += pace) {
      if (count_.failures >= kEnoughFailures) return;
      kill_after(k);
    }
  }
  void kill_after(std::uint64_t k) {
    sweep_.prepare();
    Tracee child([] {}, sweep_.operate);
    if (!path_.lead(child, k)) {
      ++count_.missed;
      return;
    }
    child.kill();
    ++count_.kills;
    Image left(sweep_.memory);
    const char* const differs =
        left.fingerprint() == fingerprints_[k] ? "" : " (and left other bytes than it had)";
    if (*differs != 0) fail(k, differs);
    judge(k, "was killed", differs);
  }

  void judge(std::uint64_t k, const char* how, const char* besides) {
    if (passes(sweep_.check, sweep_.is_expected_to_fail)) return;
    fail(k, std::string("the survivors of one that ") + how + besides + " found fault");
  }
  void fail(std::uint64_t k, const std::string& what) {
    ++count_.failures;
    if (sweep_.is_expected_to_fail) return;
    ADD_FAILURE() << sweep_.operation << ", after instruction " << k << " of "
                  << fingerprints_.size() << ": " << what
                  << "\nagain: TARN_STEP_EVERY=" << form_.every << " TARN_SEED=" << form_.seed;
  }

  const Sweep& sweep_;
  const StepForm form_;
  StepPath path_;
  std::vector<std::uint64_t> fingerprints_;  // after k instructions
  StepCount count_;
};

// Prints its rows when the program ends.
class Table {
 public:
  ~Table() {
    std::printf("%-44s %12s %7s %7s %7s %7s %8s\n", "operation", "instructions", "calls", "states",
                "kills", "missed", "failures");
    for (const StepCount& row : rows_) {
      std::printf("%-44s %12" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64
                  " %8" PRIu64 "\n",
                  row.operation.c_str(), row.instructions, row.system_calls, row.states, row.kills,
                  row.missed, row.failures);
    }
  }
  void add(const StepCount& row) { rows_.push_back(row); }

 private:
  std::vector<StepCount> rows_;
};

}  // namespace

Image::Image(std::vector<std::span<std::byte>> memory) : memory_(std::move(memory)) {
  for (const auto& part : memory_) bytes_.insert(bytes_.end(), part.begin(), part.end());
}

void Image::take() {
  std::byte* to = bytes_.data();
  for (const auto& part : memory_) {
    std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
}

void Image::put_back() const {
  const std::byte* from = bytes_.data();
  for (const auto& part : memory_) {
    std::memcpy(part.data(), from, part.size());
    from += part.size();
  }
}

// FNV-1a over words.
std::uint64_t Image::fingerprint() const {
  std::uint64_t sum = 0xcbf2'9ce4'8422'2325;
  for (std::size_t at = 0; at < bytes_.size(); at += sizeof sum) {
    std::uint64_t word = 0;
    std::memcpy(&word, &bytes_[at], std::min(sizeof word, bytes_.size() - at));
    sum = (sum ^ word) * 0x100'0000'01b3;
    sum ^= sum >> 29;
  }
  return sum;
}

StepForm step_form(std::uint64_t usual_every) {
  StepForm form;
  const char* wish = std::getenv("TARN_STEP_EVERY");
  form.every = wish != nullptr ? std::strtoull(wish, nullptr, 10) : usual_every;
  if (form.every == 0) form.every = 1;
  if (form.is_complete()) return form;
  form.seed = testkit::announce_seed() % form.every;
  std::printf("every %" PRIu64 "th instruction; all of them with TARN_STEP_EVERY=1\n", form.every);
  return form;
}

void note_count(const StepCount& count) {
  static Table table;
  table.add(count);
}

void StepPath::add(std::uint64_t address) {
  const bool repeats = !path_.empty() && path_.back().address == address;
  // The first instruction's address would be met at once, without having been left.
  const bool is_first = path_.empty() || path_.front().address == address;
  std::uint64_t& times = times_[address];
  if (!repeats && !path_.empty()) ++times;
  path_.push_back({address, times, !repeats && !is_first});
}

bool StepPath::lead(Tracee& process, std::uint64_t k) const {
  std::uint64_t from = 0;
  std::uint64_t best = k;
  // A stop at the landmark costs as much as a step.
  for (std::uint64_t back = 0; back < best; ++back) {
    if (k - back >= path_.size()) continue;
    const Landmark& mark = path_[k - back];
    if (!mark.is_usable || mark.times + back >= best) continue;
    best = mark.times + back;
    from = k - back;
  }
  if (from > 0) {
    const auto stop = process.run_to(path_[from].address, path_[from].times);
    if (stop != Tracee::Stop::breakpoint) return false;
  }
  for (std::uint64_t at = from; at < k; ++at) {
    if (process.follow() != Tracee::Stop::stepped) return false;
  }
  return true;
}

bool passes(const std::function<void()>& check, bool is_quiet) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  TARN_ASSERT(child >= 0, errno);
  if (child == 0) {
    ::signal(SIGALRM, SIG_DFL);
    ::alarm(kWatchdogSeconds);
    if (is_quiet) ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
    const int before = failed_parts();
    check();
    std::fflush(stdout);
    ::_exit(failed_parts() == before ? 0 : 1);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) TARN_ASSERT(errno == EINTR, errno);
  if (WIFSIGNALED(status) && !is_quiet) {
    std::printf("the survivors ended by signal %d\n", WTERMSIG(status));
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

StepCount& operator+=(StepCount& sum, const StepCount& count) {
  sum.operation = count.operation;
  sum.instructions += count.instructions;
  sum.system_calls += count.system_calls;
  sum.states += count.states;
  sum.kills += count.kills;
  sum.missed += count.missed;
  sum.failures += count.failures;
  return sum;
}

StepCount step_through(const Sweep& sweep, const StepForm& form) {
  return Sweeper(sweep, form).run();
}

}  // namespace tarn::testing
