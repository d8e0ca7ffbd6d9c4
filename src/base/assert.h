// assert.h - for our own bugs: process-local state that cannot be. On in every build.
//
// What another process, a file or a host wrote is input and never asserted on: that is
// Error::corrupt.
#pragma once

#include <string>

namespace tarn {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line,
                                   const std::string& values) noexcept;

namespace detail {
inline std::string join_values() { return {}; }
template <class First, class... Rest>
std::string join_values(const First& first, const Rest&... rest) {
  return std::to_string(first) + (sizeof...(rest) > 0 ? ", " : "") + join_values(rest...);
}
}  // namespace detail

}  // namespace tarn

#define TARN_ASSERT(condition, ...)                                       \
  do {                                                                    \
    if (!(condition)) [[unlikely]]                                        \
      ::tarn::assertion_failed(#condition, __FILE__, __LINE__,            \
                               ::tarn::detail::join_values(__VA_ARGS__)); \
  } while (false)
