#include "tools/top/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

namespace tarn::tools {
namespace {

constexpr const char* kEnter = "\x1b[?1049h\x1b[?25l";
constexpr const char* kLeave = "\x1b[?25h\x1b[?1049l";

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

}  // namespace

std::string cut_to_columns(const std::string& line, std::size_t width) {
  std::string cut;
  std::size_t used = 0;
  bool in_sequence = false;
  for (const char byte : line) {
    if (byte == '\x1b') in_sequence = true;
    if (in_sequence) {
      cut += byte;
      in_sequence = byte != 'm';
      continue;
    }
    if (begins_character(byte)) ++used;
    if (used <= width) cut += byte;
  }
  return cut;
}

Screen::Screen(std::ostream& out) : out_(out) {
  if (::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &former_) == 0) {
    termios keys = former_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    keys.c_cc[VSUSP] = _POSIX_VDISABLE;  // stopped, it would leave the terminal in this state
    keys_changed_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
  }
  out_ << kEnter << std::flush;
}

Screen::~Screen() {
  out_ << kLeave << std::flush;
  if (keys_changed_) ::tcsetattr(STDIN_FILENO, TCSANOW, &former_);
}

ScreenSize Screen::size() const {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row == 0) return {};
  return {window.ws_row, window.ws_col};
}

void Screen::show(const std::vector<std::string>& lines) {
  const ScreenSize now = size();
  std::string frame = "\x1b[H";
  const std::size_t count = std::min(lines.size(), now.lines);
  for (std::size_t i = 0; i < count; ++i) {
    frame += cut_to_columns(lines[i], now.columns) + "\x1b[K";
    if (i + 1 < count) frame += "\r\n";
  }
  frame += "\x1b[J";
  out_ << frame << std::flush;
}

bool Screen::quit_pressed() {
  if (!keys_changed_) return false;
  bool pressed = false;
  char key = 0;
  while (::read(STDIN_FILENO, &key, 1) == 1) pressed = pressed || key == 'q' || key == 'Q';
  return pressed;
}

}  // namespace tarn::tools
