// pretty.h - a value for people: one line for each part, indented, with arrays summarised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tarn/value_view.h"
#include "tools/print/style.h"

namespace tarn::tools {

struct PrettyOptions {
  std::size_t most_entries = 100;  // of a table or list; how many more there are is said
  std::size_t most_bytes = 300;    // of text, and of keys
  std::size_t most_elements = 6;   // of an array, at its beginning
};

// Several lines, each ended. Text of foreign origin cannot steer the terminal. Keys are in quotes
// where they could be taken for something else. A part of a type that a newer tarn wrote is named,
// and the rest shown. Throws Error (corrupt).
std::string pretty(const ValueView& value, const Style& style, PrettyOptions options = {});

// One line: "float32[64, 32], 0 to 3.5: 0, 0.25, ...", "table of 3".
std::string summary_of(const ValueView& value, PrettyOptions options = {});

// Values one after the other: those of several lines stand apart.
class PrettySequence {
 public:
  explicit PrettySequence(Style style) noexcept : style_(style) {}

  // What to write next; throws as pretty().
  std::string next(const ValueView& value);
  // Something else was written between.
  void interrupt() noexcept { before_ = Before::nothing; }

 private:
  enum class Before : std::uint8_t { nothing, line, lines };
  Style style_;
  Before before_ = Before::nothing;
};

}  // namespace tarn::tools
