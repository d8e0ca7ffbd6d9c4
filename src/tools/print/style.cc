#include "tools/print/style.h"

#include <unistd.h>

#include <cstdlib>

namespace tarn::tools {
namespace {

std::string_view sequence_of(Paint paint) noexcept {
  switch (paint) {
    case Paint::none:
      return "";
    case Paint::bold:
      return "\x1b[1m";
    case Paint::dim:
      return "\x1b[2m";
    case Paint::red:
      return "\x1b[31m";
    case Paint::green:
      return "\x1b[32m";
    case Paint::yellow:
      return "\x1b[33m";
  }
  return "";
}

}  // namespace

std::string Style::paint(Paint paint, std::string_view text) const {
  if (!color_ || paint == Paint::none || text.empty()) return std::string(text);
  std::string painted(sequence_of(paint));
  painted += text;
  painted += "\x1b[0m";
  return painted;
}

bool use_color(ColorChoice choice, int descriptor) {
  if (choice != ColorChoice::automatic) return choice == ColorChoice::always;
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* terminal = std::getenv("TERM");
  if (terminal != nullptr && std::string_view(terminal) == "dumb") return false;
  return ::isatty(descriptor) == 1;
}

}  // namespace tarn::tools
