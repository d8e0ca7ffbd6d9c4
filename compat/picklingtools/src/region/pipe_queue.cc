// pipe_queue.cc - a CQ between processes: a pipe of the region's domain.
#include <atomic>
#include <mutex>
#include <vector>

#include "message/message_source.h"
#include "region/queue_back.h"
#include "region/region.h"

namespace OC {
namespace detail {
namespace {

using tarn::PopStatus;
using tarn::PushStatus;

// A value that is filled again and again. It ends with its thread, and what is static ends later
// and may still push: then `has_ended` says so, which is trivial and hence there to the very end.
thread_local bool small_has_ended = false;
struct SmallValue {
  tarn::Value value;
  ~SmallValue() { small_has_ended = true; }
};

class PipeQueue final : public QueueBack {
 public:
  PipeQueue(std::shared_ptr<Region> region, tarn::Pipe pipe) : name_(pipe.name()) {
    use(std::move(region), std::move(pipe));
  }

  ~PipeQueue() override { retire(); }

  // Whoever looks whether this process has the pipe open shall not count who only ends in it.
  void retire() override {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(is_retired_, true)) return;
    for (const auto& end : ends_) end->region->left(name_);
  }

  bool push(const Val& value, Patience patience) override {
    try {
      for (;;) {
        End& end = current();
        const PushStatus status = push_or_forked(end, value, patience);
        if (status == PushStatus::ok) return true;
        if (status == PushStatus::timed_out) return false;
        if (status != PushStatus::forked) refuse(end, status);
        join_again();
      }
    } catch (const tarn::Error& error) {
      refuse_value(error);
    }
  }

  bool pop(Val& out, Patience patience) override {
    try {
      for (;;) {
        End& end = current();
        tarn::Popped popped = patience ? end.pipe.pop(*patience) : end.pipe.pop();
        if (popped.status == PopStatus::ok) {
          out = received(std::move(popped.message));
          return true;
        }
        if (popped.status == PopStatus::timed_out) return false;
        if (popped.status != PopStatus::forked) refuse(end, popped.status);
        join_again();
      }
    } catch (const tarn::Error& error) {
      throw runtime_error(error.what());
    }
  }

  bool is_empty() override {
    try {
      if (!current().region->is_of_this_process()) join_again();
      End& end = current();
      if (end.pipe.depth() != 0) return false;
      if (end.pipe.is_closed()) refuse(end, PopStatus::closed);
      if (end.region->is_lost()) refuse(end, PopStatus::node_lost);
      return true;
    } catch (const tarn::Error& error) {
      throw runtime_error(error.what());
    }
  }

 private:
  struct End {
    std::shared_ptr<Region> region;
    tarn::Pipe pipe;
    // One that was pushed, none now, to be filled again by the next who pushes.
    std::atomic<tarn::Value*> spare{nullptr};

    End(std::shared_ptr<Region> its_region, tarn::Pipe its_pipe)
        : region(std::move(its_region)), pipe(std::move(its_pipe)) {}
    ~End() {
      // relaxed: nobody else has it any more.
      delete spare.load(std::memory_order_relaxed);
    }
    End(const End&) = delete;
    End& operator=(const End&) = delete;
  };

  End& current() {
    // sync(queue-end): receives the end that use() made.
    return *current_.load(std::memory_order_acquire);
  }
  // Older ends stay, for other threads may be about to use them.
  void use(std::shared_ptr<Region> region, tarn::Pipe pipe) {
    if (!is_retired_) region->opened(name_);
    ends_.push_back(std::make_unique<End>(std::move(region), std::move(pipe)));
    // sync(queue-end): hands the end over.
    current_.store(ends_.back().get(), std::memory_order_release);
  }

  // Where memory is asked for, a fork is an error and no status.
  PushStatus push_or_forked(End& end, const Val& value, Patience patience) {
    try {
      return push_once(end, value, patience);
    } catch (const tarn::Error& error) {
      if (error.code() != tarn::Error::forked) throw;
      return PushStatus::forked;
    }
  }
  PushStatus push_once(End& end, const Val& value, Patience patience) {
    if (value.object() == nullptr && value.tag != 'Q' && value.tag != 'h' && value.tag != 'H') {
      return push_small(end, value, patience);
    }
    if (const tarn::Message* message = unchanged_message(value)) {
      return patience ? end.pipe.push(*message, *patience) : end.pipe.push(*message);
    }
    // Who only asks whether there is room shall not pay for what has none.
    if (patience && patience->count() == 0 && is_full(end)) {
      return end.region->is_lost() ? PushStatus::node_lost : PushStatus::timed_out;
    }
    return push_built(end, value, patience);
  }
  static bool is_full(End& end) {
    return end.pipe.depth() >= end.pipe.capacity() && !end.pipe.is_closed();
  }
  PushStatus push_built(End& end, const Val& value, Patience patience) {
    // sync(spare-value): receives it as the one before has left it.
    std::unique_ptr<tarn::Value> built(end.spare.exchange(nullptr, std::memory_order_acquire));
    if (built == nullptr) {
      built = std::make_unique<tarn::Value>(end.region->session().value(expected_bytes(value)));
    }
    encode(value, built->root());
    const PushStatus status =
        patience ? end.pipe.push(std::move(*built), *patience) : end.pipe.push(std::move(*built));
    if (status != PushStatus::ok) return status;
    // sync(spare-value): hands it on; it expects the next one to be as large as this was.
    delete end.spare.exchange(built.release(), std::memory_order_acq_rel);
    return status;
  }

