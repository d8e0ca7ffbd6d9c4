#include "os/access/closer.h"

#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "os/process.h"

namespace tarn::os {

struct Closer::State {
  struct Queue {
    std::deque<UniqueFd> descriptors;
    std::size_t waiting = 0;  // with the one that is being closed
    bool is_served = false;   // by a thread
  };

  std::mutex lock;
  std::map<std::uint32_t, Queue> queues;  // by account; none is empty unless it is served
  std::size_t waiting = 0;
  std::size_t threads = 0;
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
  if (queue.is_served || state_->threads >= kMostClosingThreads) return;
  auto thread = start_quiet_thread("tarn-closer", [state = state_] { work(state); });
  // Where no thread is to be had now, the next call tries again.
  if (!thread) return;
  thread->detach();
  ++state_->threads;
}

void Closer::close(std::uint32_t account, std::vector<UniqueFd> descriptors) {
  for (UniqueFd& each : descriptors) close(account, std::move(each));
}

// Serves one account until nothing of it waits, then another that nobody serves.
void Closer::work(const std::shared_ptr<State>& state) {
  std::unique_lock guard(state->lock);
  for (;;) {
    auto mine = state->queues.begin();
    while (mine != state->queues.end() && mine->second.is_served) ++mine;
    if (mine == state->queues.end()) break;
    State::Queue& queue = mine->second;
    queue.is_served = true;
    while (!queue.descriptors.empty()) {
      UniqueFd next = std::move(queue.descriptors.front());
      queue.descriptors.pop_front();
      guard.unlock();
      next.reset();
      guard.lock();
      --queue.waiting;
      --state->waiting;
    }
    state->queues.erase(mine);
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
