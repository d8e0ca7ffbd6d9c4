// queue.cc - CQ, and the one for threads of this process.
#include <cmath>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "region/queue_back.h"

namespace OC {
namespace detail {

Patience patience_of(const Val& timeout_in_seconds) {
  if (timeout_in_seconds.tag == 'Z') return std::nullopt;
  const auto seconds = static_cast<real_8>(timeout_in_seconds);
  if (std::isnan(seconds)) throw invalid_argument("A timeout is a number of seconds, or None");
  // A century is as long as the clock can count.
  const std::chrono::duration<double> patience(std::fmin(std::fmax(seconds, 0), 3e9));
  return std::chrono::duration_cast<std::chrono::nanoseconds>(patience);
}

namespace {

class LocalQueue final : public QueueBack {
 public:
  explicit LocalQueue(size_t capacity) : capacity_(capacity) {}

  bool push(const Val& value, Patience patience) override {
    std::unique_lock lock(mutex_);
    if (!wait(lock, room_, patience, [&] { return values_.size() < capacity_; })) return false;
    values_.push_back(value);
    lock.unlock();
    something_.notify_one();
    return true;
  }
  bool pop(Val& out, Patience patience) override {
    std::unique_lock lock(mutex_);
    if (!wait(lock, something_, patience, [&] { return !values_.empty(); })) return false;
    Val taken = std::move(values_.front());
    values_.pop_front();
    lock.unlock();
    room_.notify_one();
    out = std::move(taken);
    return true;
  }
  bool is_empty() override {
    const std::scoped_lock lock(mutex_);
    return values_.empty();
  }

 private:
  template <class Condition>
  bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, Patience patience,
            Condition&& holds) {
    if (!patience) {
      changed.wait(lock, holds);
      return true;
    }
    return changed.wait_until(lock, std::chrono::steady_clock::now() + *patience, holds);
  }

  const size_t capacity_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable something_;
  std::deque<Val> values_;
};

}  // namespace

std::unique_ptr<QueueBack> local_queue(int length) {
  if (length < 1) {
    throw logic_error("A queue's capacity is at least 1, not " + std::to_string(length));
  }
  return std::make_unique<LocalQueue>(static_cast<size_t>(length));
}

}  // namespace detail

CQ::CQ(int length, Allocator*, bool shared_across_process) {
  if (shared_across_process) {
    throw logic_error(
        "A CQ that processes share is had from ServerSide::pipe() or "
        "ClientSide::pipe()");
  }
  take(detail::local_queue(length));
}
CQ::CQ(std::unique_ptr<detail::QueueBack> back) { take(std::move(back)); }
CQ::~CQ() = default;

void CQ::take(std::unique_ptr<detail::QueueBack> back) {
  backs_.push_back(std::move(back));
  // sync(queue-back): hands the back over.
  back_.store(backs_.back().get(), std::memory_order_release);
}

// To keep all that ever were would keep their pipes, of which a node has room for so many.
void CQ::reseat(std::unique_ptr<detail::QueueBack> back) {
  // relaxed: one thread at a time reseats.
  if (detail::QueueBack* old = back_.load(std::memory_order_relaxed)) old->retire();
  if (back == nullptr) {
    // relaxed: nothing is handed over.
    back_.store(nullptr, std::memory_order_relaxed);
    return;
  }
  take(std::move(back));
  if (backs_.size() > 1 + kKept) backs_.erase(backs_.begin());
}

detail::QueueBack& CQ::back() const {
  // sync(queue-back): receives the back that take() made.
  detail::QueueBack* const back = back_.load(std::memory_order_acquire);
  if (back == nullptr) throw runtime_error("This pipe is not started");
  return *back;
}

void CQ::enq(const Val& value) { back().push(value, std::nullopt); }
bool CQ::enqueue(const Val& value, const Val& timeout_in_seconds) {
  return back().push(value, detail::patience_of(timeout_in_seconds));
}
Val CQ::deq() {
  Val out;
  back().pop(out, std::nullopt);
  return out;
}
bool CQ::dequeue(const Val& timeout_in_seconds, Val& out) {
  return back().pop(out, detail::patience_of(timeout_in_seconds));
}
bool CQ::empty() const { return back().is_empty(); }

}  // namespace OC
