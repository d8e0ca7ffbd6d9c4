// screen.h - the whole terminal, refreshed in place and given back as it was.
#pragma once

#include <termios.h>

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

namespace tarn::tools {

struct ScreenSize {
  std::size_t lines = 24;
  std::size_t columns = 80;
};

// The text cut to `width` columns; escape sequences take none and are all kept, so that colours
// end where they should.
std::string cut_to_columns(const std::string& line, std::size_t width);

// Uses the alternate screen, hides the cursor, and lets single keys through without showing them.
// Everything is undone when it is destroyed.
class Screen {
 public:
  explicit Screen(std::ostream& out);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // As it is now: the user may have changed it.
  ScreenSize size() const;
  // Draws over what is there, without flicker; lines that do not fit are left out.
  void show(const std::vector<std::string>& lines);
  // Whether 'q' was pressed. Does not wait.
  bool quit_pressed();

 private:
  std::ostream& out_;
  termios former_{};
  bool keys_changed_ = false;
};

}  // namespace tarn::tools
