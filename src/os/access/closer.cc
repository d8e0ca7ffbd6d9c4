#include "os/access/closer.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/deadline.h"
#include "os/process.h"

namespace tarn::os {

struct Closer::State {
  struct Queue {
    std::deque<UniqueFd> descriptors;
    std::size_t waiting = 0;    // with the one that is being closed
    bool is_served = false;     // by a thread
    std::int64_t began_ns = 0;  // closing that one
  };

  std::mutex lock;
  std::map<std::uint32_t, Queue> queues;   // by account; none is empty unless it is served
  std::map<std::uint32_t, Deadline> slow;  // accounts, and until when they count as such
  std::size_t waiting = 0;
  std::size_t threads = 0;

  bool is_slow(std::uint32_t account) const noexcept {
    const auto found = slow.find(account);
    return found != slow.end() && !found->second.has_passed();
  }
  // Who made somebody wait before is served while enough threads are left for those who did not.
  bool may_have_thread(std::uint32_t account) const noexcept {
    const std::size_t kept = is_slow(account) ? kClosingThreadsForTheQuick : 0;
    return threads + kept < kMostClosingThreads;
  }
  // What the thread that just came free, and still counts, goes on with.
  std::optional<std::uint32_t> next_account() noexcept {
    for (const bool slow_ones : {false, true}) {
      if (slow_ones && threads - 1 + kClosingThreadsForTheQuick >= kMostClosingThreads) break;
      for (const auto& [account, queue] : queues) {
        if (!queue.is_served && is_slow(account) == slow_ones) return account;
      }
    }
    return std::nullopt;
  }
  void note_closed(std::uint32_t account, const Queue& queue) {
    if (monotonic_ns() - queue.began_ns < std::chrono::nanoseconds(kSlowClose).count()) return;
    std::erase_if(slow, [](const auto& each) { return each.second.has_passed(); });
    slow.insert_or_assign(account, Deadline::in(kSlowFor));
  }
};

Closer::Closer() : state_(std::make_shared<State>()) {}
Closer::~Closer() = default;

void Closer::close(std::uint32_t account, UniqueFd descriptor) {
  if (!descriptor) return;
  const std::lock_guard guard(state_->lock);
  State::Queue& queue = state_->queues[account];
  queue.descriptors.push_back(std::move(descriptor));
  ++queue.waiting;
  ++state_->waiting;
  // Where no thread is to be had now, serve() tries again.
  if (!queue.is_served && state_->may_have_thread(account)) start_thread(account);
}

void Closer::close(std::uint32_t account, std::vector<UniqueFd> descriptors) {
  for (UniqueFd& each : descriptors) close(account, std::move(each));
}

bool Closer::serve() {
  const std::lock_guard guard(state_->lock);
  for (const auto& [account, queue] : state_->queues) {
    if (queue.is_served || !state_->may_have_thread(account)) continue;
    if (!start_thread(account)) return false;
  }
  return true;
}

bool Closer::start_thread(std::uint32_t account) {
  State::Queue& queue = state_->queues[account];
  auto thread =
      start_quiet_thread("tarn-closer", [state = state_, account] { work(state, account); });
  if (!thread) return false;
  thread->detach();
  queue.is_served = true;
  ++state_->threads;
  return true;
}

// Serves one account until nothing of it waits, then another that nobody serves.
void Closer::work(const std::shared_ptr<State>& state, std::uint32_t account) {
  std::unique_lock guard(state->lock);
  std::optional<std::uint32_t> mine = account;
  while (mine) {
    State::Queue& queue = state->queues[*mine];
    queue.is_served = true;
    while (!queue.descriptors.empty()) {
      UniqueFd next = std::move(queue.descriptors.front());
      queue.descriptors.pop_front();
      queue.began_ns = monotonic_ns();
      guard.unlock();
      next.reset();
      guard.lock();
      state->note_closed(*mine, queue);
      --queue.waiting;
      --state->waiting;
    }
    state->queues.erase(*mine);
    mine = state->next_account();
  }
  --state->threads;
}

std::size_t Closer::waiting() const noexcept {
  const std::lock_guard guard(state_->lock);
  return state_->waiting;
}

std::size_t Closer::waiting_of(std::uint32_t account) const noexcept {
  const std::lock_guard guard(state_->lock);
  const auto found = state_->queues.find(account);
  return found == state_->queues.end() ? 0 : found->second.waiting;
}

}  // namespace tarn::os