  // Numbers and text: they mostly fit into the pipe itself, and are written beside it first.
  PushStatus push_small(End& end, const Val& value, Patience patience) {
    if (small_has_ended) {
      tarn::Value once;
      return push_small_by(once, end, value, patience);
    }
    thread_local SmallValue small;
    return push_small_by(small.value, end, value, patience);
  }
  static PushStatus push_small_by(tarn::Value& small, End& end, const Val& value,
                                  Patience patience) {
    encode(value, small.root());
    // What a long text left behind must not be sent along with every number after it.
    if (small.bytes().size() > tarn::kInlineBytes) {
      tarn::Value whole = std::move(small);
      small = tarn::Value();
      if (whole.dead_bytes() != 0) whole.compact();
      return patience ? end.pipe.push(whole, *patience) : end.pipe.push(whole);
    }
    return patience ? end.pipe.push(small, *patience) : end.pipe.push(small);
  }

  // After fork() the child has a session of its own.
  void join_again() {
    const std::scoped_lock lock(mutex_);
    if (current().region->is_of_this_process()) return;
    std::shared_ptr<Region> region = Region::join(current().region->name(), false);
    tarn::Pipe pipe = region->session().open_pipe(name_);
    use(std::move(region), std::move(pipe));
  }

  // --- refusals ---------------------------------------------------------------------------------

  [[noreturn]] void refuse(End& end, PushStatus status) {
    if (status == PushStatus::too_large || status == PushStatus::no_memory) {
      const auto refusal = end.region->session().last_refusal();
      throw runtime_error(refusal ? refusal->what() : "There is no memory for the message");
    }
    refuse_for(end, name_of(status), status == PushStatus::closed, status == PushStatus::node_lost);
  }
  [[noreturn]] void refuse(End& end, PopStatus status) {
    refuse_for(end, name_of(status), status == PopStatus::closed, status == PopStatus::node_lost);
  }
  [[noreturn]] void refuse_for(End& end, std::string_view status, bool closed, bool lost) {
    if (lost) end.region->say_lost();
    const std::string pipe = "Pipe:" + end.region->name() + "/" + name_;
    if (closed) {
      throw runtime_error(pipe + " has ended: its region was started anew; call start() again");
    }
    if (lost) throw runtime_error(pipe + " has ended with its region; call start() again");
    throw runtime_error(pipe + " cannot be used: " + std::string(status));
  }
  // A value that cannot be handed over is the caller's mistake, memory that is used up is not.
  [[noreturn]] static void refuse_value(const tarn::Error& error) {
    if (error.code() == tarn::Error::out_of_range) {
      throw logic_error("A value that is nested more than 1000 deep cannot be enqueued");
    }
    throw runtime_error(error.what());
  }

  const std::string name_;
  std::mutex mutex_;  // of join_again() and retire()
  bool is_retired_ = false;
  std::vector<std::unique_ptr<End>> ends_;
  std::atomic<End*> current_{nullptr};
};

}  // namespace

std::unique_ptr<QueueBack> pipe_queue(std::shared_ptr<Region> region, const std::string& pipe,
                                      std::optional<int> capacity) {
  tarn::Session& session = region->session();
  try {
    tarn::Pipe opened =
        capacity ? session.pipe(pipe, {.capacity = *capacity}) : session.open_pipe(pipe);
    return std::make_unique<PipeQueue>(std::move(region), std::move(opened));
  } catch (const tarn::Error& error) {
    if (!capacity && error.code() == tarn::Error::not_found) return nullptr;
    if (error.code() != tarn::Error::option_mismatch) throw;
  }
  // It is there already, with another capacity: then that holds.
  return pipe_queue(std::move(region), pipe, std::nullopt);
}

}  // namespace detail
}  // namespace OC
