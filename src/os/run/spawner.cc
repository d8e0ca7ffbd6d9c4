#include "os/run/spawner.h"

#include <linux/close_range.h>
#include <unistd.h>

#include <span>
#include <utility>

#include "os/process.h"
#include "os/socket.h"
#include "os/system_error.h"

namespace tarn::os {
namespace {

// Between two threads of one process: the plan stays where it is, while its sender waits.
struct Wish {
  const SpawnPlan* plan = nullptr;
  Result<std::int32_t, Error>* outcome = nullptr;
};

template <class T>
std::span<std::byte> bytes_of(T& object) noexcept {
  return std::as_writable_bytes(std::span(&object, 1));
}

// From now on the calling thread has a table of its own, with the standard streams and `kept`.
// What stands above `kept` is not even copied.
bool take_own_table(int kept) noexcept {
  const auto number = static_cast<unsigned>(kept);
  if (::close_range(number + 1, ~0U, CLOSE_RANGE_UNSHARE) != 0) return false;
  return kept == 3 || ::close_range(3, number - 1, 0) == 0;
}

void serve(int line) noexcept {
  for (;;) {
    Wish wish;
    auto received = receive_message(line, bytes_of(wish), true);
    if (received.outcome == ReceiveOutcome::ended) return;
    SpawnPlan plan = *wish.plan;
    plan.descriptors.clear();
    for (const UniqueFd& each : received.descriptors) plan.descriptors.push_back(each.get());
    if (received.outcome == ReceiveOutcome::ok) {
      *wish.outcome = os::spawn(plan);
    } else {
      *wish.outcome = Error(Error::no_descriptors, "start a program", plan.program,
                            "raise the limit of open files (ulimit -n)");
    }
    received.descriptors.clear();
    send_message(line, bytes_of(wish), {}, true);
  }
}

}  // namespace

Spawner::Spawner() {
  auto ends = socket_pair();
  if (!ends) {
    refusal_ = std::move(ends).error();
    return;
  }
  line_ = std::move(ends->first);
  // The caller has it open, too, until the thread has a table of its own.
  const int line = ends->second.get();
  auto thread = start_quiet_thread("tarnd-spawner", [line] {
    bool is_ready = take_own_table(line);
    send_message(line, bytes_of(is_ready), {}, true);
    if (is_ready) serve(line);
    if (is_ready) ::close(line);
  });
  if (!thread) {
    refusal_ = std::move(thread).error();
    return;
  }
  thread_ = std::move(*thread);
  bool is_ready = false;
  receive_message(line_.get(), bytes_of(is_ready), true);
  if (!is_ready) {
    refusal_ = Error(Error::os, "make a thread that starts programs", "close_range",
                     "allow the system call close_range (Linux 5.9)");
  }
}

Spawner::~Spawner() {
  line_.reset();
  if (thread_.joinable()) thread_.join();
}

Result<std::int32_t, Error> Spawner::spawn(const SpawnPlan& plan) {
  const std::lock_guard guard(lock_);
  if (refusal_) return *refusal_;
  Result<std::int32_t, Error> outcome = Error(Error::os, "start a program", plan.program, {});
  Wish wish{&plan, &outcome};
  // The kernel has a limit of its own for descriptors that are under way.
  if (send_message(line_.get(), bytes_of(wish), plan.descriptors, true) != SendOutcome::ok) {
    return system_error("start a program", plan.program);
  }
  receive_message(line_.get(), bytes_of(wish), true);
  return outcome;
}

Result<StartedChild, Error> Spawner::spawn_watched(const SpawnPlan& plan) {
  return watch_started(spawn(plan));
}

}  // namespace tarn::os
