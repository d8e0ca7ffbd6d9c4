// death_watch.h - learns from the kernel that a session's process has begun to die, tens of
// microseconds after it did and whatever it has mapped.
//
// Threads of the worker sleep on the life words of the sessions (session_layout.h), 127 each; the
// worker's loop gets their news through a descriptor. The words are input: a session that plays
// with its own is left to its pidfd.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "os/fd.h"
#include "shm/segment/segment_layout.h"

namespace tarn::daemon {

class DeathWatch {
 public:
  static Result<std::unique_ptr<DeathWatch>, Error> create();
  ~DeathWatch();
  DeathWatch(const DeathWatch&) = delete;
  DeathWatch& operator=(const DeathWatch&) = delete;

  // Readable while there is news.
  int event() const noexcept { return event_.get(); }
  // Borrows `memory`, the session's segment, for this call. Fails where it cannot be mapped, or no
  // thread can be started; then the session's other notices tell of its end.
  FullStatus watch(SessionId id, int memory);
  // Harmless when it is not watched.
  void forget(SessionId id);
  // Whose word was marked since this was asked last.
  std::vector<SessionId> take_news();

 private:
  class Lane;
  explicit DeathWatch(os::UniqueFd event) noexcept;

  os::UniqueFd event_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace tarn::daemon
