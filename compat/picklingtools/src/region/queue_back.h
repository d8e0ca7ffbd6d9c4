// queue_back.h - what a CQ stands on: a ring in this process, or a pipe between processes.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "oc/queue.h"

namespace OC {
namespace detail {

class Region;

// None: for ever.
using Patience = std::optional<std::chrono::nanoseconds>;

class QueueBack {
 public:
  virtual ~QueueBack() = default;
  // False when the patience was over.
  virtual bool push(const Val& value, Patience patience) = 0;
  virtual bool pop(Val& out, Patience patience) = 0;
  virtual bool is_empty() = 0;
  // Another one takes its place; who is at an operation ends it here.
  virtual void retire() {}
};

// Seconds, or None.
Patience patience_of(const Val& timeout_in_seconds);

std::unique_ptr<QueueBack> local_queue(int length);
// With a capacity, the pipe is made when it is not there; without one, nullptr when it is not.
// Throws tarn::Error.
std::unique_ptr<QueueBack> pipe_queue(std::shared_ptr<Region> region, const std::string& pipe,
                                      std::optional<int> capacity);

}  // namespace detail
}  // namespace OC
