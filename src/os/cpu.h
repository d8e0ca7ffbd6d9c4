// cpu.h - hints to the processor. They change speed alone, never results.
#pragma once

namespace tarn::os {

// Asks for a cache line for writing: for a line on which a CAS follows. Without this it arrives
// shared, and the CAS pays a second trip to the other core.
inline void fetch_for_writing(const void* line) noexcept {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" ::"m"(*static_cast<const char*>(line)));
#else
  __builtin_prefetch(line, 1);
#endif
}

inline void fetch_for_reading(const void* line) noexcept { __builtin_prefetch(line, 0); }

// In a loop that looks at a word until it changes.
inline void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace tarn::os
