// proxies.h - containers that several Vals share, and the lock that goes with them.
//
// What is shared this way is shared inside this process. A queue of ClientSide or ServerSide copies
// it into shared memory when it is enqueued; from then on it is immutable, and every process reads
// the same bytes.
#pragma once

#include "oc/list.h"
#include "oc/table.h"

namespace OC {

// A Val that is a Proxy begins with the bytes of one: `Proxy& p = val` is the Val itself, and what
// is assigned to p is what the Val holds from then on.
class __attribute__((__may_alias__)) Proxy {
 public:
  char tag;  // as those of a Val
  char subtype;

  // An empty Tab.
  Proxy();
  // Adopts the container, or only refers to it. With `lock`, TransactionLock excludes others; as
  // all locks are this process's own, `shared` changes nothing.
  Proxy(Tab* table, bool adopt = true, bool lock = false, bool shared = false);
  Proxy(OTab* table, bool adopt = true, bool lock = false, bool shared = false);
  Proxy(Tup* tuple, bool adopt = true, bool lock = false, bool shared = false);
  Proxy(Arr* list, bool adopt = true, bool lock = false, bool shared = false);
  template <class T>
  Proxy(Array<T>* array, bool adopt = true, bool lock = false, bool shared = false);
  Proxy(const Proxy& other) noexcept;
  Proxy& operator=(const Proxy& other) noexcept;
  ~Proxy();

  template <class Key>
  Val& operator[](const Key& key) {
    return Val(*this)[key];
  }
  template <class Key>
  Val& operator()(const Key& key) const {
    return Val(*this)(key);
  }
  bool contains(const Val& what) const { return Val(*this).contains(what); }
  int_ptr length() const { return Val(*this).length(); }
  int_ptr entries() const { return length(); }
  void prettyPrint(ostream& out, int indent = 0, int add = 4) const {
    Val(*this).prettyPrint(out, indent, add);
  }
  operator Tab&() const { return Val(*this); }
  operator OTab&() const { return Val(*this); }
  operator Tup&() const { return Val(*this); }
  operator Arr&() const { return Val(*this); }
  template <class T>
  operator Array<T>&() const {
    return Val(*this);
  }
  Allocator* allocator() const { return nullptr; }

  detail::ProxyBody* body() const { return body_; }

 private:
  Proxy(void* object, char tag, char subtype, bool adopt, bool lock);

 public:
  bool isproxy_ = true;  // for the library: where a Val says so
  detail::ProxyBody* body_;
};

// Whether both refer to one container.
inline bool is(const Proxy& a, const Proxy& b) { return a.body() == b.body(); }
inline bool is(const Val& a, const Val& b) {
  return a.isproxy && b.isproxy && a.contents().body == b.contents().body;
}
inline bool IsProxy(const Val& value) { return value.isproxy; }

// A copy that processes may share through a queue. The pool is where the originals put it; here it
// says that InSHM() is true of it.
Proxy Shared(StreamingPool* pool, const Tab& table);
Proxy Shared(StreamingPool* pool, const OTab& table);
Proxy Shared(StreamingPool* pool, const Tup& tuple);
Proxy Shared(StreamingPool* pool, const Arr& list);
template <class T>
Proxy Shared(StreamingPool* pool, const Array<T>& array);
// Adopts a container that the threads of this process share.
Proxy Locked(Tab* table);
Proxy Locked(OTab* table);
Proxy Locked(Tup* tuple);
Proxy Locked(Arr* list);
template <class T>
Proxy Locked(Array<T>* array);

// Excludes the other threads of this process that lock the same Proxy, from here to the end of the
// block; one thread may lock it again. What was received is immutable, so that nothing else has to
// be excluded. Without a timeout it waits for ever; with one, in seconds, it throws runtime_error
// ("Transaction Lock timed out") and has taken nothing.
class TransactionLock {
 public:
  explicit TransactionLock(const Val& proxy, const Val& timeout_in_seconds = Val());
  ~TransactionLock();
  TransactionLock(const TransactionLock&) = delete;
  TransactionLock& operator=(const TransactionLock&) = delete;

 private:
  Val held_;  // the lock lives as long as it is taken
  void* lock_ = nullptr;
};

// Whether all of it is memory that processes share: made by Shared() or received. With
// `throw_on_error`, throws runtime_error that names the part which is not.
// `what`: a Val, Proxy, Tab, OTab, Tup, Arr or Array<T>; numbers and text are part of any message.
// The pool does not matter.
template <class T>
bool InSHM(const T& what, StreamingPool* pool, bool throw_on_error = false,
           const char* context = "");
template <class T>
bool IsSHM(const T& what, StreamingPool* pool, bool throw_on_error = false,
           const char* context = "") {
  return InSHM(what, pool, throw_on_error, context);
}

namespace detail {
bool in_shm(const Val& what, bool throw_on_error, const char* context);
bool in_shm(const Table& what, bool throw_on_error, const char* context);
bool in_shm(const Array<Val>& what, bool throw_on_error, const char* context);
// False, or runtime_error, for a part of that tag which is not shared.
bool not_in_shm(char tag, bool throw_on_error, const char* context);
template <class T>
bool in_shm(const Array<T>& what, bool throw_on_error, const char* context) {
  return what.is_shared() || not_in_shm('n', throw_on_error, context);
}
// What all Vals that share a container refer to. Defined in the compiled part.
void retain(ProxyBody* body) noexcept;
void release(ProxyBody* body) noexcept;
}  // namespace detail

template <class T>
bool InSHM(const T& what, StreamingPool*, bool throw_on_error, const char* context) {
  if constexpr (std::is_same_v<T, Val> || std::is_same_v<T, Proxy>) {
    return detail::in_shm(Val(what), throw_on_error, context);
  } else if constexpr (std::is_same_v<T, Tup>) {
    return detail::in_shm(what.impl(), throw_on_error, context);
  } else if constexpr (std::is_base_of_v<detail::Table, T>) {
    return detail::in_shm(static_cast<const detail::Table&>(what), throw_on_error, context);
  } else if constexpr (std::is_same_v<T, Arr>) {
    return detail::in_shm(static_cast<const Array<Val>&>(what), throw_on_error, context);
  } else if constexpr (detail::kIsArray<T>) {
    return detail::in_shm(what, throw_on_error, context);
  } else {
    static_cast<void>(Val(what));  // anything else that a Val may be
    return true;
  }
}

}  // namespace OC
