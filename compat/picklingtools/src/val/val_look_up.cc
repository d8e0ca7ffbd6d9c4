// val_look_up.cc - what a Val holds, found by key or index.
#include "oc/templates.h"
#include "val/proxy_body.h"

namespace OC {
namespace {

using detail::Table;

bool is_table(const Val& val) { return val.tag == 't' || val.tag == 'o'; }

// Tab and OTab have the same table inside.
Table& table_in(const Val& val) {
  if (val.tag == 't') return val.object_as<Tab>();
  return val.object_as<OTab>();
}

[[noreturn]] void refuse(const Val& val, const char* to) {
  throw logic_error(std::string("No conversion from:") + detail::name_of_tag(val.tag) + " to " +
                    to);
}

// A list's or tuple's elements; throws for everything else.
Array<Val>& elements_in(const Val& val) {
  if (val.tag == 'u') return val.object_as<Tup>().elements();
  if (val.tag != 'n') refuse(val, "table.");
  if (val.subtype != 'Z') {
    throw logic_error(
        "An array of numbers cannot be subscripted through a Val: take it as "
        "Array<T>& first");
  }
  return val.object_as<Arr>();
}

}  // namespace

Val& Val::place_text(std::string_view key) {
  if (is_table(*this)) return table_in(*this).insert_text(key);
  return place(Val(Str(key)));
}

Val& Val::found_text(std::string_view key) const {
  Val* value = is_table(*this) ? table_in(*this).lookup_text(key) : nullptr;
  return value != nullptr ? *value : found(Val(Str(key)));
}

Val& Val::place(const Val& key) {
  if (is_table(*this)) return table_in(*this)[key];
  return elements_in(*this)[static_cast<int_ptr>(key)];
}

Val& Val::found(const Val& key) const {
  if (is_table(*this)) return table_in(*this)(key);
  return elements_in(*this)[static_cast<int_ptr>(key)];
}

bool Val::contains(const Val& what) const {
  if (is_table(*this)) return table_in(*this).contains(what);
  if (tag == 'n' && subtype != 'Z') {
    bool is_there = false;
    detail::visit_number(subtype, [&](auto type) {
      using T = typename decltype(type)::type;
      for (const T& element : object_as<Array<T>>().elements_now()) {
        is_there = is_there || detail::same(Val(element), what);
      }
    });
    return is_there;
  }
  return std::as_const(elements_in(*this)).contains(what);
}

Val Val::get(const Val& key, const Val& otherwise) const {
  if (!is_table(*this)) refuse(*this, "table.");
  return table_in(*this).get(key, otherwise);
}

int_ptr Val::length() const {
  if (is_table(*this)) return table_in(*this).entries();
  if (tag == 'a') return static_cast<int_ptr>(u_.text.size());
  if (tag == 'n' && subtype != 'Z') {
    int_ptr count = 0;
    detail::visit_number(subtype, [&](auto type) {
      count = object_as<Array<typename decltype(type)::type>>().length();
    });
    return count;
  }
  if (tag != 'n' && tag != 'u') refuse(*this, "what has a length.");
  return elements_in(*this).length();
}

void Val::append(const Val& element) {
  if (is_table(*this)) {
    table_in(*this).append(element);
    return;
  }
  if (tag == 'u') object_as<Tup>().append(element);
  if (tag != 'n') refuse(*this, "what can be appended to.");
  if (subtype == 'Z') {
    object_as<Arr>().append(element);
    return;
  }
  detail::visit_number(subtype, [&](auto type) {
    using T = typename decltype(type)::type;
    object_as<Array<T>>().append(static_cast<T>(element));
  });
}

void Val::appendStr(const Val& element) {
  if (is_table(*this)) {
    table_in(*this).appendStr(element);
  } else {
    append(element);
  }
}

void Tup::append(const Val&) { throw runtime_error("A Tup cannot be appended to: take an Arr"); }
bool Tup::remove(const Val&) {
  throw runtime_error("Nothing can be removed from a Tup: take an Arr");
}

bool Val::remove(const Val& what) {
  if (is_table(*this)) return table_in(*this).remove(what);
  if (tag == 'u') return object_as<Tup>().remove(what);
  return elements_in(*this).remove(what);
}

}  // namespace OC
