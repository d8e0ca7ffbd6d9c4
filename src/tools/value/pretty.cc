#include "tools/value/pretty.h"

#include <algorithm>

#include "borders/whole_number.h"
#include "borders/write.h"
#include "tools/print/format.h"
#include "tools/print/text.h"
#include "tools/value/array_summary.h"

namespace tarn::tools {
namespace {

bool is_container(const ValueView& value) {
  const ValueType type = value.type();
  return type == ValueType::table || type == ValueType::list || type == ValueType::tuple;
}

// The text's beginning, in whole characters, and how much is left out.
std::string quoted(std::string_view text, std::size_t most) {
  std::size_t end = std::min(text.size(), most);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  std::string out = '"' + printable(text.substr(0, end)) + '"';
  if (end < text.size()) out += " and " + format_size(text.size() - end) + " more";
  return out;
}

std::string bytes_text(std::span<const std::byte> bytes, std::size_t most) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "bytes[" + std::to_string(bytes.size()) + "]";
  for (std::size_t i = 0; i < std::min(bytes.size(), most); ++i) {
    const auto byte = std::to_integer<std::size_t>(bytes[i]);
    out += i == 0 ? ": " : " ";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xF];
  }
  return bytes.size() > most ? out + " ..." : out;
}

std::string_view kind_of_reference(const ReferenceView& reference) {
  return reference.kind == 1 ? "a message" : reference.kind == 2 ? "a blob" : "something unknown";
}

class Printer {
 public:
  Printer(const Style& style, PrettyOptions options) : style_(style), options_(options) {}

  void print(const ValueView& value) {
    if (is_container(value) && !value.empty()) {
      print_entries(value, 0);
    } else {
      out_ += one_line(value) + '\n';
    }
  }
  std::string take() { return std::move(out_); }

  std::string one_line(const ValueView& value) const {
    switch (value.type()) {
      case ValueType::text:
        return style_.paint(Paint::green, quoted(value.text(), options_.most_bytes));
      case ValueType::bytes:
        return style_.paint(Paint::dim, bytes_text(value.bytes(), 16));
      case ValueType::array:
        return style_.paint(Paint::yellow, array_summary(value, options_.most_elements));
      case ValueType::table:
      case ValueType::list:
      case ValueType::tuple:
        return style_.paint(
            Paint::dim, std::string(name_of(value.type())) + " of " + format_count(value.size()));
      case ValueType::big_integer:
        return borders::text_of(value.big_integer());
      case ValueType::reference:
        return style_.paint(Paint::dim,
                            "reference to " + std::string(kind_of_reference(value.reference())));
      default:
        return scalar(value);
    }
  }

 private:
  static std::string scalar(const ValueView& value) {
    if (value.type() == ValueType::complex) {
      const std::string tagged = borders::to_text(value, borders::Format::json);
      const auto begin = tagged.find('[');
      return '(' + tagged.substr(begin + 1, tagged.rfind(']') - begin - 1) + ')';
    }
    const auto real = value.try_as<double>();
    if (real && (*real != *real || *real - *real != 0)) {
      return *real != *real ? "nan" : *real > 0 ? "inf" : "-inf";
    }
    return borders::to_text(value, borders::Format::json);
  }
  void print_entries(const ValueView& container, std::size_t level) {
    std::size_t count = 0;
    const auto step = [&](const std::string& label, const ValueView& value) {
      if (++count > options_.most_entries) return false;
      out_.append(2 * level, ' ');
      out_ += label;
      if (is_container(value) && !value.empty()) {
        out_ += style_.paint(Paint::dim, ' ' + std::string(name_of(value.type())) + " of " +
                                             format_count(value.size()));
        out_ += '\n';
        print_entries(value, level + 1);
      } else {
        out_ += ' ' + one_line(value) + '\n';
      }
      return true;
    };
    for (const auto [key, value] : container.entries()) {
      const std::string name =
          key.type() == ValueType::text ? printable(key.text()) : one_line(key);
      if (!step(style_.paint(Paint::bold, name) + ':', value)) break;
    }
    for (const ValueView element : container.elements()) {
      if (!step("-", element)) break;
    }
    if (count > options_.most_entries) {
      out_.append(2 * level, ' ');
      out_ += style_.paint(
          Paint::dim, "... " + format_count(container.size() - options_.most_entries) + " more");
      out_ += '\n';
    }
  }

  const Style& style_;
  PrettyOptions options_;
  std::string out_;
};

}  // namespace

std::string pretty(const ValueView& value, const Style& style, PrettyOptions options) {
  // Links that lead in circles would be followed for long.
  value.check();
  Printer printer(style, options);
  printer.print(value);
  return printer.take();
}

std::string summary_of(const ValueView& value, PrettyOptions options) {
  return Printer(Style(false), options).one_line(value);
}

}  // namespace tarn::tools
