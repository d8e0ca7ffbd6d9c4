#include "daemon/worker/death_watch.h"

#include <algorithm>
#include <climits>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/log.h"
#include "os/events.h"
#include "os/futex.h"
#include "os/life/robust.h"
#include "os/memory.h"
#include "os/process.h"
#include "shm/session/session_layout.h"

namespace tarn::daemon {
namespace {

// One word of each call to the kernel is the lane's own.
constexpr std::size_t kSessionsALane = os::kMaxWatches - 1;
// An honest session changes its word twice: when it begins and when it ends.
constexpr std::uint32_t kMostChanges = 16;

struct Watched {
  SessionId id;
  os::Mapping page;
  std::uint32_t seen = 0;
  std::uint32_t changes = 0;

  const os::FutexWord& life() const noexcept {
    return reinterpret_cast<const layout::SessionHeader*>(page.base())->life;
  }
};

}  // namespace

// One thread and the sessions that it watches.
class DeathWatch::Lane {
 public:
  explicit Lane(int event) noexcept : event_(event) {}
  FullStatus begin() {
    auto thread = os::start_quiet_thread("tarnd-deaths", [this] { run(); });
    if (!thread) return std::move(thread).error();
    thread_ = std::move(*thread);
    return Done{};
  }
  ~Lane() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard guard(lock_);
      ending_ = true;
    }
    call();
    thread_.join();
  }

  bool add(SessionId id, os::Mapping& page) {
    {
      const std::lock_guard guard(lock_);
      if (watched_.size() >= kSessionsALane) return false;
      auto entry = std::make_shared<Watched>();
      entry->id = id;
      entry->page = std::move(page);
      watched_.push_back(std::move(entry));
    }
    call();
    return true;
  }
  bool remove(SessionId id) {
    {
      const std::lock_guard guard(lock_);
      if (std::erase_if(watched_, [&](const auto& each) { return each->id == id; }) == 0) {
        return false;
      }
    }
    call();
    return true;
  }
  void take_news(std::vector<SessionId>& news) {
    const std::lock_guard guard(lock_);
    news.insert(news.end(), news_.begin(), news_.end());
    news_.clear();
  }

 private:
  // The thread looks at its list anew.
  void call() noexcept {
    // sync(death-watch): the list is behind a lock; the word only ends the sleep.
    calls_.fetch_add(1, std::memory_order_release);
    os::futex_wake(calls_, INT_MAX);
  }
  // While the thread sleeps on it, a page that is removed stays mapped: `own` keeps it.
  void run() {
    std::vector<std::shared_ptr<Watched>> own;
    std::vector<os::FutexWatch> words;
    for (;;) {
      // sync(death-watch): as in call().
      const std::uint32_t calls = calls_.load(std::memory_order_acquire);
      {
        const std::lock_guard guard(lock_);
        if (ending_) return;
        look();
        own = watched_;
      }
      words.assign(1, {&calls_, calls});
      for (const auto& each : own) words.push_back({&each->life(), each->seen});
      os::futex_wait_any(words, Deadline::never());
    }
  }
  // Reads every word; those that say something leave the list. Requires: lock_ is held.
  void look() {
    const std::size_t before = news_.size();
    std::erase_if(watched_, [this](const std::shared_ptr<Watched>& each) {
      // sync(life): receives what the process did before its end.
      const std::uint32_t now = each->life().load(std::memory_order_acquire);
      if ((now & os::kOwnerDied) != 0) {
        news_.push_back(each->id);
        return true;
      }
      if (now == std::exchange(each->seen, now)) return false;
      if (++each->changes < kMostChanges) return false;
      log_warning("session " + std::to_string(each->id.index) +
                  " plays with its life word: only its pidfd will tell of its end");
      return true;
    });
    if (news_.size() > before) os::raise_event(event_);
  }

  const int event_;
  os::FutexWord calls_{0};
  std::mutex lock_;
  std::vector<std::shared_ptr<Watched>> watched_;  // guarded by lock_
  std::vector<SessionId> news_;                    // guarded by lock_
  bool ending_ = false;                            // guarded by lock_
  std::thread thread_;
};

DeathWatch::DeathWatch(os::UniqueFd event) noexcept : event_(std::move(event)) {}
DeathWatch::~DeathWatch() = default;

Result<std::unique_ptr<DeathWatch>, Error> DeathWatch::create() {
  auto event = os::create_event();
  if (!event) return std::move(event).error();
  return std::unique_ptr<DeathWatch>(new DeathWatch(std::move(*event)));
}

FullStatus DeathWatch::watch(SessionId id, int memory) {
  auto page = os::map_readable(memory, kPage);
  if (!page) return std::move(page).error();
  for (const auto& lane : lanes_) {
    if (lane->add(id, *page)) return Done{};
  }
  auto lane = std::make_unique<Lane>(event_.get());
  if (auto done = lane->begin(); !done) return done;
  lane->add(id, *page);
  lanes_.push_back(std::move(lane));
  return Done{};
}

void DeathWatch::forget(SessionId id) {
  for (const auto& lane : lanes_) {
    if (lane->remove(id)) return;
  }
}

std::vector<SessionId> DeathWatch::take_news() {
  os::clear_event(event_.get());
  std::vector<SessionId> news;
  for (const auto& lane : lanes_) lane->take_news(news);
  return news;
}

}  // namespace tarn::daemon
