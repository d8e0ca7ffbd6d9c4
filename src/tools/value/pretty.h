// pretty.h - a value for people: one line for each part, indented, with arrays summarised.
#pragma once

#include <cstddef>
#include <string>

#include "tarn/value_view.h"
#include "tools/print/style.h"

namespace tarn::tools {

struct PrettyOptions {
  std::size_t most_entries = 100;  // of a table or list; how many more there are is said
  std::size_t most_bytes = 300;    // of text
  std::size_t most_elements = 6;   // of an array, at its beginning
};

// Several lines, each ended. Text of foreign origin cannot steer the terminal. Throws Error
// (corrupt).
std::string pretty(const ValueView& value, const Style& style, PrettyOptions options = {});

// One line: "float32[64, 32], 0 to 3.5: 0, 0.25, ...", "table of 3".
std::string summary_of(const ValueView& value, PrettyOptions options = {});

}  // namespace tarn::tools
