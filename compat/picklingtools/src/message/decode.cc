// decode.cc - from a received message to Vals: what is asked for, when it is asked for.
#include "message/message_source.h"

namespace OC {
namespace detail {

namespace {

using tarn::ValueType;
using tarn::ValueView;

// What no sender of good will nests more deeply than tarn allows.
constexpr int kDeepest = 1000;

SourceRef source_at(Hold* hold, const ValueView& view, int depth) {
  if (depth > kDeepest) throw runtime_error("A received value is nested too deeply");
  Source* source = new Source(hold, view, depth);
  retain(hold);
  return SourceRef(source);
}

Val text_in(const ValueView& view, char subtype) {
  const std::span<const std::byte> bytes = view.bytes();
  Val made = Str(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  made.subtype = subtype;
  return made;
}

Val reference_at(const ValueView& view) {
  Val made = text_of_reference(view.reference());
  made.subtype = kReference;
  return made;
}

int_n big_in(const ValueView& view) {
  const tarn::BigIntegerView number = view.big_integer();
  Whole whole;
  whole.negative = number.negative;
  whole.words.resize((number.magnitude.size() + 3) / 4);
  for (std::size_t i = 0; i < number.magnitude.size(); ++i) {
    whole.words[i / 4] |= std::to_integer<std::uint32_t>(number.magnitude[i]) << (i % 4 * 8);
  }
  while (!whole.words.empty() && whole.words.back() == 0) whole.words.pop_back();
  return int_n(std::move(whole));
}

// Parts of 64 bits come as a marked tuple of ours; as a complex number only from other programs,
// and then they must not be larger than a double can say.
Val complex_in(const ValueView& view) {
  const ValueType part = view.element_type().number;
  if (part == ValueType::float32) return Val(complex_8(view.as<std::complex<float>>()));
  const auto number = view.as<std::complex<double>>();
  if (part == ValueType::float64) return Val(complex_16(number));
  Val made;
  visit_number(tag_of({part, true}), [&](auto type) {
    using T = typename decltype(type)::type;
    if constexpr (!std::is_arithmetic_v<T>) made = Val(T(complex_16(number)));
  });
  return made;
}

// --- arrays -------------------------------------------------------------------------------------

template <class T>
Val array_at(Hold* hold, const ValueView& view, const T* elements, std::size_t count, int depth) {
  const auto length = static_cast<int_ptr>(count);
  if constexpr (std::is_same_v<T, bool>) {
    // Another process's byte need not be 0 or 1, which is all that a bool may be.
    const auto* bytes = reinterpret_cast<const unsigned char*>(elements);
    Array<bool> copied(length);
    for (std::size_t i = 0; i < count; ++i) copied.append(bytes[i] != 0);
    return Val(copied);
  } else {
    return Val::of_object(new Array<T>(source_at(hold, view, depth), elements, length), 'n',
                          kNumberTag<T>);
  }
}

// Of several dimensions: a list of rows.
template <class T>
Val rows_at(Hold* hold, const ValueView& view, const T* elements,
            std::span<const std::size_t> shape, int depth) {
  if (shape.size() == 1) return array_at(hold, view, elements, shape[0], depth);
  std::size_t row = 1;
  for (const std::size_t extent : shape.subspan(1)) row *= extent;
  // Rows without elements could be any number of them.
  if (row == 0) return Val(Arr());
  Arr rows(static_cast<int_ptr>(shape[0]));
  for (std::size_t i = 0; i < shape[0]; ++i) {
    rows.append(rows_at(hold, view, elements + i * row, shape.subspan(1), depth));
  }
  rows.set_rows_of(source_at(hold, view, depth));
  return Val(std::move(rows));
}

Val array_in_view(Hold* hold, const ValueView& view, int depth) {
  const char tag = tag_of(view.element_type());
  const std::span<const std::byte> bytes = view.array_bytes();
  const std::vector<std::size_t> shape = view.shape();
  Val made;
  const bool known = visit_number(tag, [&](auto type) {
    using T = typename decltype(type)::type;
    made = rows_at(hold, view, reinterpret_cast<const T*>(bytes.data()), shape, depth);
  });
  if (!known) throw runtime_error("A received array has elements that no Array has");
  return made;
}

// --- containers ---------------------------------------------------------------------------------

// The mark that a tuple of ours begins with, empty for all others.
std::string_view mark_of(const ValueView& tuple) {
  if (tuple.size() < 2 || tuple[0].type() != ValueType::bytes) return {};
  const std::span<const std::byte> bytes = tuple[0].bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Val table_at(Hold* hold, const ValueView& view, bool in_order, int depth) {
  if (in_order) return Val::of_object(new OTab(source_at(hold, view, depth)), 'o', 'Z');
  return Val::of_object(new Tab(source_at(hold, view, depth)), 't', 'Z');
}

Val tuple_at(Hold* hold, const ValueView& view, int depth) {
  const std::string_view mark = mark_of(view);
  if (mark == kPairs && view.size() == 3) {
    return table_at(hold, view, view[1].as<bool>(), depth);
  }
  if (mark == kUnsigned) return Val(int_un(big_in(view[1])));
  if (mark == kComplex && view.size() == 3) {
    if (view[1].type() == ValueType::uint64) {
      return Val(cx_t<int_u8>(view[1].as<int_u8>(), view[2].as<int_u8>()));
    }
    return Val(cx_t<int_8>(view[1].as<int_8>(), view[2].as<int_8>()));
  }
  return Val::of_object(new Tup(source_at(hold, view, depth)), 'u', 'Z');
}

Val decoded_at(Hold* hold, const ValueView& view, int depth) {
  switch (view.type()) {
    case ValueType::none:
      return Val();
    case ValueType::boolean:
      return Val(view.as<bool>());
    case ValueType::int8:
      return Val(view.as<int_1>());
    case ValueType::uint8:
      return Val(view.as<int_u1>());
    case ValueType::int16:
      return Val(view.as<int_2>());
    case ValueType::uint16:
      return Val(view.as<int_u2>());
    case ValueType::int32:
      return Val(view.as<int_4>());
    case ValueType::uint32:
      return Val(view.as<int_u4>());
    case ValueType::int64:
      return Val(view.as<int_8>());
    case ValueType::uint64:
      return Val(view.as<int_u8>());
    case ValueType::float32:
      return Val(view.as<real_4>());
    case ValueType::float64:
      return Val(view.as<real_8>());
    case ValueType::complex:
      return complex_in(view);
    case ValueType::big_integer:
      return Val(big_in(view));
    case ValueType::text:
      return text_in(view, 'Z');
    case ValueType::bytes:
      return text_in(view, kBytes);
    case ValueType::reference:
      return reference_at(view);
    case ValueType::table:
      return table_at(hold, view, view.order_matters(), depth);
    case ValueType::list:
      return Val::of_object(new Arr(source_at(hold, view, depth)), 'n', 'Z');
    case ValueType::tuple:
      return tuple_at(hold, view, depth);
    case ValueType::array:
      return array_in_view(hold, view, depth);
    default:
      throw runtime_error("A received value holds a " + std::string(name_of(view.type())) +
                          ", which no Val can be");
  }
}

// Keys have lost the width of their integers: they are int_4 where that holds them.
Val decoded_key(Hold* hold, const ValueView& view, int depth) {
  Val key = decoded_at(hold, view, depth);
  if (key.tag == 'x') {
    const int_8 number = key.contents().integers[0];
    if (number == static_cast<int_4>(number)) return Val(static_cast<int_4>(number));
  }
  return key;
}

// What is worth the same is one key here; the later entry holds.
void fill_entry(Table& table, Val&& key, Val&& value) {
  Entry* there = table.find_entry(key);
  (there != nullptr ? *there : table.add(std::move(key))).value = std::move(value);
}

// What the making of one container spends; given back when it comes to nothing, for it may be tried
// again when there is memory.
class Spending {
 public:
  explicit Spending(Hold* hold) : hold_(hold) {}
  ~Spending() { hold_->give_back(cells_); }
  Spending(const Spending&) = delete;
  Spending& operator=(const Spending&) = delete;
  void spend(std::size_t cells) {
    hold_->spend(cells);
    cells_ = cells;
  }
  void keep() noexcept { cells_ = 0; }

 private:
  Hold* const hold_;
  std::size_t cells_ = 0;
};

void fill(Table& table, const Source& source, Spending& spending) {
  Hold* const hold = source.hold;
  const int depth = source.depth + 1;
  if (source.view.type() == ValueType::tuple) {
    const ValueView pairs = source.view[2];
    const std::size_t count = pairs.size();
    spending.spend(count);
    for (std::size_t i = 0; i + 1 < count; i += 2) {
      fill_entry(table, decoded_at(hold, pairs[i], depth), decoded_at(hold, pairs[i + 1], depth));
    }
    return;
  }
  const std::size_t count = source.view.size();
  spending.spend(2 * count);
  // The first entries of the whole message have their place beside it.
  Reception& reception = static_cast<Reception&>(*hold);
  const bool is_root = &source == &reception.source;
  if (is_root && count <= Reception::kEntries && reception.takes_entries()) {
    table.lend(reception.entries, sizeof reception.entries);
  } else {
    table.reserve(static_cast<int_ptr>(count));
  }
  for (const auto& [key, value] : source.view.entries()) {
    fill_entry(table, decoded_key(hold, key, depth), decoded_at(hold, value, depth));
  }
}

void fill(Array<Val>& list, const Source& source, Spending& spending) {
  const std::size_t count = source.view.size();
  spending.spend(count);
  list.resize(static_cast<int_ptr>(count));
  for (const ValueView element : source.view.elements()) {
    list.append(decoded_at(source.hold, element, source.depth + 1));
  }
}

// Every read is checked, so that nothing has to be looked through before.
template <class Container>
Container unpacked(const Source& source) {
  Spending spending(source.hold);
  Container filled;
  try {
    fill(filled, source, spending);
  } catch (const tarn::Error& error) {
    throw runtime_error(std::string("A received value makes no sense: ") + error.what());
  }
  spending.keep();
  return filled;
}

}  // namespace

// The process first: in a child, a thread of the parent's may be at it for ever.
void unpack(Table& table) {
  check_process(table.source_.get());
  if (!table.waiting_.is_mine()) return;
  try {
    Table filled = unpacked<Table>(*table.source_.get());
    table.take_entries(filled);
  } catch (...) {
    table.waiting_.give_up();
    throw;
  }
  table.waiting_.done();
}

void unpack(Array<Val>& list) {
  check_process(list.source_.get());
  if (!list.waiting_.is_mine()) return;
  try {
    Array<Val> filled = unpacked<Array<Val>>(*list.source_.get());
    list.take_elements(filled);
  } catch (...) {
    list.waiting_.give_up();
    throw;
  }
  list.waiting_.done();
}

Val decoded(Hold* hold, const tarn::ValueView& view) { return decoded_at(hold, view, 0); }
Val decoded_scalar(const tarn::ValueView& view, bool is_key) {
  return is_key ? decoded_key(nullptr, view, 0) : decoded_at(nullptr, view, 0);
}

}  // namespace detail
}  // namespace OC
