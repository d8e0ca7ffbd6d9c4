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
  return stands_in(list.source(), view) && (list.is_untouched() || elements_match(list, view));
}

bool array_matches(const Val& value, const ValueView& view) {
  bool is_same = false;
  visit_number(value.subtype, [&](auto type) {
    const auto& array = value.object_as<Array<typename decltype(type)::type>>();
    is_same = array.is_untouched() && stands_in(array.source(), view) && view.shape().size() == 1;
  });
  return is_same;
}

bool scalar_matches(const Val& value, const ValueView& view, bool is_key) {
  switch (view.type()) {
    case ValueType::table:
    case ValueType::list:
    case ValueType::tuple:
    case ValueType::array:
      return false;
    case ValueType::text:
      return value.tag == 'a' && view.text() == value.contents().text;
    default:
      break;
  }
  const Val there = decoded_scalar(view, is_key);
  if (there.tag != value.tag) return false;
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

const tarn::Message* unchanged_message(const Val& value) {
  if (!value.isproxy || value.contents().body->whole == nullptr) return nullptr;
  const tarn::Message& message = value.contents().body->whole->message;
  try {
    return matches(value, message.value(), false) ? &message : nullptr;
  } catch (const tarn::Error&) {
    return nullptr;  // what makes no sense is not handed on; encoding it says why
  }
}

}  // namespace detail
}  // namespace OC
