// crash_point.h - named places where a test may end the process by SIGKILL.
//
// In builds without TARN_CRASH_POINTS the macro is empty. In the others a test arms the k-th point
// that the process will pass (arm_crash_point), or none; passing it raises SIGKILL on the spot.
// A test of one interleaving hooks the points instead, and lets another thread act there.
#pragma once

#include <cstdint>

namespace tarn {

#ifdef TARN_CRASH_POINTS
// The process ends by SIGKILL when it passes its `countdown`-th crash point from now on; 0 disarms.
void arm_crash_point(std::uint64_t countdown) noexcept;
// As above, but only points whose name begins with `prefix` count; or, with an exclamation mark
// before it, only the others. `prefix` must outlive the use.
void arm_crash_point(const char* prefix, std::uint64_t countdown) noexcept;
// How many points this process has passed since it last armed.
std::uint64_t crash_points_passed() noexcept;
// Every point that any thread of this process passes calls `hook` first; null ends that. A hook
// that passes points itself is not called for them.
using CrashPointHook = void (*)(const char* name);
void hook_crash_points(CrashPointHook hook) noexcept;
void pass_crash_point(const char* name) noexcept;
#define TARN_CRASH_POINT(name) ::tarn::pass_crash_point(name)
#else
#define TARN_CRASH_POINT(name) \
  do {                         \
  } while (false)
#endif

}  // namespace tarn
