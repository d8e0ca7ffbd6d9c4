#include "tools/value/pretty.h"

#include <algorithm>
#include <cctype>
#include <vector>

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

// More of them are not printed: links that were turned into circles while we look.
constexpr std::size_t kMostLevels = 1000;

// What stands in quotes is told from other things by its quotes and backslashes alone.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char each : text) {
    if (each == '"' || each == '\\') out += '\\';
    out += each;
  }
  return out;
}

// The text's beginning, in whole characters, and how much is left out. `foreign` is copied before
// it is looked at, since its maker may write on.
std::string quoted(std::string_view foreign, std::size_t most) {
  std::size_t end = std::min(foreign.size(), most);
  const std::string text(foreign.substr(0, std::min(foreign.size(), most + 1)));
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  std::string out = '"' + printable(escaped(text.substr(0, end))) + '"';
  if (end < foreign.size()) out += " and " + format_size(foreign.size() - end) + " more";
  return out;
}

// A key of letters, digits, blanks and the like that no other key is printed as.
bool is_plain(std::string_view key) noexcept {
  constexpr std::string_view kNames[] = {"null", "true", "false", "nan", "inf"};
  const auto is_common = [](char each) {
    const auto byte = static_cast<unsigned char>(each);
    return byte >= 0x80 || std::isalnum(byte) != 0 || each == '_' || each == '-' || each == '.' ||
           each == ' ' || each == '/' || each == '$';
  };
  if (key.empty() || !std::ranges::all_of(key, is_common)) return false;
  const auto first = static_cast<unsigned char>(key.front());
  if (std::isdigit(first) != 0 || first == '-' || first == ' ' || key.back() == ' ') return false;
  return std::ranges::find(kNames, key) == std::end(kNames);
}

std::string key_text(std::string_view foreign, std::size_t most) {
  const std::string text(foreign.substr(0, most));
  if (foreign.size() > most || !is_plain(text) || printable(text) != text) {
    return quoted(foreign, most);
  }
  return text;
}

// Two digits for each byte.
std::string hexadecimal(std::span<const std::byte> bytes, std::string_view between) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const std::byte each : bytes) {
    const auto byte = std::to_integer<std::size_t>(each);
    if (!out.empty()) out += between;
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xF];
  }
  return out;
}

// All of it when it is short, else its most significant digits and its size.
std::string big_integer_text(const BigIntegerView& number) {
  if (borders::is_short(number)) return borders::text_of(number);
  constexpr std::size_t kShown = 16;
  const std::size_t left_out = number.magnitude.size() - kShown;
  std::string digits = number.negative ? "-0x" : "0x";
  const auto shown = number.magnitude.last(kShown);
  const std::vector<std::byte> first(shown.rbegin(), shown.rend());
  digits += hexadecimal(first, "");
  return digits + "... and " + format_count(2 * left_out) + " hexadecimal digits more";
}

std::string bytes_text(std::span<const std::byte> bytes, std::size_t most) {
  std::string out = "bytes[" + std::to_string(bytes.size()) + "]";
  if (!bytes.empty()) out += ": ";
  return out + hexadecimal(bytes.first(std::min(bytes.size(), most)), " ") +
         (bytes.size() > most ? " ..." : "");
}

std::string_view kind_of_reference(const ReferenceView& reference) {
  return reference.kind == 1 ? "a message" : reference.kind == 2 ? "a blob" : "something unknown";
}

class Printer {
 public:
  Printer(const Style& style, PrettyOptions options, std::size_t bytes_in_all)
      : style_(style), options_(options), parts_left_(bytes_in_all / 16 + 1) {}

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
        return big_integer_text(value.big_integer());
      case ValueType::reference:
        return style_.paint(Paint::dim,
                            "reference to " + std::string(kind_of_reference(value.reference())));
      default:
        return scalar(value);
    }
  }

 private:
  // The parts that the whole can have; there are more only while its maker writes on.
  void charge() {
    if (parts_left_-- > 0) return;
    throw Error(Error::corrupt, "show a value", "parts of it are used more than once",
                "mend the program that made it");
  }
  std::string scalar(const ValueView& value) const {
    if (value.type() == ValueType::complex) {
      const std::string tagged = borders::to_text(value, borders::Format::json);
      const auto begin = tagged.find('[');
      return '(' + tagged.substr(begin + 1, tagged.rfind(']') - begin - 1) + ')';
    }
    if (value.type() > ValueType::reference) {
      return style_.paint(Paint::dim, "something of type " +
                                          std::to_string(static_cast<int>(value.type())) +
                                          ", which a newer tarn wrote");
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
      charge();
      out_.append(2 * level, ' ');
      out_ += label;
      if (is_container(value) && !value.empty() && level < kMostLevels) {
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
          key.type() == ValueType::text ? key_text(key.text(), options_.most_bytes) : one_line(key);
      if (!step(style_.paint(Paint::bold, name) + ':', value)) break;
    }
    for (const ValueView element : container.elements()) {
      if (!step("-", element)) break;
    }
    const std::size_t size = container.size();
    if (count > options_.most_entries && size > options_.most_entries) {
      out_.append(2 * level, ' ');
      out_ +=
          style_.paint(Paint::dim, "... " + format_count(size - options_.most_entries) + " more");
      out_ += '\n';
    }
  }

  const Style& style_;
  PrettyOptions options_;
  std::size_t parts_left_;
  std::string out_;
};

}  // namespace

std::string pretty(const ValueView& value, const Style& style, PrettyOptions options) {
  // Links that lead in circles would be followed for long.
  value.check();
  Printer printer(style, options, value.bytes_in_all());
  printer.print(value);
  return printer.take();
}

std::string PrettySequence::next(const ValueView& value) {
  std::string text = pretty(value, style_);
  const bool is_line = !is_container(value) || value.empty();
  const bool is_apart = before_ == Before::lines || (before_ == Before::line && !is_line);
  before_ = is_line ? Before::line : Before::lines;
  return is_apart ? '\n' + text : text;
}

std::string summary_of(const ValueView& value, PrettyOptions options) {
  const Style plain(false);
  return Printer(plain, options, value.bytes_in_all()).one_line(value);
}

}  // namespace tarn::tools
