// proxy_body.h - what all the Vals that share one container refer to; never seen by users.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "oc/templates.h"

namespace OC {
namespace detail {

class Hold;  // a received message
void retain(Hold* hold) noexcept;
void release(Hold* hold) noexcept;

struct ProxyBody {
  ProxyBody(void* container, char its_tag, char its_subtype)
      : object(container), tag(its_tag), subtype(its_subtype) {}
  ~ProxyBody();
  ProxyBody(const ProxyBody&) = delete;
  ProxyBody& operator=(const ProxyBody&) = delete;

  // The lock of this container; made when somebody locks it first.
  std::recursive_timed_mutex& mutex();

  std::atomic<int> references{1};
  void* object;
  char tag;
  char subtype;
  bool owns = true;
  bool is_shared = false;  // made by Shared(), or received
  bool has_lock = false;   // a TransactionLock means something
  Hold* whole = nullptr;   // the message that this is all of, and stands beside, if it was received
  std::atomic<std::recursive_timed_mutex*> lock{nullptr};
};

// Deep copy, and end, of a container that a Val may hold.
void* clone_object(const void* object, char tag, char subtype);
void delete_object(void* object, char tag, char subtype) noexcept;
// Of one that does not stand in memory of its own.
void destroy_object(void* object, char tag, char subtype) noexcept;

// "table", "list": for what is thrown.
const char* name_of_tag(char tag);

}  // namespace detail
}  // namespace OC
