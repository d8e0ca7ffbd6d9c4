#include "os/life/mapped_asker.h"

#include <mutex>
#include <set>
#include <utility>

#include "os/events.h"
#include "os/process.h"

namespace tarn::os {

struct MappedAsker::State {
  UniqueFd event;
  std::mutex lock;
  std::set<std::uint64_t> asked;      // guarded by lock
  std::vector<MappedAnswer> answers;  // guarded by lock
};

MappedAsker::MappedAsker() : state_(std::make_shared<State>()) {
  if (auto event = create_event()) state_->event = std::move(*event);
}
MappedAsker::~MappedAsker() = default;

int MappedAsker::event() const noexcept { return state_->event.get(); }

bool MappedAsker::ask(std::uint64_t number, std::int32_t pid, std::uint64_t identity) {
  const std::lock_guard guard(state_->lock);
  if (state_->asked.size() >= kMostMappedQuestions) return false;
  if (!state_->asked.insert(number).second) return false;
  auto thread = start_quiet_thread("tarn-asker", [state = state_, number, pid, identity] {
    const auto is_mapped = maps_for_writing(pid, identity);
    const std::lock_guard thread_guard(state->lock);
    state->asked.erase(number);
    state->answers.push_back({number, is_mapped});
    raise_event(state->event.get());
  });
  if (thread) {
    thread->detach();
  } else {
    state_->asked.erase(number);
  }
  return static_cast<bool>(thread);
}

std::vector<MappedAnswer> MappedAsker::take() {
  clear_event(event());
  const std::lock_guard guard(state_->lock);
  return std::exchange(state_->answers, {});
}

}  // namespace tarn::os
