// array_summary.h - what stands in an array, in one line.
#pragma once

#include <cstddef>
#include <string>

#include "tarn/value_view.h"

namespace tarn::tools {

// "float32[64, 32], 0 to 3.5, 2 nan: 0, 0.25, 0.5, ..."; of booleans how many are true, of complex
// numbers no range. Shows `most` elements. Throws Error (corrupt).
std::string array_summary(const ValueView& array, std::size_t most);

}  // namespace tarn::tools
