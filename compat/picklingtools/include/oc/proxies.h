// proxies.h - containers that several Vals share, and the lock that goes with them.
//
// What is shared this way is shared inside this process. A queue of ClientSide or ServerSide copies
// it into shared memory when it is enqueued; from then on it is immutable, and every process reads
// the same bytes.
#pragma once

#include "oc/list.h"
#include "oc/table.h"

namespace OC {

class Proxy {
 public:
  // Adopts the container, or only refers to it. With `lock`, TransactionLock excludes others.
  explicit Proxy(Tab* table, bool adopt = true, bool lock = false);
  explicit Proxy(OTab* table, bool adopt = true, bool lock = false);
  explicit Proxy(Tup* tuple, bool adopt = true, bool lock = false);
  explicit Proxy(Arr* list, bool adopt = true, bool lock = false);
  template <class T>
  explicit Proxy(Array<T>* array, bool adopt = true, bool lock = false);
  Proxy(const Proxy& other) noexcept;
  Proxy& operator=(const Proxy& other) noexcept;
  ~Proxy();

  char tag() const;
  char subtype() const;
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

  detail::ProxyBody* body() const { return body_; }

 private:
  friend class Val;
  Proxy(void* object, char tag, char subtype, bool adopt, bool lock);
  detail::ProxyBody* body_;
};

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
bool InSHM(const Val& what, StreamingPool* pool, bool throw_on_error = false,
           const char* context = "");
inline bool IsSHM(const Val& what, StreamingPool* pool, bool throw_on_error = false,
                  const char* context = "") {
  return InSHM(what, pool, throw_on_error, context);
}

namespace detail {
// What all Vals that share a container refer to. Defined in the compiled part.
void retain(ProxyBody* body) noexcept;
void release(ProxyBody* body) noexcept;
}  // namespace detail

}  // namespace OC
