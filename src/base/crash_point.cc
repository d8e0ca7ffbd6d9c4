#include "base/crash_point.h"

#ifdef TARN_CRASH_POINTS

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tarn {
namespace {

std::atomic<std::uint64_t> g_countdown{0};
std::atomic<std::uint64_t> g_passed{0};
std::atomic<const char*> g_prefix{""};
std::atomic<CrashPointHook> g_hook{nullptr};
thread_local bool t_in_hook = false;

// Whether `name` counts: it begins with `prefix`, or, after an exclamation mark, it does not.
bool counts(const char* name, const char* prefix) noexcept {
  const bool wanted = *prefix != '!';
  if (!wanted) ++prefix;
  return (std::strncmp(name, prefix, std::strlen(prefix)) == 0) == wanted;
}

// TARN_CRASH_AT=[[!]prefix:]k arms a program from outside, so that whole programs can be swept.
struct ArmFromEnvironment {
  ArmFromEnvironment() noexcept {
    const char* wish = std::getenv("TARN_CRASH_AT");
    if (wish == nullptr) return;
    const char* colon = std::strrchr(wish, ':');
    const char* number = colon == nullptr ? wish : colon + 1;
    static char prefix[64];
    if (colon != nullptr && colon - wish < static_cast<std::ptrdiff_t>(sizeof prefix)) {
      std::memcpy(prefix, wish, static_cast<std::size_t>(colon - wish));
    }
    arm_crash_point(prefix, std::strtoull(number, nullptr, 10));
  }
};
const ArmFromEnvironment g_arm_from_environment;

// TARN_CRASH_LOG names a file that gets the name of each point at which a process ended.
void note_death(const char* name) noexcept {
  const char* path = std::getenv("TARN_CRASH_LOG");
  std::FILE* log = path == nullptr ? nullptr : std::fopen(path, "a");
  if (log == nullptr) return;
  std::fprintf(log, "%s\n", name);
  std::fclose(log);
}

}  // namespace

void arm_crash_point(std::uint64_t countdown) noexcept { arm_crash_point("", countdown); }

void arm_crash_point(const char* prefix, std::uint64_t countdown) noexcept {
  // relaxed: a test arms while no other thread passes points; counting alone matters after that.
  g_prefix.store(prefix, std::memory_order_relaxed);
  g_passed.store(0, std::memory_order_relaxed);
  g_countdown.store(countdown, std::memory_order_relaxed);
}

// relaxed: a count.
std::uint64_t crash_points_passed() noexcept { return g_passed.load(std::memory_order_relaxed); }

void hook_crash_points(CrashPointHook hook) noexcept {
  // sync(crash-point-hooked): hands over what the hook uses.
  g_hook.store(hook, std::memory_order_release);
}

void pass_crash_point(const char* name) noexcept {
  // sync(crash-point-hooked): receives what the hook uses.
  const CrashPointHook hook = g_hook.load(std::memory_order_acquire);
  if (hook != nullptr && !t_in_hook) {
    t_in_hook = true;
    hook(name);
    t_in_hook = false;
  }
  // relaxed: as in arm_crash_point().
  if (!counts(name, g_prefix.load(std::memory_order_relaxed))) return;
  // relaxed: as above.
  const std::uint64_t passed = g_passed.fetch_add(1, std::memory_order_relaxed) + 1;
  if (passed != g_countdown.load(std::memory_order_relaxed)) return;
  note_death(name);
  std::raise(SIGKILL);
}

}  // namespace tarn

#endif
