// decode.cc - from a received message to Vals: what is asked for, when it is asked for.
#include <mutex>

#include "message/message_source.h"
#include "val/counted.h"

namespace OC {
namespace detail {

void retain(Hold* hold) noexcept { add_one(hold->references); }
void release(Hold* hold) noexcept {
  if (drop_one(hold->references)) delete hold;
}
void retain(const Source* source) noexcept { add_one(source->references); }
void release(const Source* source) noexcept {
  if (drop_one(source->references)) delete source;
}

namespace {

using tarn::ValueType;
using tarn::ValueView;

// What no sender of good will nests more deeply than tarn allows.
constexpr int kDeepest = 1000;

SourceRef source_at(Hold* hold, const ValueView& view, int depth) {
  if (depth > kDeepest) throw runtime_error("A received value is nested too deeply");
  return SourceRef(new Source(hold, view, depth));
}

Str text_in(const ValueView& view) {
  const std::span<const std::byte> bytes = view.bytes();
  return Str(reinterpret_cast<const char*>(bytes.data()), bytes.size());
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
    case ValueType::complex:
      return complex_in(view);
    case ValueType::big_integer:
      return Val(big_in(view));
    case ValueType::text:
    case ValueType::bytes:
      return Val(text_in(view));
    case ValueType::table:
      return table_at(hold, view, view.order_matters(), depth);
    case ValueType::list:
      return Val::of_object(new Arr(source_at(hold, view, depth)), 'n', 'Z');
    case ValueType::tuple:
      return tuple_at(hold, view, depth);
    case ValueType::array:
      return array_in_view(hold, view, depth);
    default:
      break;
  }
  Val made;
  const bool known = visit_number(tag_of({view.type(), false}), [&](auto type) {
    using T = typename decltype(type)::type;
    if constexpr (std::is_arithmetic_v<T>) made = Val(view.as<T>());
  });
  if (!known) {
    throw runtime_error("A received value holds a " + std::string(name_of(view.type())) +
                        ", which no Val can be");
  }
  return made;
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

void fill(Table& table, const Source& source) {
  const int depth = source.depth + 1;
  if (source.view.type() == ValueType::tuple) {
    const ValueView pairs = source.view[2];
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
      const Val key = decoded_at(source.hold, pairs[i], depth);
      table[key] = decoded_at(source.hold, pairs[i + 1], depth);
    }
    return;
  }
  table.reserve(static_cast<int_ptr>(source.view.size()));
  for (const auto& [key_view, value_view] : source.view.entries()) {
    Val key = decoded_key(source.hold, key_view, depth);
    const size_t hash = hash_of(key);
    table.add(std::move(key), hash).value = decoded_at(source.hold, value_view, depth);
  }
}

void fill(Array<Val>& list, const Source& source) {
  list.expandTo(static_cast<int_ptr>(source.view.size()));
  for (const ValueView element : source.view.elements()) {
    list.append(decoded_at(source.hold, element, source.depth + 1));
  }
}

// One thread unpacks a container; containers share a few mutexes.
std::mutex& mutex_of(const Source* source) {
  static std::array<std::mutex, 16> mutexes;
  return mutexes[(reinterpret_cast<std::uintptr_t>(source) >> 6) % mutexes.size()];
}

template <class Container>
Container unpacked(const Source& source) {
  Container filled;
  try {
    // Looked through once, before anything of it is followed: what goes round in circles, or is too
    // deep, ends here. Each read is checked all the same.
    if (source.depth == 0) source.view.check();
    fill(filled, source);
  } catch (const tarn::Error& error) {
    throw runtime_error(std::string("A received value makes no sense: ") + error.what());
  }
  return filled;
}

}  // namespace

void unpack(Table& table) {
  const std::scoped_lock lock(mutex_of(table.source_.get()));
  if (!table.waiting_.get()) return;
  Table filled = unpacked<Table>(*table.source_.get());
  filled.source_ = table.source_;
  table.swap(filled);  // `waiting_` comes last
}

void unpack(Array<Val>& list) {
  const std::scoped_lock lock(mutex_of(list.source_.get()));
  if (!list.waiting_.get()) return;
  Array<Val> filled = unpacked<Array<Val>>(*list.source_.get());
  filled.source_ = list.source_;
  list.swap(filled);
}

Val decoded_scalar(const tarn::ValueView& view, bool is_key) {
  return is_key ? decoded_key(nullptr, view, 0) : decoded_at(nullptr, view, 0);
}

namespace {

bool stands_alone(ValueType type) {
  return type != ValueType::table && type != ValueType::list && type != ValueType::tuple &&
         type != ValueType::array;
}

Val as_proxy(Hold* hold, Val made) {
  if (made.object() == nullptr) return made;
  auto* body = new ProxyBody(made.object(), made.tag, made.subtype);
  body->is_shared = true;
  body->has_lock = true;
  body->whole = hold;
  retain(hold);
  const char tag = made.tag;
  const char subtype = made.subtype;
  made.tag = 'Z';  // the body has it now
  return Val::of_body(body, tag, subtype);
}

}  // namespace

Val received(tarn::Message&& message) {
  try {
    const auto view = message.try_value();
    if (!view) return Val(Str(message.text()));
    if (stands_alone(view->type())) return decoded_at(nullptr, *view, 0);
    struct Kept {
      Hold* hold;
      ~Kept() { release(hold); }
    } kept{new Hold(std::move(message))};
    return as_proxy(kept.hold, decoded_at(kept.hold, kept.hold->message.value(), 0));
  } catch (const tarn::Error& error) {
    throw runtime_error(std::string("A received message makes no sense: ") + error.what());
  }
}

}  // namespace detail
}  // namespace OC
