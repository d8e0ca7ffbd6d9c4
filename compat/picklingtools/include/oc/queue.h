// queue.h - CQ: a queue of Vals of fixed capacity, for any number of producers and consumers.
//
// One made with CQ(length) is for the threads of this process. ServerSide::pipe() and
// ClientSide::pipe() give one that processes share: what is enqueued is written into shared memory
// once, as one immutable message; what is dequeued refers to that message, and costs its reader
// nothing until it is looked at. Enqueued again unchanged, it is handed on by reference.
//
// Timeouts are seconds, on the monotonic clock. None waits for ever.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "oc/text.h"

namespace OC {

namespace detail {
class QueueBack;
}  // namespace detail

// Throws runtime_error, from every operation, when the queue has ended: its region was started
// anew, or its domain is gone. invalid_argument for a timeout that is no number.
class CQ {
 public:
  // For the threads of this process; throws logic_error for a length below 1, and when it is to be
  // shared across processes, which only ServerSide and ClientSide give.
  explicit CQ(int length, Allocator* allocator = nullptr, bool shared_across_process = false);
  ~CQ();
  CQ(const CQ&) = delete;
  CQ& operator=(const CQ&) = delete;

  // Waits until there is room. What cannot be handed over (a container inside itself, one deeper
  // than a message may be) throws logic_error, and memory that is used up runtime_error.
  void enq(const Val& value);
  // False when there was no room in time.
  bool enqueue(const Val& value, const Val& timeout_in_seconds = Val());
  // Waits until there is something.
  Val deq();
  // False when nothing came in time; `out` is untouched then.
  bool dequeue(const Val& timeout_in_seconds, Val& out);
  bool empty() const;

  // For the library.
  explicit CQ(std::unique_ptr<detail::QueueBack> back);
  // The same queue by another way, or by none for now: then all but this throws runtime_error.
  // Threads that are at an operation end it by the way that was, which stays for so many reseats.
  // One thread at a time.
  void reseat(std::unique_ptr<detail::QueueBack> back);

 private:
  static constexpr size_t kKept = 4;
  void take(std::unique_ptr<detail::QueueBack> back);
  detail::QueueBack& back() const;
  std::atomic<detail::QueueBack*> back_{nullptr};
  std::vector<std::unique_ptr<detail::QueueBack>> backs_;  // the newest last
};

}  // namespace OC
