// unchanged.cc - whether a received value is still what it was when it came.
//
// Reading a Val that is not const hands out references through which it might be changed. So what
// was looked at is compared with the message, which costs a look at each entry; what was not looked
// at, and arrays of numbers that still stand in the message, are known to be the same.
#include "message/message_source.h"

namespace OC {
namespace detail {
namespace {

using tarn::ValueType;
using tarn::ValueView;

bool matches(const Val& value, const ValueView& view, bool is_key);

bool entries_match(const Table& table, const ValueView& view) {
  if (view.type() != ValueType::table) return false;  // marked pairs: rare, and made anew
  if (static_cast<std::size_t>(table.entries()) != view.size()) return false;
  const Entry* entry = table.first();
  for (const auto& [key, value] : view.entries()) {
    if (!matches(entry->key, key, true) || !matches(entry->value, value, false)) return false;
    entry = entry->next;
  }
  return true;
}

bool elements_match(const Array<Val>& list, const ValueView& view) {
  if (static_cast<std::size_t>(list.length()) != view.size()) return false;
  int_ptr index = 0;
  for (const ValueView element : view.elements()) {
    if (!matches(list(index++), element, false)) return false;
  }
  return true;
}

// Still in its old place; `untouched` then says that nobody looked.
bool stands_in(const SourceRef& source, const ValueView& view) {
  return source.get() != nullptr && is_same_place(source.get()->view, view);
}

bool table_matches(const Table& table, const ValueView& view) {
  return stands_in(table.source(), view) && (table.is_untouched() || entries_match(table, view));
}

bool list_matches(const Array<Val>& list, const ValueView& view) {
  if (view.type() == ValueType::array) return is_whole_array(list, view);
  return stands_in(list.source(), view) && (list.is_untouched() || elements_match(list, view));
}

// The elements from `bytes` on, where the array is untouched or, for bools, worth the same.
template <class T>
bool row_matches(const Array<T>& row, const std::byte* bytes, std::size_t count) {
  if (static_cast<std::size_t>(row.length()) != count) return false;
  if constexpr (std::is_same_v<T, bool>) {
    for (std::size_t i = 0; i < count; ++i) {
      if (row(static_cast<int_ptr>(i)) != (bytes[i] != std::byte{0})) return false;
    }
    return true;
  } else {
    return row.is_untouched() && static_cast<const void*>(row.data()) == bytes;
  }
}

bool rows_match(const Val& value, char element, std::span<const std::size_t> shape,
                std::span<const std::byte> bytes) {
  if (value.tag != 'n') return false;
  if (shape.size() == 1) {
    bool is_same = false;
    if (value.subtype != element) return false;
    visit_number(element, [&](auto type) {
      using T = typename decltype(type)::type;
      is_same = row_matches(std::as_const(value.object_as<Array<T>>()), bytes.data(), shape[0]);
    });
    return is_same;
  }
  if (value.subtype != 'Z' || value.isproxy) return false;
  const Array<Val>& rows = value.object_as<Arr>();
  if (static_cast<std::size_t>(rows.length()) != shape[0] || shape[0] == 0) return false;
  const std::size_t row = bytes.size() / shape[0];
  for (std::size_t i = 0; i < shape[0]; ++i) {
    if (!rows_match(rows(static_cast<int_ptr>(i)), element, shape.subspan(1),
                    bytes.subspan(i * row, row))) {
      return false;
    }
  }
  return true;
}

bool array_matches(const Val& value, const ValueView& view) {
  if (view.type() != ValueType::array) return false;
  const tarn::AnyArray array = view.any_array();
  return array.shape.size() == 1 && rows_match(value, tag_of(array.type), array.shape, array.bytes);
}

bool scalar_matches(const Val& value, const ValueView& view, bool is_key) {
  switch (view.type()) {
    case ValueType::table:
    case ValueType::list:
    case ValueType::tuple:
    case ValueType::array:
      return false;
    case ValueType::text:
      return value.tag == 'a' && value.subtype != kBytes && value.subtype != kReference &&
             view.text() == value.contents().text;
    default:
      break;
  }
  const Val there = decoded_scalar(view, is_key);
  if (there.tag != value.tag) return false;
  if (there.tag == 'a' && there.subtype != value.subtype) return false;
  if (there.tag == 'a' || there.tag == 'q' || there.tag == 'Q') return same(there, value);
  // By bits, so that NaN is the same as itself and -0.0 is not 0.0.
  return there.contents().words[0] == value.contents().words[0] &&
         there.contents().words[1] == value.contents().words[1];
}

bool matches(const Val& value, const ValueView& view, bool is_key) {
  switch (value.tag) {
    case 't':
      return table_matches(value.object_as<Tab>(), view);
    case 'o':
      return table_matches(value.object_as<OTab>(), view);
    case 'u':
      return list_matches(std::as_const(value.object_as<Tup>()).elements(), view);
    case 'n':
      if (value.subtype == 'Z') return list_matches(value.object_as<Arr>(), view);
      return array_matches(value, view);
    default:
      return scalar_matches(value, view, is_key);
  }
}

}  // namespace

bool is_whole_array(const Array<Val>& list, const ValueView& view) {
  if (list.source().get() == nullptr || !is_same_place(list.source().get()->view, view) ||
      view.type() != ValueType::array) {
    return false;
  }
  const tarn::AnyArray array = view.any_array();
  if (array.shape.size() < 2 || static_cast<std::size_t>(list.length()) != array.shape[0]) {
    return false;
  }
  const std::size_t row = array.shape[0] == 0 ? 0 : array.bytes.size() / array.shape[0];
  for (std::size_t i = 0; i < array.shape[0]; ++i) {
    if (!rows_match(list(static_cast<int_ptr>(i)), tag_of(array.type),
                    std::span(array.shape).subspan(1), array.bytes.subspan(i * row, row))) {
      return false;
    }
  }
  return array.shape[0] != 0;
}

const tarn::Message* unchanged_message(const Val& value) {
  if (!value.isproxy || value.contents().body->whole == nullptr) return nullptr;
  const Hold& whole = *value.contents().body->whole;
  // The parent's, and not here: what was looked at is made anew, all else is refused then.
  if (!whole.is_of_this_process()) return nullptr;
  const tarn::Message& message = whole.message;
  try {
    return matches(value, message.value(), false) ? &message : nullptr;
  } catch (const tarn::Error&) {
    return nullptr;  // what makes no sense is not handed on; encoding it says why
  }
}

}  // namespace detail
}  // namespace OC
