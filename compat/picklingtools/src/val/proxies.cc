// proxies.cc - shared containers, their locks, and whether all of a value may be shared.
#include "oc/proxies.h"

#include <chrono>
#include <cmath>

#include "val/counted.h"
#include "val/proxy_body.h"

namespace OC {
namespace detail {

void retain(ProxyBody* body) noexcept { add_one(body->references); }
void release(ProxyBody* body) noexcept {
  if (!drop_one(body->references)) return;
  Hold* const whole = body->whole;
  if (whole == nullptr) {
    delete body;
    return;
  }
  // It stands beside the message that it came with, and so does the container.
  body->~ProxyBody();
  release(whole);
}

ProxyBody::~ProxyBody() {
  if (whole != nullptr) {
    destroy_object(object, tag, subtype);
  } else if (owns) {
    delete_object(object, tag, subtype);
  }
  // relaxed: nobody else refers to this any more.
  delete lock.load(std::memory_order_relaxed);
}

namespace {

void say_shared(void* object, char tag, char subtype) {
  if (tag == 't' || tag == 'o') {
    Table& table = tag == 't' ? static_cast<Table&>(*static_cast<Tab*>(object))
                              : static_cast<Table&>(*static_cast<OTab*>(object));
    table.say_shared();
  } else if (tag == 'u') {
    static_cast<Tup*>(object)->impl().say_shared();
  } else if (subtype == 'Z') {
    static_cast<Arr*>(object)->say_shared();
  } else {
    visit_number(subtype, [&](auto type) {
      static_cast<Array<typename decltype(type)::type>*>(object)->say_shared();
    });
  }
}

}  // namespace

std::recursive_timed_mutex& ProxyBody::mutex() {
  // sync(proxy-lock): whoever sees the pointer sees the mutex.
  std::recursive_timed_mutex* made = lock.load(std::memory_order_acquire);
  if (made != nullptr) return *made;
  auto fresh = std::make_unique<std::recursive_timed_mutex>();
  // sync(proxy-lock): hands the new mutex over, or receives the one that another thread made.
  if (lock.compare_exchange_strong(made, fresh.get(), std::memory_order_acq_rel)) {
    return *fresh.release();
  }
  return *made;
}

Proxy shared_object(StreamingPool*, void* object, char tag, char subtype) {
  auto* body = new ProxyBody(object, tag, subtype);
  say_shared(object, tag, subtype);
  body->is_shared = true;
  body->has_lock = true;
  Val holder = Val::of_body(body, tag, subtype);
  return static_cast<Proxy&>(holder);
}

Proxy locked_object(void* object, char tag, char subtype) {
  auto* body = new ProxyBody(object, tag, subtype);
  body->has_lock = true;
  Val holder = Val::of_body(body, tag, subtype);
  return static_cast<Proxy&>(holder);
}

}  // namespace detail

using detail::locked_object;
using detail::shared_object;

Proxy::Proxy(void* object, char its_tag, char its_subtype, bool adopt, bool lock)
    : tag(its_tag),
      subtype(its_subtype),
      body_(new detail::ProxyBody(object, its_tag, its_subtype)) {
  body_->owns = adopt;
  body_->has_lock = lock;
}
Proxy::Proxy() : Proxy(new Tab) {}
Proxy::Proxy(Tab* table, bool adopt, bool lock, bool) : Proxy(table, 't', 'Z', adopt, lock) {}
Proxy::Proxy(OTab* table, bool adopt, bool lock, bool) : Proxy(table, 'o', 'Z', adopt, lock) {}
Proxy::Proxy(Tup* tuple, bool adopt, bool lock, bool) : Proxy(tuple, 'u', 'Z', adopt, lock) {}
Proxy::Proxy(Arr* list, bool adopt, bool lock, bool) : Proxy(list, 'n', 'Z', adopt, lock) {}
Proxy::Proxy(const Proxy& other) noexcept
    : tag(other.tag), subtype(other.subtype), body_(other.body_) {
  detail::retain(body_);
}
Proxy& Proxy::operator=(const Proxy& other) noexcept {
  // What is let go may own the other one.
  detail::ProxyBody* const old = body_;
  detail::retain(other.body_);
  tag = other.tag;
  subtype = other.subtype;
  body_ = other.body_;
  detail::release(old);
  return *this;
}
Proxy::~Proxy() { detail::release(body_); }

Proxy Shared(StreamingPool* pool, const Tab& table) {
  return shared_object(pool, new Tab(table), 't', 'Z');
}
Proxy Shared(StreamingPool* pool, const OTab& table) {
  return shared_object(pool, new OTab(table), 'o', 'Z');
}
Proxy Shared(StreamingPool* pool, const Tup& tuple) {
  return shared_object(pool, new Tup(tuple), 'u', 'Z');
}
Proxy Shared(StreamingPool* pool, const Arr& list) {
  return shared_object(pool, new Arr(list), 'n', 'Z');
}
Proxy Locked(Tab* table) { return locked_object(table, 't', 'Z'); }
Proxy Locked(OTab* table) { return locked_object(table, 'o', 'Z'); }
Proxy Locked(Tup* tuple) { return locked_object(tuple, 'u', 'Z'); }
Proxy Locked(Arr* list) { return locked_object(list, 'n', 'Z'); }

// --- locks --------------------------------------------------------------------------------------

TransactionLock::TransactionLock(const Val& proxy, const Val& timeout_in_seconds) : held_(proxy) {
  if (!proxy.isproxy) throw logic_error("A TransactionLock needs a Proxy");
  detail::ProxyBody& body = *proxy.contents().body;
  if (!body.has_lock) return;
  std::recursive_timed_mutex& mutex = body.mutex();
  if (timeout_in_seconds.tag == 'Z') {
    mutex.lock();
  } else {
    const auto seconds = static_cast<real_8>(timeout_in_seconds);
    // Longer than a century is for ever, and the clock could not count it.
    const std::chrono::duration<double> patience(std::fmin(std::fmax(seconds, 0), 3e9));
    if (!mutex.try_lock_until(
            std::chrono::steady_clock::now() +
            std::chrono::duration_cast<std::chrono::steady_clock::duration>(patience))) {
      throw runtime_error("Transaction Lock timed out");
    }
  }
  lock_ = &mutex;
}

TransactionLock::~TransactionLock() {
  if (lock_ != nullptr) static_cast<std::recursive_timed_mutex*>(lock_)->unlock();
}

// --- InSHM --------------------------------------------------------------------------------------

namespace {

// The part that is not shared, or nullptr. `inside` a shared container everything of its own is.
const Val* not_shared(const Val& what, bool inside, int depth);

const Val* not_shared_in(const detail::Table& table, bool inside, int depth) {
  for (const detail::Entry* entry = table.first(); entry != nullptr; entry = entry->next) {
    if (const Val* part = not_shared(entry->key, inside, depth)) return part;
    if (const Val* part = not_shared(entry->value, inside, depth)) return part;
  }
  return nullptr;
}

const Val* not_shared_in(const Array<Val>& list, bool inside, int depth) {
  for (const Val& element : list) {
    if (const Val* part = not_shared(element, inside, depth)) return part;
  }
  return nullptr;
}

const Val* not_shared(const Val& what, bool inside, int depth) {
  constexpr int kDeepest = 1000;  // what is deeper, or goes round in circles, cannot be enqueued
  if (depth > kDeepest) return &what;
  if (what.object() == nullptr) return nullptr;
  if (what.isproxy) inside = what.contents().body->is_shared;
  if (!inside) return &what;
  if (what.tag == 't') return not_shared_in(what.object_as<Tab>(), inside, depth + 1);
  if (what.tag == 'o') return not_shared_in(what.object_as<OTab>(), inside, depth + 1);
  if (what.tag == 'n' && what.subtype != 'Z') return nullptr;
  return not_shared_in(
      what.tag == 'u' ? std::as_const(what.object_as<Tup>()).impl() : what.object_as<Arr>(), inside,
      depth + 1);
}

}  // namespace

namespace detail {

bool not_in_shm(char tag, bool throw_on_error, const char* context) {
  if (throw_on_error) {
    throw runtime_error(std::string(context) + ": a " + name_of_tag(tag) +
                        " is not in shared memory: make it with Shared()");
  }
  return false;
}

bool in_shm(const Val& what, bool throw_on_error, const char* context) {
  const Val* part = not_shared(what, false, 0);
  return part == nullptr || not_in_shm(part->tag, throw_on_error, context);
}

bool in_shm(const Table& what, bool throw_on_error, const char* context) {
  if (!what.is_shared()) return not_in_shm('t', throw_on_error, context);
  const Val* part = not_shared_in(what, true, 1);
  return part == nullptr || not_in_shm(part->tag, throw_on_error, context);
}

bool in_shm(const Array<Val>& what, bool throw_on_error, const char* context) {
  if (!what.is_shared()) return not_in_shm('n', throw_on_error, context);
  const Val* part = not_shared_in(what, true, 1);
  return part == nullptr || not_in_shm(part->tag, throw_on_error, context);
}

}  // namespace detail

}  // namespace OC
