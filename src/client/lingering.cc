#include "client/lingering.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "client/session_core.h"

namespace tarn::detail {

std::atomic<std::uint32_t> g_lingering{0};

namespace {

struct Lingering {
  const std::uint64_t fork_generation = os::fork_generation();
  std::mutex lock;
  std::vector<SessionCore*> sessions;
};

constinit std::atomic<Lingering*> g_list{nullptr};

// A fork()ed child starts with none: its parent's sessions are not its own, and their lock may have
// been held when it was born. Never freed: a message may be a static variable.
Lingering& lingering() {
  // sync(lingering-made): receives the new list.
  Lingering* current = g_list.load(std::memory_order_acquire);
  while (current == nullptr || current->fork_generation != os::fork_generation()) {
    auto* fresh = new Lingering;
    {
      // Nobody counts in it before the count is its own.
      const std::lock_guard guard(fresh->lock);
      // sync(lingering-made): hands the new list over, or receives another thread's.
      if (g_list.compare_exchange_strong(current, fresh, std::memory_order_acq_rel)) {
        // seq_cst: g_lingering and the hold count need one order, as in note_let_go().
        g_lingering.store(0, std::memory_order_seq_cst);
        return *fresh;
      }
    }
    delete fresh;
  }
  return *current;
}

}  // namespace

void end_or_linger(SessionCore* session) noexcept {
  if (!session->is_in_use()) {
    delete session;
    return;
  }
  {
    Lingering& all = lingering();
    const std::lock_guard guard(all.lock);
    all.sessions.push_back(session);
    // seq_cst: g_lingering and the hold count need one order, as in note_let_go().
    g_lingering.fetch_add(1, std::memory_order_seq_cst);
  }
  end_if_unused(session);  // all may have been let go of before it was counted
}

void end_if_unused(SessionCore* session) noexcept {
  {
    Lingering& all = lingering();
    const std::lock_guard guard(all.lock);
    const auto found = std::find(all.sessions.begin(), all.sessions.end(), session);
    // While it is in the list nobody ends it.
    if (found == all.sessions.end() || session->is_in_use()) return;
    all.sessions.erase(found);
    // seq_cst: g_lingering and the hold count need one order, as in note_let_go().
    g_lingering.fetch_sub(1, std::memory_order_seq_cst);
  }
  delete session;
}

}  // namespace tarn::detail
