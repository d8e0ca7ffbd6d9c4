#include "val/literal_scanner.h"

#include <algorithm>
#include <cctype>

namespace OC {
namespace detail {
namespace {

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

bool is_octal(char letter) { return letter >= '0' && letter <= '7'; }

int digit_of(char letter) {
  if (is_digit(letter)) return letter - '0';
  const char lower = static_cast<char>(letter | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

}  // namespace

char Scanner::peek() {
  for (;;) {
    if (position_ < text_.size() && text_[position_] == '#') {
      position_ = std::min(text_.find('\n', position_), text_.size());
    }
    if (position_ >= text_.size()) return 0;
    if (std::isspace(static_cast<unsigned char>(text_[position_])) == 0) return text_[position_];
    ++position_;
  }
}

bool Scanner::is_next(const char* word) {
  peek();
  return text_.compare(position_, strlen(word), word) == 0;
}

bool Scanner::accept(const char* word) {
  if (!is_next(word)) return false;
  position_ += strlen(word);
  return true;
}

void Scanner::expect(const char* word) {
  if (!accept(word)) fail(std::string("'") + word + "' is missing");
}

void Scanner::append_escape(Str& to) {
  const char letter = position_ < text_.size() ? text_[position_++] : '\0';
  switch (letter) {
    case 'n':
      to += '\n';
      return;
    case 't':
      to += '\t';
      return;
    case 'r':
      to += '\r';
      return;
    case 'x':
      break;
    case '\n':
      return;
    case '\\':
    case '\'':
    case '"':
      to += letter;
      return;
    default:
      if (is_octal(letter)) {
        append_octal(to, letter);
      } else {
        to += '\\';
        to += letter;
      }
      return;
  }
  const int high = position_ + 1 < text_.size() ? digit_of(text_[position_]) : 16;
  const int low = high < 16 ? digit_of(text_[position_ + 1]) : 16;
  if (low == 16) fail("two hexadecimal digits belong behind \\x");
  to += static_cast<char>(high * 16 + low);
  position_ += 2;
}

// One to three digits.
void Scanner::append_octal(Str& to, char first) {
  int code = first - '0';
  for (int i = 0; i < 2 && position_ < text_.size() && is_octal(text_[position_]); ++i) {
    code = code * 8 + (text_[position_++] - '0');
  }
  to += static_cast<char>(code);
}

Str Scanner::quoted() {
  const char quote = peek();
  if (quote != '\'' && quote != '"') fail("text in quotes is missing");
  Str made;
  for (++position_; position_ < text_.size();) {
    const char letter = text_[position_++];
    if (letter == quote) return made;
    if (letter == '\\') {
      append_escape(made);
    } else {
      made += letter;
    }
  }
  fail("the text has no end");
}

std::string Scanner::number(bool& is_real) {
  peek();
  std::string made;
  const auto take_while = [&](auto&& belongs) {
    while (position_ < text_.size() && belongs(text_[position_])) made += text_[position_++];
  };
  const size_t start = position_;
  if (position_ < text_.size() && (text_[position_] == '-' || text_[position_] == '+')) {
    made += text_[position_++];
  }
  take_while(is_digit);
  is_real = position_ < text_.size() && text_[position_] == '.';
  if (is_real) {
    made += text_[position_++];
    take_while(is_digit);
  }
  if (made.find_first_of("0123456789") == std::string::npos) {
    for (const char* word : {"inf", "nan"}) {
      is_real = true;
      if (accept(word)) return made + word;
    }
    position_ = start;
    fail("this is no literal");
  }
  if (position_ < text_.size() && (text_[position_] | 0x20) == 'e') {
    is_real = true;
    made += text_[position_++];
    if (position_ < text_.size() && (text_[position_] == '-' || text_[position_] == '+')) {
      made += text_[position_++];
    }
    const size_t digits = made.size();
    take_while(is_digit);
    if (made.size() == digits) fail("an exponent has no digits");
  }
  return made;
}

void Scanner::fail(const std::string& why) {
  const auto end = text_.begin() + static_cast<std::ptrdiff_t>(std::min(position_, text_.size()));
  const auto line = 1 + std::count(text_.begin(), end, '\n');
  throw runtime_error("Cannot read the literal: " + why + ", in line " + std::to_string(line) +
                      " at '" + text_.substr(std::min(position_, text_.size()), 20) + "'");
}

}  // namespace detail
}  // namespace OC
