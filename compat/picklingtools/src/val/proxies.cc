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
  if (drop_one(body->references)) delete body;
}

ProxyBody::~ProxyBody() {
  if (owns) delete_object(object, tag, subtype);
  // The container stands in the message, so the message goes after it.
  if (whole != nullptr) release(whole);
  // relaxed: nobody else refers to this any more.
  delete lock.load(std::memory_order_relaxed);
}

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

Proxy::Proxy(void* object, char tag, char subtype, bool adopt, bool lock)
    : body_(new detail::ProxyBody(object, tag, subtype)) {
  body_->owns = adopt;
  body_->has_lock = lock;
}
Proxy::Proxy(Tab* table, bool adopt, bool lock) : Proxy(table, 't', 'Z', adopt, lock) {}
Proxy::Proxy(OTab* table, bool adopt, bool lock) : Proxy(table, 'o', 'Z', adopt, lock) {}
Proxy::Proxy(Tup* tuple, bool adopt, bool lock) : Proxy(tuple, 'u', 'Z', adopt, lock) {}
Proxy::Proxy(Arr* list, bool adopt, bool lock) : Proxy(list, 'n', 'Z', adopt, lock) {}
Proxy::Proxy(const Proxy& other) noexcept : body_(other.body_) { detail::retain(body_); }
Proxy& Proxy::operator=(const Proxy& other) noexcept {
  detail::retain(other.body_);
  detail::release(body_);
  body_ = other.body_;
  return *this;
}
Proxy::~Proxy() { detail::release(body_); }
char Proxy::tag() const { return body_->tag; }
char Proxy::subtype() const { return body_->subtype; }

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

const Val* not_shared(const Val& what, bool inside, int depth) {
  constexpr int kDeepest = 1000;  // what is deeper, or goes round in circles, cannot be enqueued
  if (depth > kDeepest) return &what;
  if (what.object() == nullptr) return nullptr;
  if (what.isproxy) inside = what.contents().body->is_shared;
  if (!inside) return &what;
  if (what.tag == 't') return not_shared_in(what.object_as<Tab>(), inside, depth + 1);
  if (what.tag == 'o') return not_shared_in(what.object_as<OTab>(), inside, depth + 1);
  if (what.tag == 'n' && what.subtype != 'Z') return nullptr;
  const Array<Val>& elements =
      what.tag == 'u' ? what.object_as<Tup>().elements() : what.object_as<Arr>();
  for (const Val& element : elements) {
    if (const Val* part = not_shared(element, inside, depth + 1)) return part;
  }
  return nullptr;
}

}  // namespace

bool InSHM(const Val& what, StreamingPool*, bool throw_on_error, const char* context) {
  const Val* part = not_shared(what, false, 0);
  if (part == nullptr) return true;
  if (throw_on_error) {
    throw runtime_error(std::string(context) + ": a " + detail::name_of_tag(part->tag) +
                        " is not in shared memory: make it with Shared()");
  }
  return false;
}

}  // namespace OC
