#include "os/life/identity_asker.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace tarn::os {

struct IdentityAsker::State {
  struct Question {
    std::optional<Result<ProcessIdentity>> answer;
    bool is_given_up = false;
  };

  std::mutex lock;
  std::condition_variable answered;
  std::map<std::uint32_t, Question> questions;  // by account; guarded by lock

  void look(std::uint32_t account, std::int32_t pid) {
    const auto found = identify(pid);
    const std::lock_guard guard(lock);
    const auto place = questions.find(account);
    if (place->second.is_given_up) {
      questions.erase(place);
      return;
    }
    place->second.answer = found;
    answered.notify_all();
  }
};

IdentityAsker::IdentityAsker() : state_(std::make_shared<State>()) {}
IdentityAsker::~IdentityAsker() = default;

Result<ProcessIdentity> IdentityAsker::ask(std::uint32_t account, std::int32_t pid,
                                           std::chrono::nanoseconds patience) {
  std::unique_lock guard(state_->lock);
  if (state_->questions.size() >= kMostSilentProcesses) return Error::busy;
  const auto [place, is_new] = state_->questions.try_emplace(account);
  if (!is_new) return Error::busy;
  auto thread = start_quiet_thread("tarn-asker",
                                   [state = state_, account, pid] { state->look(account, pid); });
  if (thread) thread->detach();
  State::Question& question = place->second;
  if (thread &&
      state_->answered.wait_for(guard, patience, [&] { return question.answer.has_value(); })) {
    Result<ProcessIdentity> answer = *question.answer;
    state_->questions.erase(place);
    return answer;
  }
  // A thread that waits on takes the question with it when it has been answered.
  question.is_given_up = true;
  if (!thread) state_->questions.erase(place);
  return Error::busy;
}

}  // namespace tarn::os
