// val.cc - how a Val comes, is copied, and goes.
#include "oc/val.h"

#include <cstddef>
#include <cstring>

#include "val/proxy_body.h"

namespace OC {
namespace detail {

void* clone_object(const void* object, char tag, char subtype) {
  switch (tag) {
    case 't':
      return new Tab(*static_cast<const Tab*>(object));
    case 'o':
      return new OTab(*static_cast<const OTab*>(object));
    case 'u':
      return new Tup(*static_cast<const Tup*>(object));
    default:
      break;
  }
  if (subtype == 'Z') return new Arr(*static_cast<const Arr*>(object));
  void* copied = nullptr;
  visit_number(subtype, [&](auto type) {
    using Elements = Array<typename decltype(type)::type>;
    copied = new Elements(*static_cast<const Elements*>(object));
  });
  return copied;
}

void destroy_object(void* object, char tag, char subtype) noexcept {
  switch (tag) {
    case 't':
      static_cast<Tab*>(object)->~Tab();
      return;
    case 'o':
      static_cast<OTab*>(object)->~OTab();
      return;
    case 'u':
      static_cast<Tup*>(object)->~Tup();
      return;
    default:
      break;
  }
  if (subtype == 'Z') {
    static_cast<Arr*>(object)->~Arr();
    return;
  }
  visit_number(subtype, [&](auto type) {
    using Elements = Array<typename decltype(type)::type>;
    static_cast<Elements*>(object)->~Elements();
  });
}

void delete_object(void* object, char tag, char subtype) noexcept {
  switch (tag) {
    case 't':
      delete static_cast<Tab*>(object);
      return;
    case 'o':
      delete static_cast<OTab*>(object);
      return;
    case 'u':
      delete static_cast<Tup*>(object);
      return;
    default:
      break;
  }
  if (subtype == 'Z') {
    delete static_cast<Arr*>(object);
    return;
  }
  visit_number(subtype, [&](auto type) {
    delete static_cast<Array<typename decltype(type)::type>*>(object);
  });
}

const char* name_of_tag(char tag) {
  switch (tag) {
    case 'Z':
      return "None";
    case 'a':
      return "Str";
    case 't':
      return "Tab";
    case 'o':
      return "OTab";
    case 'u':
      return "Tup";
    case 'n':
      return "Array";
    default:
      return "number";
  }
}

void* array_in(const Val& val, char subtype) {
  if (val.tag != 'n' || val.subtype != subtype) {
    throw logic_error(std::string("No conversion from:") + name_of_tag(val.tag) +
                      " to an array of that type.");
  }
  return val.object();
}

namespace {

template <class T>
T& container_in(const Val& val, char tag) {
  if (val.tag != tag) {
    throw logic_error(std::string("No conversion from:") + name_of_tag(val.tag) + " to " +
                      name_of_tag(tag) + ".");
  }
  return val.object_as<T>();
}

}  // namespace
}  // namespace detail

void* Val::object() const {
  if (isproxy) return u_.body->object;
  const bool is_container = tag == 't' || tag == 'o' || tag == 'u' || tag == 'n';
  return is_container ? u_.object : nullptr;
}

Val Val::of_body(detail::ProxyBody* body, char tag, char subtype) {
  Val made;
  made.u_.body = body;
  made.tag = tag;
  made.subtype = subtype;
  made.isproxy = true;
  return made;
}

Val Val::of_object(void* object, char tag, char subtype) {
  Val made;
  made.u_.object = object;
  made.tag = tag;
  made.subtype = subtype;
  return made;
}

void Val::drop() noexcept {
  if (isproxy) {
    detail::release(u_.body);
  } else if (tag == 'a') {
    u_.text.~Str();
  } else if (tag == 'q') {
    delete u_.big;
  } else if (tag == 'Q') {
    delete u_.big_unsigned;
  } else {
    detail::delete_object(u_.object, tag, subtype);
  }
}

void Val::copy(const Val& other) {
  if (other.isproxy) {
    detail::retain(other.u_.body);
    u_.body = other.u_.body;
  } else if (other.tag == 'a') {
    new (&u_.text) Str(other.u_.text);
  } else if (other.tag == 'q') {
    u_.big = new int_n(*other.u_.big);
  } else if (other.tag == 'Q') {
    u_.big_unsigned = new int_un(*other.u_.big_unsigned);
  } else {
    u_.object = detail::clone_object(other.u_.object, other.tag, other.subtype);
  }
}

Val::Val(const Val& other) : tag('Z'), subtype('Z'), isproxy(false), u_() {
  if (other.has_memory()) {
    copy(other);
  } else {
    std::memcpy(u_.words, other.u_.words, sizeof u_.words);
  }
  tag = other.tag;
  subtype = other.subtype;
  isproxy = other.isproxy;
}

Val& Val::operator=(const Val& other) {
  Val copied(other);
  return *this = std::move(copied);
}

Val& Val::operator=(Val&& other) noexcept {
  if (this == &other) return *this;
  // What is replaced may own what it is replaced by: v = v["part"].
  Val old(std::move(*this));
  new (this) Val(std::move(other));
  return *this;
}

void Val::swap(Val& other) noexcept {
  Val kept(std::move(other));
  other = std::move(*this);
  *this = std::move(kept);
}

std::string_view detail::text_of_key(const char* text) {
  if (text == nullptr) throw logic_error("A null pointer is no key");
  return text;
}

Val::Val(const char* text) : Val() {
  if (text == nullptr) throw logic_error("A Val cannot be made from a null pointer");
  new (&u_.text) Str(text);
  tag = 'a';
}
Val::Val(const Str& text) : Val() {
  new (&u_.text) Str(text);
  tag = 'a';
}
Val::Val(const int_n& number) : Val() {
  u_.big = new int_n(number);
  tag = 'q';
}
Val::Val(const int_un& number) : Val() {
  u_.big_unsigned = new int_un(number);
  tag = 'Q';
}
Val::Val(const Tab& table) : Val(of_object(new Tab(table), 't', 'Z')) {}
Val::Val(const OTab& table) : Val(of_object(new OTab(table), 'o', 'Z')) {}
Val::Val(const Tup& tuple) : Val(of_object(new Tup(tuple), 'u', 'Z')) {}
Val::Val(const Arr& list) : Val(of_object(new Arr(list), 'n', 'Z')) {}
Val::Val(Tab&& table) : Val(of_object(new Tab(std::move(table)), 't', 'Z')) {}
Val::Val(OTab&& table) : Val(of_object(new OTab(std::move(table)), 'o', 'Z')) {}
Val::Val(Tup&& tuple) : Val(of_object(new Tup(std::move(tuple)), 'u', 'Z')) {}
Val::Val(Arr&& list) : Val(of_object(new Arr(std::move(list)), 'n', 'Z')) {}
Val::Val(const Proxy& proxy) : Val() {
  detail::retain(proxy.body());
  u_.body = proxy.body();
  tag = proxy.tag;
  subtype = proxy.subtype;
  isproxy = true;
}
Val::Val(Tab* table) : Val(Proxy(table)) {}
Val::Val(OTab* table) : Val(Proxy(table)) {}
Val::Val(Tup* tuple) : Val(Proxy(tuple)) {}
Val::Val(Arr* list) : Val(Proxy(list)) {}

void Val::Proxyize(bool adopt, bool lock) {
  if (isproxy) return;
  if (object() == nullptr) {
    throw logic_error(std::string("No Proxy to a ") + detail::name_of_tag(tag));
  }
  auto* body = new detail::ProxyBody(u_.object, tag, subtype);
  body->owns = adopt;
  body->has_lock = lock;
  u_.body = body;
  isproxy = true;
}

Val::operator Tab&() const { return detail::container_in<Tab>(*this, 't'); }
Val::operator OTab&() const { return detail::container_in<OTab>(*this, 'o'); }
Val::operator Tup&() const { return detail::container_in<Tup>(*this, 'u'); }
Val::operator Arr&() const { return *static_cast<Arr*>(detail::array_in(*this, 'Z')); }

Val::operator Proxy&() const {
  if (!isproxy) {
    throw logic_error(std::string("No conversion from:") + detail::name_of_tag(tag) + " to Proxy.");
  }
  // A Proxy's bytes are those that a Val begins with: its tags, true, and the body.
  static_assert(std::is_standard_layout_v<Proxy> && sizeof(Proxy) == 16);
  static_assert(offsetof(Val, isproxy) == 2 && offsetof(Val, u_) == 8);
  return *reinterpret_cast<Proxy*>(const_cast<Val*>(this));
}

}  // namespace OC
