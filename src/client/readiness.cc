#include "client/readiness.h"

#include <algorithm>

#include "client/pipe_control.h"
#include "os/events.h"
#include "os/process.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;

// Everybody looks again after this long, whatever the bells say.
constexpr auto kLookAgain = 1s;
// More watches than one wait takes: the rest is looked at this often.
constexpr auto kLookAgainSoon = 1ms;

bool is_ready(PipeView& view, bool for_items) noexcept {
  if (view.is_closed()) return true;
  Peeked found;
  return for_items ? view.peek(found) != SlotPop::empty : view.has_space();
}

}  // namespace

Readiness::~Readiness() {
  {
    const std::lock_guard guard(lock_);
    ending_ = true;
  }
  notice_change();
  if (thread_.joinable()) thread_.join();
}

void Readiness::notice_change() noexcept {
  // sync(watches-changed): the thread looks at the list under the lock after it has seen this.
  changes_.fetch_add(1, std::memory_order_release);
  os::futex_wake(changes_, 1);
}

Result<int, Error> Readiness::add(std::shared_ptr<PipeControl> pipe, bool for_items) {
  auto event = os::create_event();
  if (!event) return std::move(event).error();
  const std::lock_guard guard(lock_);
  auto watch = std::make_unique<Watch>();
  watch->pipe = std::move(pipe);
  watch->for_items = for_items;
  watch->event = std::move(*event);
  const int descriptor = watch->event.get();
  if (!thread_.joinable()) {
    auto thread = os::start_quiet_thread("tarn-readiness", [this] { run(); });
    if (!thread) return std::move(thread).error();
    thread_ = std::move(*thread);
  }
  watches_.push_back(std::move(watch));
  notice_change();
  return descriptor;
}

void Readiness::remove(int descriptor) noexcept {
  {
    const std::lock_guard guard(lock_);
    for (const auto& watch : watches_) {
      if (watch->event.get() == descriptor) set_raised(*watch, false);
    }
    std::erase_if(watches_, [&](const auto& watch) { return watch->event.get() == descriptor; });
  }
  notice_change();
}

void Readiness::raise_all() noexcept {
  const std::lock_guard guard(lock_);
  all_raised_ = true;
  for (const auto& watch : watches_) {
    set_raised(*watch, true);
    os::raise_event(watch->event.get());
  }
}

void Readiness::set_raised(Watch& watch, bool raised) noexcept {
  if (watch.raised == raised) return;
  watch.raised = raised;
  // relaxed: a guess for rearm(); the lock orders what counts.
  raised_count_.fetch_add(raised ? 1 : ~0U, std::memory_order_relaxed);
}

void Readiness::rearm(int descriptor) noexcept {
  // relaxed: one that is raised at this moment stays readable, and the next try is told.
  if (raised_count_.load(std::memory_order_relaxed) == 0) return;
  const std::lock_guard guard(lock_);
  if (all_raised_) return;
  for (const auto& watch : watches_) {
    if (watch->event.get() != descriptor || !watch->raised) continue;
    // What came between the empty try and now: stay readable.
    if (is_ready(watch->pipe->view, watch->for_items)) return;
    os::clear_event(descriptor);
    set_raised(*watch, false);
    notice_change();
  }
}

// model: bells.pml, labels watch_announce, watch_raised
std::vector<os::FutexWatch> Readiness::arm() {
  std::vector<os::FutexWatch> bells;
  for (const auto& watch : watches_) {
    if (watch->raised) continue;
    PipeView& view = watch->pipe->view;
    os::FutexWord& bell = watch->for_items ? view.items_bell() : view.space_bell();
    // Those that one wait cannot take (the list's own word needs a place too) are only looked at.
    const bool fits = bells.size() + 1 < os::kMaxWatches;
    const std::uint32_t announced = fits ? announce_sleep(bell) : 0;
    if (all_raised_ || is_ready(view, watch->for_items)) {
      set_raised(*watch, true);
      os::raise_event(watch->event.get());
      // The ring that woke us may have been for one sleeper, and we take nothing: pass it on.
      ring(bell);
    } else if (fits) {
      bells.push_back({&bell, announced});
    }
  }
  return bells;
}

void Readiness::run() {
  for (;;) {
    // sync(watches-changed): a change after this load ends the sleep below.
    const std::uint32_t seen = changes_.load(std::memory_order_acquire);
    std::vector<os::FutexWatch> bells;
    std::vector<std::shared_ptr<PipeControl>> keepalive;
    {
      const std::lock_guard guard(lock_);
      if (ending_) return;
      bells = arm();
      for (const auto& watch : watches_) keepalive.push_back(watch->pipe);
    }
    bells.push_back({&changes_, seen});
    const bool all_fit = bells.size() < os::kMaxWatches;
    os::futex_wait_any(bells, Deadline::in(all_fit ? kLookAgain : kLookAgainSoon));
  }
}

}  // namespace tarn
