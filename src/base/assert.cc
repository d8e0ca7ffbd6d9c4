#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace tarn {

void assertion_failed(const char* condition, const char* file, int line,
                      const std::string& values) noexcept {
  std::fprintf(stderr, "tarn: assertion failed: %s (values: %s) at %s:%d\n", condition,
               values.c_str(), file, line);
  std::abort();
}

}  // namespace tarn
