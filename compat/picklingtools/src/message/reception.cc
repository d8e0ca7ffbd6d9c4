// reception.cc - how receptions begin and end, in one process and in those that it forks.
#include "message/reception.h"

#include <pthread.h>

#include <thread>

#include "val/counted.h"

namespace OC {
namespace detail {
namespace {

// Receptions that ended, kept by the thread in which they did. Trivial, so that it is there to the
// thread's very end: Vals of thread_local and static life end after what ends with the thread.
constexpr int kMostKept = 64;
struct Kept {
  void* blocks[kMostKept];
  int count;
};
thread_local Kept kept;
struct KeptEnd {
  ~KeptEnd() {
    while (kept.count > 0) ::operator delete(kept.blocks[--kept.count]);
    kept.count = kMostKept;  // what ends later in this thread is not kept
  }
};

void count_fork() {
  // relaxed: the child has one thread.
  fork_count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

std::atomic<unsigned> fork_count{0};

Reception* Reception::make(tarn::Message&& received) {
  static const bool is_watching = ::pthread_atfork(nullptr, nullptr, count_fork) == 0;
  static_cast<void>(is_watching);
  void* memory = kept.count > 0 && kept.count < kMostKept ? kept.blocks[--kept.count]
                                                          : ::operator new(sizeof(Reception));
  return new (memory) Reception(std::move(received));
}

void Reception::end(Reception* reception) noexcept {
  reception->~Reception();
  if (kept.count == 0) thread_local const KeptEnd with_the_thread;
  if (kept.count + 1 < kMostKept) {
    kept.blocks[kept.count++] = reception;
  } else {
    ::operator delete(reception);
  }
}

void retain(Hold* hold) noexcept { add_one(hold->references); }
void release(Hold* hold) noexcept {
  if (drop_one(hold->references)) Reception::end(static_cast<Reception*>(hold));
}

void retain(const Source* source) noexcept { add_one(source->references); }
void release(const Source* source) noexcept {
  if (!drop_one(source->references)) return;
  Hold* const hold = source->hold;
  // The root stands in the reception itself.
  if (source != &static_cast<Reception*>(hold)->source) delete source;
  release(hold);
}

bool Hold::is_of_this_process() const noexcept {
  // relaxed: it changes in a new process only, before anything else runs there.
  return forks == fork_count.load(std::memory_order_relaxed);
}

void Hold::check_process() const {
  if (is_of_this_process()) return;
  throw runtime_error("This packet was received before fork(): only the parent can read it");
}

void Hold::spend(std::size_t cells) {
  const auto number = static_cast<std::int64_t>(cells);
  // relaxed: a number, which nothing else follows from.
  if (cells_left.fetch_sub(number, std::memory_order_relaxed) < number) {
    give_back(cells);
    throw runtime_error("A received value makes no sense: it has more parts than bytes");
  }
}

void Hold::give_back(std::size_t cells) noexcept {
  // relaxed: as in spend().
  cells_left.fetch_add(static_cast<std::int64_t>(cells), std::memory_order_relaxed);
}

void check_process(const Source* source) { source->hold->check_process(); }

void allow_again(const Source* source) noexcept {
  source->hold->give_back(source->hold->message.size() / Hold::kCellBytes);
}

bool Waiting::is_mine_after_all() {
  constexpr int kYields = 100;
  for (int i = 0;; ++i) {
    if (is_over()) return false;
    State found = kInMessage;
    // sync(unpacking): receives what the one who gave up has undone.
    if (state_.compare_exchange_weak(found, kUnpacking, std::memory_order_acquire)) return true;
    if (i < kYields) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
}

}  // namespace detail
}  // namespace OC
