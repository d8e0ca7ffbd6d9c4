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

// A fork()ed child starts with none: its parent's sessions are not its own, and their lock may have
// been held when it was born. Never freed: a message may be a static variable.
Lingering& lingering() {
  static std::atomic<Lingering*> g_current{new Lingering};
  // sync(lingering-made): receives the new list.
  Lingering* current = g_current.load(std::memory_order_acquire);
  while (current->fork_generation != os::fork_generation()) {
    auto* fresh = new Lingering;
    // sync(lingering-made): hands the new list over, or receives another thread's.
    if (g_current.compare_exchange_strong(current, fresh, std::memory_order_acq_rel)) {
      // seq_cst: g_lingering and the hold count need one order, as in note_let_go().
      g_lingering.store(0, std::memory_order_seq_cst);
      return *fresh;
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
  end_unused();  // what was let go of before we were counted
}

void end_unused() noexcept {
  std::vector<SessionCore*> unused;
  {
    Lingering& all = lingering();
    const std::lock_guard guard(all.lock);
    std::erase_if(all.sessions, [&](SessionCore* session) {
      if (session->is_in_use()) return false;
      unused.push_back(session);
      return true;
    });
    // seq_cst: g_lingering and the hold count need one order, as in note_let_go().
    g_lingering.fetch_sub(static_cast<std::uint32_t>(unused.size()), std::memory_order_seq_cst);
  }
  for (SessionCore* session : unused) delete session;
}

}  // namespace tarn::detail
