// print.cc - values as Python 2 text on one line, and spread over lines.
#include "val/print.h"

#include "oc/templates.h"
#include "val/number_text.h"

namespace OC {
namespace detail {

void print_text(ostream& out, const Str& text) {
  // Double quotes where there is a single one inside, and no double one.
  const bool has_single = text.find('\'') != Str::npos;
  const char quote = has_single && text.find('"') == Str::npos ? '"' : '\'';
  out << quote;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == quote || letter == '\\') {
      out << '\\' << letter;
    } else if (letter == '\n') {
      out << "\\n";
    } else if (letter == '\t') {
      out << "\\t";
    } else if (letter == '\r') {
      out << "\\r";
    } else if (byte < 0x20 || byte >= 0x7f) {
      constexpr char kDigits[] = "0123456789abcdef";
      out << "\\x" << kDigits[byte >> 4] << kDigits[byte & 15];
    } else {
      out << letter;
    }
  }
  out << quote;
}

namespace {

// Not through the stream's own formatting: a program may have set it to hex.
template <class T>
std::string part_text(T number) {
  if constexpr (std::is_floating_point_v<T>) {
    return text_of(number, false);
  } else {
    return std::to_string(number);
  }
}

template <class T>
std::string number_text(T number) {
  if constexpr (std::is_same_v<T, bool>) {
    return number ? "True" : "False";
  } else if constexpr (std::is_floating_point_v<T>) {
    return text_of(number, true);
  } else {
    return std::to_string(number);
  }
}
template <class T>
std::string number_text(const cx_t<T>& number) {
  const std::string imaginary = part_text(number.im);
  const bool has_sign = imaginary.front() == '-';
  return "(" + part_text(number.re) + (has_sign ? "" : "+") + imaginary + "j)";
}

// How Numeric called the type of an array's elements; ours where it had none.
char numeric_letter(char tag) {
  switch (tag) {
    case 's':
      return '1';
    case 'S':
      return 'b';
    case 'i':
      return 's';
    case 'I':
      return 'w';
    case 'l':
      return 'i';
    case 'L':
      return 'u';
    case 'x':
    case 'X':
      return 'l';
    default:
      return tag;
  }
}

template <class T>
void print_array(ostream& out, const Array<T>& array) {
  out << "array([";
  for (int_ptr i = 0; i < array.length(); ++i) {
    if (i > 0) out << ',';
    out << number_text(array(i));
  }
  out << "], '" << numeric_letter(kNumberTag<T>) << "')";
}

void print_table(ostream& out, const Table& table) {
  out << '{';
  for (const Entry* entry = table.first(); entry != nullptr; entry = entry->next) {
    if (entry != table.first()) out << ", ";
    out << entry->key << ": " << entry->value;
  }
  out << '}';
}

void print_ordered(ostream& out, const Table& table) {
  out << "OrderedDict([";
  for (const Entry* entry = table.first(); entry != nullptr; entry = entry->next) {
    if (entry != table.first()) out << ", ";
    out << '(' << entry->key << ", " << entry->value << ')';
  }
  out << "])";
}

void print_elements(ostream& out, const Array<Val>& elements, const char* brackets) {
  out << brackets[0];
  for (int_ptr i = 0; i < elements.length(); ++i) {
    if (i > 0) out << ", ";
    out << elements[i];
  }
  out << brackets[1];
}

void print_array_in(ostream& out, const Val& value) {
  visit_number(value.subtype, [&](auto type) {
    print_array(out, std::as_const(value.object_as<Array<typename decltype(type)::type>>()));
  });
}

void print_number(ostream& out, const Val& value) {
  visit_number(value.tag, [&](auto type) {
    using T = typename decltype(type)::type;
    out << number_text(static_cast<T>(value));
  });
}

}  // namespace
}  // namespace detail

ostream& operator<<(ostream& out, const Val& value) {
  switch (value.tag) {
    case 'Z':
      return out << "None";
    case 'a':
      detail::print_text(out, value.contents().text);
      return out;
    case 't':
      return out << value.object_as<Tab>();
    case 'o':
      return out << value.object_as<OTab>();
    case 'u':
      return out << value.object_as<Tup>();
    case 'q':
      return out << *value.contents().big << 'L';
    case 'Q':
      return out << *value.contents().big_unsigned << 'L';
    case 'n':
      if (value.subtype == 'Z') return out << value.object_as<Arr>();
      detail::print_array_in(out, value);
      return out;
    default:
      detail::print_number(out, value);
      return out;
  }
}

ostream& operator<<(ostream& out, const Tab& table) {
  detail::print_table(out, table);
  return out;
}
ostream& operator<<(ostream& out, const OTab& table) {
  detail::print_ordered(out, table);
  return out;
}
ostream& operator<<(ostream& out, const Tup& tuple) {
  detail::print_elements(out, tuple.elements(), "()");
  return out;
}
ostream& operator<<(ostream& out, const Array<Val>& list) {
  detail::print_elements(out, list, "[]");
  return out;
}

template <class T, std::enable_if_t<detail::kNumberTag<T> != 0, int>>
ostream& operator<<(ostream& out, const Array<T>& array) {
  detail::print_array(out, array);
  return out;
}
template <class T>
ostream& operator<<(ostream& out, const cx_t<T>& number) {
  return out << detail::number_text(number);
}

#define OC_DETAIL_PRINTABLE(...)                                           \
  template ostream& operator<<(ostream&, const Array<__VA_ARGS__>&);       \
  template ostream& operator<<(ostream&, const Array<cx_t<__VA_ARGS__>>&); \
  template ostream& operator<<(ostream&, const cx_t<__VA_ARGS__>&);
OC_DETAIL_PRINTABLE(int_1)
OC_DETAIL_PRINTABLE(int_u1)
OC_DETAIL_PRINTABLE(int_2)
OC_DETAIL_PRINTABLE(int_u2)
OC_DETAIL_PRINTABLE(int_4)
OC_DETAIL_PRINTABLE(int_u4)
OC_DETAIL_PRINTABLE(int_8)
OC_DETAIL_PRINTABLE(int_u8)
OC_DETAIL_PRINTABLE(real_4)
OC_DETAIL_PRINTABLE(real_8)
#undef OC_DETAIL_PRINTABLE
template ostream& operator<<(ostream&, const Array<bool>&);
template ostream& operator<<(ostream&, const Array<char>&);
template ostream& operator<<(ostream&, const Array<long long>&);
template ostream& operator<<(ostream&, const Array<unsigned long long>&);

}  // namespace OC
