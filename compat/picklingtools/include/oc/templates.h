// templates.h - what Val and Proxy do with arrays of each type of number.
#pragma once

#include "oc/queue.h"

namespace OC {

namespace detail {
// The array inside, if its elements have that tag. Throws logic_error.
void* array_in(const Val& val, char subtype);
Proxy shared_object(StreamingPool* pool, void* object, char tag, char subtype);
Proxy locked_object(void* object, char tag, char subtype);

template <class T>
constexpr char element_tag() {
  static_assert(kElementTag<T> != 0, "a Val holds arrays of numbers, and of Vals");
  return kElementTag<T>;
}
}  // namespace detail

template <class T>
Val::Val(const Array<T>& array) : Val() {
  constexpr char kTag = detail::element_tag<T>();
  if constexpr (kTag == 'Z') {
    *this = of_object(new Arr(array), 'n', kTag);
  } else {
    *this = of_object(new Array<T>(array), 'n', kTag);
  }
}

template <class T>
Val::Val(Array<T>* array) : Val(Proxy(array)) {}

template <class T>
Val::operator Array<T>&() const {
  return *static_cast<Array<T>*>(detail::array_in(*this, detail::element_tag<T>()));
}

template <class T>
Proxy::Proxy(Array<T>* array, bool adopt, bool lock, bool)
    : Proxy(static_cast<void*>(array), 'n', detail::element_tag<T>(), adopt, lock) {
  // An Arr is nothing but an Array<Val>, and ends as one.
  static_assert(sizeof(Arr) == sizeof(Array<Val>));
}

template <class T>
Proxy Shared(StreamingPool* pool, const Array<T>& array) {
  return detail::shared_object(pool, new Array<T>(array), 'n', detail::element_tag<T>());
}

template <class T>
Proxy Locked(Array<T>* array) {
  return detail::locked_object(array, 'n', detail::element_tag<T>());
}

}  // namespace OC
