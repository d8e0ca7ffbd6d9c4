// literal_scanner.h - the words of a Python literal, one by one. Blanks and comments are skipped.
#pragma once

#include "ocport.h"

namespace OC {
namespace detail {

// All throw runtime_error where the text is not what it should be.
class Scanner {
 public:
  Scanner(const char* text, size_t position) : text_(text), position_(position) {}

  bool is_at_end() { return peek() == 0; }
  // The next character; 0 at the end.
  char peek();
  char peek_behind() { return peek() == 0 ? '\0' : text_[position_ + 1]; }
  bool is_next(const char* word);
  bool accept(const char* word);
  void expect(const char* word);
  // Text in quotes, without them.
  Str quoted();
  // A sign, digits, a fraction and an exponent, as far as they go.
  std::string number(bool& is_real);
  size_t position() const { return position_; }
  [[noreturn]] void fail(const std::string& why);

 private:
  void append_escape(Str& to);
  void append_octal(Str& to, char first);

  std::string text_;
  size_t position_;
};

}  // namespace detail
}  // namespace OC
