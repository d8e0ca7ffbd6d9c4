// literal.cc - Python literals as values: Eval(), Tab("{'a':1}"), Arr("[1, 2.5]").
#include <cctype>
#include <charconv>
#include <cstring>

#include "oc/templates.h"
#include "val/literal_scanner.h"
#include "val/number_text.h"
#include "val/proxy_body.h"

namespace OC {
namespace {

using detail::Scanner;

// The literal may come from anywhere: what is nested deeper than this is refused.
constexpr int kDeepest = 500;

class Parser {
 public:
  explicit Parser(Scanner& scanner) : in_(scanner) {}

  Val value() {
    if (++depth_ > kDeepest) in_.fail("this is nested too deeply");
    Val made = value_here();
    --depth_;
    return made;
  }

 private:
  Val value_here() {
    const char next = in_.peek();
    if (next == '{') return table<Tab>();
    if (next == '[') return list();
    if (next == '(') return tuple();
    if (next == '\'' || next == '"') return Val(in_.quoted());
    if (next == 'o' && in_.peek_behind() == '{') {
      in_.expect("o");
      return table<OTab>();
    }
    if (std::isalpha(static_cast<unsigned char>(next)) != 0) return word();
    return number(false);
  }

  template <class Table>
  Val table() {
    Table made;
    in_.expect("{");
    while (!in_.accept("}")) {
      const Val key = value();
      in_.expect(":");
      made[key] = value();
      separate("}");
    }
    return Val(std::move(made));
  }

  // [1, 2], or a table whose order matters: ['a':1, 'b':2].
  Val list() {
    Arr made;
    in_.expect("[");
    while (!in_.accept("]")) {
      made.append(value());
      if (made.length() == 1 && in_.is_next(":")) return table_in_brackets(made[0]);
      separate("]");
    }
    return Val(std::move(made));
  }
  Val table_in_brackets(const Val& first_key) {
    OTab made;
    in_.expect(":");
    made[first_key] = value();
    separate("]");
    while (!in_.accept("]")) {
      const Val key = value();
      in_.expect(":");
      made[key] = value();
      separate("]");
    }
    return Val(std::move(made));
  }

  // A tuple, or a complex number: (1-2j).
  Val tuple() {
    Tup made;
    in_.expect("(");
    while (!in_.accept(")")) {
      Val element = value();
      if (made.length() == 0 && !in_.is_next(",") && !in_.is_next(")")) {
        return complex(static_cast<real_8>(element));
      }
      made.elements().append(element);
      const bool is_alone = made.length() == 1 && in_.is_next(")");
      if (is_alone && element.tag == 'D' && in_.accept(")")) return element;
      separate(")");
    }
    return Val(std::move(made));
  }
  Val complex(real_8 real) {
    const Val imaginary = number(true);
    in_.expect(")");
    return Val(complex_16(real, static_cast<complex_16>(imaginary).im));
  }

  Val word() {
    if (in_.accept("None")) return Val();
    if (in_.accept("True")) return Val(true);
    if (in_.accept("False")) return Val(false);
    if (in_.accept("nan")) return Val(std::nan(""));
    if (in_.accept("inf")) return Val(HUGE_VAL);
    if (in_.accept("OrderedDict")) return ordered();
    if (in_.accept("array")) return array();
    in_.fail("this is no literal");
  }

  // ([('key', value), ...])
  Val ordered() {
    OTab made;
    in_.expect("(");
    in_.expect("[");
    while (!in_.accept("]")) {
      in_.expect("(");
      const Val key = value();
      in_.expect(",");
      made[key] = value();
      in_.expect(")");
      separate("]");
    }
    in_.expect(")");
    return Val(std::move(made));
  }

  // ([1.0,2.5], 'd')
  Val array() {
    in_.expect("(");
    const Val elements = list();
    in_.expect(",");
    const Str letter = in_.quoted();
    in_.expect(")");
    constexpr char kNumeric[] = "1bswiul";
    constexpr char kOurs[] = "sSiIlLx";
    const char* found = letter.size() == 1 ? std::strchr(kNumeric, letter[0]) : nullptr;
    const char tag = found != nullptr ? kOurs[found - kNumeric] : letter.c_str()[0];
    Val made;
    const bool known = detail::visit_number(tag, [&](auto type) {
      using T = typename decltype(type)::type;
      Array<T> filled(elements.length());
      for (const Val& element : std::as_const(elements.object_as<Arr>())) {
        filled.append(static_cast<T>(element));
      }
      made = Val(filled);
    });
    if (!known) in_.fail("no array has elements of this type");
    return made;
  }

  // Integers as int_4, int_8, int_u8 or int_n, whichever holds them first; with an L behind them
  // always int_n.
  Val number(bool imaginary) {
    bool is_real = false;
    const std::string text = in_.number(is_real);
    if (in_.accept("j") || in_.accept("J")) return Val(complex_16(0, detail::real_in(text)));
    if (imaginary) in_.fail("a complex number ends in j");
    if (in_.accept("L") || in_.accept("l")) return Val(int_n(text));
    if (is_real) return Val(detail::real_in(text));
    const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
    const char* end = text.data() + text.size();
    int_8 whole = 0;
    if (std::from_chars(begin, end, whole).ec == std::errc()) {
      if (whole == static_cast<int_4>(whole)) return Val(static_cast<int_4>(whole));
      return Val(whole);
    }
    int_u8 large = 0;
    if (std::from_chars(begin, end, large).ec == std::errc()) return Val(large);
    return Val(int_n(text));
  }

  void separate(const char* closing) {
    if (!in_.accept(",") && !in_.is_next(closing)) in_.fail("a comma is missing");
  }

  Scanner& in_;
  int depth_ = 0;
};

Val whole_literal(const char* literal) {
  Scanner scanner(literal, 0);
  Val made = Parser(scanner).value();
  if (!scanner.is_at_end()) scanner.fail("something stands behind the literal");
  return made;
}

template <class T>
void take(T& into, const char* literal, const char* what) {
  Val made = whole_literal(literal);
  // None other than the type itself: throws logic_error.
  try {
    T& found = made;
    into.swap(found);
  } catch (const logic_error&) {
    throw runtime_error("The literal is a " + std::string(detail::name_of_tag(made.tag)) +
                        ", not a " + what);
  }
}

}  // namespace

Val Eval(const char* literal) { return whole_literal(literal); }

bool ValReader::expectAnything(Val& value) {
  detail::Scanner scanner(text_.c_str(), position_);
  if (scanner.is_at_end()) return false;
  value = Parser(scanner).value();
  position_ = scanner.position();
  return true;
}

Tab::Tab(const char* literal, Allocator*) { take(*this, literal, "Tab"); }
OTab::OTab(const char* literal, Allocator*) { take(*this, literal, "OTab"); }
Arr::Arr(const char* literal, Allocator*) { take(*this, literal, "Arr"); }

}  // namespace OC
