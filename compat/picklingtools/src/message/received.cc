// received.cc - from a popped message to the Val that a program gets.
#include "message/message_source.h"

namespace OC {
namespace detail {
namespace {

using tarn::ValueType;
using tarn::ValueView;

bool stands_alone(ValueType type) {
  return type != ValueType::table && type != ValueType::list && type != ValueType::tuple &&
         type != ValueType::array;
}

template <class Container>
void* placed(void* room, SourceRef source) {
  return new (room) Container(std::move(source));
}

// An array of numbers by itself, in the place of the root.
void* numbers_placed(Reception& reception, Val& made) {
  visit_number(made.subtype, [&](auto type) {
    using Numbers = Array<typename decltype(type)::type>;
    static_assert(sizeof(Numbers) == sizeof(Array<int_8>));
    new (&reception.root) Numbers(std::move(made.object_as<Numbers>()));
  });
  return &reception.root;
}

// The container that a message is, and a Proxy to it. The reception's two references are taken.
Val rooted(Reception& reception, const ValueView& view) {
  SourceRef source(new (&reception.source) Source(&reception, view, 0));
  void* const room = &reception.root;
  void* object = nullptr;
  char tag = 't';
  char subtype = 'Z';
  if (view.type() == ValueType::table) {
    const bool in_order = view.order_matters();
    tag = in_order ? 'o' : 't';
    object =
        in_order ? placed<OTab>(room, std::move(source)) : placed<Tab>(room, std::move(source));
  } else if (view.type() == ValueType::list) {
    tag = 'n';
    object = placed<Arr>(room, std::move(source));
  } else {
    Val made = decoded(&reception, view);
    if (made.object() == nullptr) return made;  // a number in disguise
    tag = made.tag;
    subtype = made.subtype;
    object = room;
    if (tag == 't') {
      placed<Tab>(room, std::move(source));
    } else if (tag == 'o') {
      placed<OTab>(room, std::move(source));
    } else if (tag == 'u') {
      placed<Tup>(room, std::move(source));
    } else if (subtype == 'Z') {
      new (room) Arr(std::move(made.object_as<Arr>()));
    } else {
      numbers_placed(reception, made);
    }
  }
  auto* body = new (&reception.body) ProxyBody(object, tag, subtype);
  body->is_shared = true;
  body->has_lock = true;
  body->whole = &reception;
  return Val::of_body(body, tag, subtype);
}

// Lets go of what a message had that turned out to be no container, or to make no sense.
class Guard {
 public:
  explicit Guard(Reception* reception) : reception_(reception) {}
  ~Guard() {
    if (reception_ != nullptr) release(reception_);
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  void dismiss() { reception_ = nullptr; }

 private:
  Hold* reception_;
};

}  // namespace

Val received(tarn::Message&& message) {
  try {
    const auto view = message.try_value();
    if (!view) return Val(Str(message.text()));
    if (stands_alone(view->type())) return decoded(nullptr, *view);
    const std::byte* before = message.bytes().data();
    Reception* reception = Reception::make(std::move(message));
    Guard guard(reception);
    const bool has_moved = reception->message.bytes().data() != before;
    Val made = rooted(*reception, has_moved ? reception->message.value() : *view);
    if (made.isproxy) guard.dismiss();
    return made;
  } catch (const tarn::Error& error) {
    throw runtime_error(std::string("A received message makes no sense: ") + error.what());
  }
}

}  // namespace detail
}  // namespace OC
