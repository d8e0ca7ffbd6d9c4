// encode.cc - a Val as one tarn::Value: written once, where it will be read.
#include <cmath>
#include <cstring>

#include "message/message_source.h"

namespace OC {
namespace detail {
namespace {

using tarn::ValueRef;
using tarn::ValueType;

// A shared container that is being gone through; those around it are its outer ones.
struct Open {
  const ProxyBody* body;
  const Open* outer;
};

bool is_open(const ProxyBody* body, const Open* open) {
  while (open != nullptr && open->body != body) open = open->outer;
  return open != nullptr;
}

// What stands in the message, to be copied out of it.
const tarn::ValueView& view_in(const SourceRef& source) {
  source.get()->hold->check_process();
  return source.get()->view;
}

class Encoder {
 public:
  void write(const Val& value, ValueRef place) {
    if (value.isproxy) {
      write_shared(value, place);
    } else {
      write_here(value, place);
    }
  }

 private:
  // What several Vals share may contain itself.
  void write_shared(const Val& value, ValueRef place) {
    Open frame{value.contents().body, open_};
    if (is_open(frame.body, open_)) {
      throw logic_error("A container that contains itself cannot be enqueued");
    }
    open_ = &frame;
    write_here(value, place);
    open_ = frame.outer;
  }

  void write_here(const Val& value, ValueRef place) {
    switch (value.tag) {
      case 'Z':
        place = nullptr;
        return;
      case 'a':
        write_text(value, place);
        return;
      case 'q':
        write_big(value.contents().big->whole(), place);
        return;
      case 'Q':
        place.make_tuple(2);
        write_mark(kUnsigned, place);
        write_big(value.contents().big_unsigned->whole(), place.append());
        return;
      case 't':
        write_table(value.object_as<Tab>(), false, place);
        return;
      case 'o':
        write_table(value.object_as<OTab>(), true, place);
        return;
      case 'u':
        write_elements(value.object_as<Tup>().elements(), true, place);
        return;
      case 'n':
        write_array(value, place);
        return;
      default:
        write_number(value, place);
        return;
    }
  }

  static void write_mark(std::string_view mark, ValueRef tuple) {
    tuple.append().set_bytes(std::as_bytes(std::span(mark.data(), mark.size())));
  }

  static void write_text(const Val& value, ValueRef place) {
    const Str& text = value.contents().text;
    if (value.subtype == kReference) {
      place.set_reference(reference_in(text));
      return;
    }
    if (value.subtype == kBytes) {
      place.set_bytes(std::as_bytes(std::span(text.data(), text.size())));
      return;
    }
    try {
      place = std::string_view(text);
    } catch (const tarn::Error& error) {
      if (error.code() != tarn::Error::invalid_argument) throw;
      place.set_bytes(std::as_bytes(std::span(text.data(), text.size())));  // not UTF-8
    }
  }

  static void write_big(const Whole& whole, ValueRef place) {
    std::vector<std::byte> magnitude;
    for (const std::uint32_t word : whole.words) {
      for (int shift = 0; shift < 32; shift += 8) magnitude.push_back(std::byte(word >> shift));
    }
    while (!magnitude.empty() && magnitude.back() == std::byte{0}) magnitude.pop_back();
    place.set_big_integer({whole.negative, magnitude});
  }

  static void write_number(const Val& value, ValueRef place) {
    visit_number(value.tag, [&](auto type) {
      using T = typename decltype(type)::type;
      if constexpr (std::is_arithmetic_v<T>) {
        place = static_cast<T>(value);
      } else {
        write_complex(static_cast<T>(value), place);
      }
    });
  }
  template <class T>
  static void write_complex(const cx_t<T>& number, ValueRef place) {
    if constexpr (std::is_floating_point_v<T>) {
      place = std::complex<T>(number);
    } else if constexpr (sizeof(T) == 8) {
      // A reader could not get at all 64 bits of a complex number's parts.
      place.make_tuple(3);
      write_mark(kComplex, place);
      place.append() = number.re;
      place.append() = number.im;
    } else {
      const auto bits = [](T part) {
        return static_cast<std::uint64_t>(static_cast<std::uint32_t>(part));
      };
      place.set_complex(element_type_of(kNumberTag<cx_t<T>>).number, bits(number.re),
                        bits(number.im));
    }
  }

  // --- containers -------------------------------------------------------------------------------

  // Whether a table of tarn's may have it.
  static bool is_plain_key(const Val& key) {
    switch (key.tag) {
      case 'f':
      case 'd':
        return !std::isnan(key.contents().reals[0]);
      case 't':
      case 'o':
      case 'u':
      case 'n':
        return false;
      default:
        return std::string_view("FDcCeEgGhHQ").find(key.tag) == std::string_view::npos;
    }
  }

  ValueRef place_of(const Val& key, ValueRef table) {
    if (key.tag == 'a' && key.subtype != kBytes && key.subtype != kReference) {
      try {
        return table[std::string_view(key.contents().text)];
      } catch (const tarn::Error& error) {
        if (error.code() != tarn::Error::invalid_argument) throw;
      }
    } else if (key.tag != 'X' && key.tag != 'b' && kIntegers.find(key.tag) != Str::npos) {
      return table.entry_of_number(key.contents().integers[0]);
    }
    // Any other key is said by a value of its own.
    tarn::Value spoken;
    write_here(key, spoken.root());
    return table.entry(spoken.view());
  }
  static constexpr std::string_view kIntegers = "sSiIlLx";

