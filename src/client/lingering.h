// lingering.h - sessions of which every handle is gone while messages or loans are still out. They
// end with the last of these, on the thread that lets go of it.
//
// Messages and loans do not count themselves: a session's hold rows and its heap know what is out.
// So letting go costs a look at one word, and looking closer is left to those who linger.
#pragma once

#include <atomic>
#include <cstdint>

namespace tarn::detail {

class SessionCore;

extern std::atomic<std::uint32_t> g_lingering;  // how many there are

// The last handle is gone: ends the session now, or once nothing of it is out.
void end_or_linger(SessionCore* session) noexcept;
// Ends the session if it lingers and nothing of it is out any more. `session` may be gone already.
void end_if_unused(SessionCore* session) noexcept;

// Call after a hold or a loan of the session ended. It may be gone by then: another thread may have
// let go of the last one.
inline void note_let_go(SessionCore* session) noexcept {
  // seq_cst: g_lingering and the hold count (or the heap's lock) need one order: either we see the
  // session linger, or whoever made it linger sees that we let go.
  if (g_lingering.load(std::memory_order_seq_cst) != 0) [[unlikely]]
    end_if_unused(session);
}

}  // namespace tarn::detail