  void write_table(const Table& table, bool in_order, ValueRef place) {
    if (table.is_untouched()) {
      place = view_in(table.source());
      return;
    }
    for (const Entry* entry = table.first(); entry != nullptr; entry = entry->next) {
      if (!is_plain_key(entry->key)) {
        write_pairs(table, in_order, place);
        return;
      }
    }
    place.make_table(static_cast<std::size_t>(table.entries()), in_order);
    for (const Entry* entry = table.first(); entry != nullptr; entry = entry->next) {
      write(entry->value, place_of(entry->key, place));
    }
  }

  void write_pairs(const Table& table, bool in_order, ValueRef place) {
    place.make_tuple(3);
    write_mark(kPairs, place);
    place.append() = in_order;
    ValueRef pairs = place.append();
    pairs.make_list(static_cast<std::size_t>(2 * table.entries()));
    for (const Entry* entry = table.first(); entry != nullptr; entry = entry->next) {
      write(entry->key, pairs.append());
      write(entry->value, pairs.append());
    }
  }

  void write_elements(const Array<Val>& list, bool is_tuple, ValueRef place) {
    if (list.is_untouched()) {
      place = view_in(list.source());
      return;
    }
    const Source* const source = list.source().get();
    if (source != nullptr && source->hold->is_of_this_process() &&
        is_whole_array(list, source->view)) {
      place = source->view;
      return;
    }
    const auto count = static_cast<std::size_t>(list.length());
    is_tuple ? place.make_tuple(count) : place.make_list(count);
    for (const Val& element : list) write(element, place.append());
  }

  void write_array(const Val& value, ValueRef place) {
    if (value.subtype == 'Z') {
      write_elements(value.object_as<Arr>(), false, place);
      return;
    }
    visit_number(value.subtype, [&](auto type) {
      using T = typename decltype(type)::type;
      const Array<T>& array = value.object_as<Array<T>>();
      const std::size_t count = static_cast<std::size_t>(array.length());
      const std::span<std::byte> elements =
          place.array_of(element_type_of(value.subtype), std::span(&count, 1));
      if (count != 0) std::memcpy(elements.data(), array.data(), elements.size());
    });
  }

  const Open* open_ = nullptr;
};

constexpr std::size_t kHeader = 48;     // before the first block
constexpr std::size_t kContainer = 32;  // before its entries
constexpr std::size_t kArray = 128;     // before its elements, with alignment

// Adds up how many bytes a value needs. A guess saves a copy, and no more: it ends after so many
// parts, and at a container inside itself.
class Measure {
 public:
  std::size_t bytes = kHeader;

  void add(const Val& value) {
    if (--parts_left_ < 0) return;
    if (!value.isproxy) {
      add_here(value);
      return;
    }
    Open frame{value.contents().body, open_};
    if (is_open(frame.body, open_)) return;
    open_ = &frame;
    add_here(value);
    open_ = frame.outer;
  }

 private:
  static constexpr std::size_t kUntouched = 256;  // as good a guess as any

  void add_here(const Val& value) {
    switch (value.tag) {
      case 'a': {
        const std::size_t size = value.contents().text.size();
        if (size > 14) bytes += (8 + size + 15) / 16 * 16;
        return;
      }
      case 't':
        add_table(value.object_as<Tab>());
        return;
      case 'o':
        add_table(value.object_as<OTab>());
        return;
      case 'u':
        add_elements(value.object_as<Tup>().elements());
        return;
      case 'n':
        if (value.subtype == 'Z') {
          add_elements(value.object_as<Arr>());
        } else {
          add_array(value);
        }
        return;
      case 'q':
      case 'Q':
      case 'D':
      case 'h':
      case 'H':
        bytes += 96;
        return;
      default:
        return;
    }
  }
  void add_table(const Table& table) {
    if (table.is_untouched()) {
      bytes += kUntouched;
      return;
    }
    const auto count = static_cast<std::size_t>(table.entries());
    bytes += kContainer + 32 * count + (count > 8 ? 16 * count : 0);
    for (const Entry* entry = table.first(); entry != nullptr && parts_left_ > 0;
         entry = entry->next) {
      add(entry->key);
      add(entry->value);
    }
  }
  void add_elements(const Array<Val>& list) {
    if (list.is_untouched()) {
      bytes += kUntouched;
      return;
    }
    bytes += kContainer + 16 * static_cast<std::size_t>(list.length());
    for (int_ptr i = 0; i < list.length() && parts_left_ > 0; ++i) add(list(i));
  }
  void add_array(const Val& value) {
    bytes += kArray;
    visit_number(value.subtype, [&](auto type) {
      bytes += static_cast<std::size_t>(value.length()) * sizeof(typename decltype(type)::type);
    });
  }

  int parts_left_ = 10000;
  const Open* open_ = nullptr;
};

}  // namespace

std::size_t expected_bytes(const Val& value) {
  Measure measure;
  measure.add(value);
  return measure.bytes;
}

void encode(const Val& value, tarn::ValueRef place) { Encoder().write(value, place); }

}  // namespace detail
}  // namespace OC
