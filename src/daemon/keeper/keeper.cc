#include "daemon/keeper/keeper.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>

#include "base/crash_point.h"
#include "base/log.h"
#include "daemon/door.h"
#include "daemon/store/channel.h"
#include "os/life/stopped.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/run/spawn.h"
#include "os/socket.h"
#include "shm/session/session.h"

namespace tarn::daemon {
namespace {

using namespace std::chrono_literals;

enum Tag : std::uint64_t { kSignals = 1, kChannel, kWorker, kFirstThread };

constexpr std::array kEndingSignals = {SIGTERM, SIGINT};
// SIGHUP of a closing terminal is taken and ignored.
// SIGCHLD also tells of orphans: what supervised clients and their shepherds leave comes to us.
constexpr std::array kSignalsTaken = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
constexpr auto kRetryFork = 100ms;
constexpr auto kPatienceWithWorker = 3s;
// With threads of a worker whose first one has ended: nearly always they are a few steps behind.
constexpr auto kPatienceWithThreads = 500ms;
// Kernels before 6.9 tell nothing of the first thread's end alone, and those from 6.15 on wait for
// the others.
constexpr auto kLookAtWorker = 1s;
// In each span that the service manager waits for one: a loss or two do no harm.
constexpr std::int64_t kSignsOfLife = 4;

// The node's table, mapped writable before it is sealed: each worker inherits the mapping, which
// nobody can make anew. That is why it is not made by create_segment().
FullStatus make_node_segment(WorkerSeed& seed, std::uint64_t keepers) {
  auto memory = os::create_memory("tarn-node", layout::kNodeBytes);
  if (!memory) return std::move(memory).error();
  if (auto done = os::allocate_pages(memory->get(), 0, layout::kNodeBytes); !done) return done;
  auto mapping = os::map_writable(memory->get(), layout::kNodeBytes);
  if (!mapping) return std::move(mapping).error();
  os::keep_from_dumps(*mapping);
  Segment segment(std::move(*mapping));
  if (auto done = format_node(segment, seed.facts.node_id, keepers); !done) {
    return Error(done.error(), "format the node's table", "node", {});
  }
  if (auto done = os::seal(memory->get(), true); !done) return done;
  seed.node_memory = std::move(*memory);
  seed.node_segment = std::move(segment);
  return Done{};
}

// The service manager's socket, or one of our own.
Result<os::UniqueFd, Error> listen(RunDirectory& directory, os::ServiceManager& service,
                                   NodeFacts& facts) {
  if (service) facts.service |= wire::kServiceNotified;
  if (service.watchdog_ns() > 0) {
    facts.service |= wire::kServiceWatched;
    facts.alive_every_ns = service.watchdog_ns() / kSignsOfLife;
  }
  os::UniqueFd made = service.take_listener();
  if (!made) return directory.listen();
  directory.keep_socket();
  auto good = os::adopt_listener(made.get(), directory.paths().socket);
  if (!good) return std::move(good).error();
  facts.service |= wire::kServiceActivated;
  return made;
}

// As if a worker had stored them: the first one finds them like every other.
void store_rules(WorkerSeed& seed, Safekeeping& safe, const std::vector<wire::AccessRule>& access) {
  std::uint32_t number = 0;
  for (const wire::AccessRule& rule : access) {
    const StoredAccessRule stored{++number, 0, rule};
    safe.put(key_of(stored), encode_record(stored), {});
    seed.store.put(key_of(stored), encode_record(stored), {});
  }
}

bool has_door(RecordStore& store) {
  bool found = false;
  store.for_each(RecordKind::door, [&](const RecordKey&, const StoredRecord&) { found = true; });
  return found;
}

// Either the node of the last keeper, or a new one.
Result<Safekeeping, Error> find_node(WorkerSeed& seed, os::ServiceManager& service,
                                     const std::vector<wire::AccessRule>& access) {
  NodeFacts& facts = seed.facts;
  os::random_bytes(&facts.node_id, sizeof facts.node_id);
  facts.began_ns = monotonic_ns();
  facts.keeper_pid = os::own_pid();
  auto left = inherit(service, {facts.application, facts.user, facts.node_id, facts.began_ns});
  if (!left) return std::move(left).error();
  seed.store = std::move(left->store);
  Safekeeping& safe = left->safe;
  if (safe) facts.service |= wire::kServiceKeeps;
  if (left->goes_on) {
    const BookFacts before = safe.book().facts();
    facts.node_id = before.node_id;
    facts.began_ns = before.began_ns;
    log_info("the node of the last keeper goes on, with " + std::to_string(seed.store.size()) +
             " records; keeper " + std::to_string(safe.book().keepers()) + " of this node");
  } else {
    store_rules(seed, safe, access);
  }
  // What a node that was killed left there leads nowhere.
  if (!has_door(seed.store)) remove_door(facts.door);
  return std::move(safe);
}

}  // namespace

Result<Keeper, Error> Keeper::create(RunDirectory& directory, NodeFacts facts,
                                     os::ServiceManager service,
                                     const std::vector<wire::AccessRule>& access) {
  WorkerSeed seed;
  seed.facts = std::move(facts);
  auto manager = std::make_unique<os::ServiceManager>(std::move(service));
  auto safe = find_node(seed, *manager, access);
  if (!safe) return std::move(safe).error();
  const std::uint64_t keepers = *safe ? safe->book().keepers() : 0;
  if (auto done = make_node_segment(seed, keepers); !done) return std::move(done).error();
  auto poller = os::Poller::create();
  if (!poller) return std::move(poller).error();
  auto signals = os::signals_as_descriptor(kSignalsTaken);
  if (!signals) return std::move(signals).error();
  if (auto done = poller->watch(signals->get(), kSignals); !done) return std::move(done).error();
  if (auto done = os::adopt_orphans(); !done) log_warning(done.error().what());
  if (auto done = directory.write_pid(); !done) return std::move(done).error();
  auto listener = listen(directory, *manager, seed.facts);
  if (!listener) return std::move(listener).error();
  seed.listener = std::move(*listener);
  return Keeper(std::move(directory), std::move(seed), std::move(*poller), std::move(*signals),
                std::move(manager), std::move(*safe));
}

// From now on whoever reads the table sees when it is one of the past: before the manager can learn
// of this process's death, and start another.
void Keeper::mark_table(os::RobustHold& life) {
  const auto table = NodeTable::attach(seed_.node_segment);
  if (!safe_ || (table && life.take(table->keeper()))) return;
  log_error("the kernel marks no deaths: the node will not outlive its keeper");
  safe_.close();
}

Keeper::Role Keeper::run() {
  os::RobustHold life;
  mark_table(life);
  for (;;) {
    if (!has_worker()) {
      if (ending_) break;
      if (start_at_.has_passed() && !start_worker()) {
        life.forget();
        return Role::worker;
      }
    }
    const Deadline next = has_worker() ? kill_at_.earlier(look_at_) : start_at_;
    for (const os::Event& event : poller_.wait(next)) {
      if (event.tag == kSignals) on_signal();
      if (event.tag == kChannel) take_messages();
      if (event.tag == kWorker) on_worker_end();
      if (event.tag == kFirstThread) on_first_thread_end();
    }
    if (has_worker() && look_at_.has_passed()) look_at_worker();
    if (ending_ && has_worker() && kill_at_.has_passed()) enforce_end();
  }
  log_info("the node ends");
  remove_door(seed_.facts.door);
  directory_.remove(keep_log_);
  return Role::ended;
}

bool Keeper::start_worker() {
  auto ends = os::socket_pair();
  if (ends) safe_.keep_channel(ends->first.get());
  TARN_CRASH_POINT("keeper.worker.channel_kept");
  auto child = ends ? os::fork_process() : Result<std::int32_t, Error>(ends.error());
  if (!child) {
    log_error(std::string("starting a worker: ") + child.error().what());
    safe_.forget_channel();
    start_at_ = Deadline::in(kRetryFork);
    return true;
  }
  ++seed_.facts.worker_starts;
  if (*child == 0) {
    if (!os::end_with_parent(seed_.facts.keeper_pid)) os::exit_at_once(1);
    seed_.channel = std::move(ends->second);
    return false;
  }
  adopt_worker(*child, std::move(ends->first));
  return true;
}

void Keeper::adopt_worker(std::int32_t pid, os::UniqueFd channel) {
  worker_pid_ = pid;
  worker_began_ns_ = monotonic_ns();
  channel_ = std::move(channel);
  // Without a pidfd the channel's end tells of the death, a little later.
  auto worker = os::open_pidfd(pid);
  if (worker && poller_.watch(worker->get(), kWorker)) worker_ = std::move(*worker);
  if (auto done = poller_.watch(channel_.get(), kChannel); !done) log_error(done.error().what());
  was_doomed_ = false;
  look_at_ = Deadline::in(kLookAtWorker);
  auto first = os::open_first_thread(pid);
  if (!first || !poller_.watch(first->get(), kFirstThread)) return;
  first_thread_ = std::move(*first);
}

WorkerSeed Keeper::take_seed() {
  directory_.forget_lock();
  { const os::Poller closed = std::move(poller_); }
  signals_.reset();
  { const Safekeeping closed = std::move(safe_); }
  service_.reset();
  channel_.reset();
  worker_.reset();
  first_thread_.reset();
  return std::move(seed_);
}

void Keeper::take_messages() {
  for (;;) {
    switch (receive_into(seed_.store, channel_.get(), safe_)) {
      case ChannelEvent::applied:
        continue;
      case ChannelEvent::nothing:
        return;
      case ChannelEvent::refused:
        log_error("a message of the worker made no sense, or came without its descriptors");
        continue;
      case ChannelEvent::stop:
        begin_end();
        continue;
      case ChannelEvent::alive:
        tell_service();
        continue;
      case ChannelEvent::ended:
        poller_.forget(channel_.get());
        if (!worker_) on_worker_end();
        return;
    }
  }
}

void Keeper::on_worker_end() {
  if (!has_worker()) return;
  const std::int32_t pid = std::exchange(worker_pid_, 0);
  const os::ChildEnd end = os::reap_child(pid);
  end_worker(pid, end.text(), end.signal == SIGKILL);
}

// Others of its threads may have yet to end, or hang: then the process has not ended, as far as
// waiting for it goes.
void Keeper::on_first_thread_end() {
  if (!first_thread_) return;
  poller_.forget(first_thread_.get());
  first_thread_.reset();
  was_doomed_ = true;
  look_at_ = Deadline::in(kPatienceWithThreads);
}

// Another account decides how long closing one of its descriptors takes, and not even SIGKILL ends
// that. None of the worker's threads does anything any more, so that the next one may begin; the
// process is reaped whenever it ends.
void Keeper::look_at_worker() {
  const bool is_doomed = os::has_only_doomed_threads(worker_pid_);
  if (!is_doomed || !was_doomed_) {
    const bool goes_on = !is_doomed && !was_doomed_;
    look_at_ = Deadline::in(goes_on ? kLookAtWorker : kPatienceWithThreads);
    was_doomed_ = was_doomed_ || is_doomed;
    return;
  }
  end_worker(std::exchange(worker_pid_, 0), "but for a thread that the kernel does not let go",
             true);
}

void Keeper::end_worker(std::int32_t pid, const std::string& how, bool killed) {
  // What the worker had sent before it died counts.
  take_messages();
  TARN_CRASH_POINT("keeper.worker.ended");
  safe_.forget_channel();
  // The service manager may have it still: closing ours would not end the watching.
  poller_.forget(channel_.get());
  channel_.reset();
  worker_.reset();
  first_thread_.reset();
  look_at_ = Deadline::never();
  kill_at_ = Deadline::never();
  if (ending_) return;
  if (!killed) keep_log_ = true;
  const std::chrono::nanoseconds lived(monotonic_ns() - worker_began_ns_);
  const auto wait = pace_.wait_after(lived, killed);
  start_at_ = Deadline::in(wait);
  log_error("worker " + std::to_string(pid) + " ended " + how + " after " +
            std::to_string(lived / 1ms) + " ms; the next one starts in " +
            std::to_string(wait / 1ms) + " ms");
}

void Keeper::on_signal() {
  const int signal = os::next_signal(signals_.get());
  if (signal == SIGCHLD) reap_orphans();
  for (const int ending : kEndingSignals) {
    if (signal != ending) continue;
    log_info("told to end by signal " + std::to_string(signal));
    begin_end();
    if (has_worker()) os::signal_child(worker_pid_, SIGTERM);
  }
}

void Keeper::reap_orphans() {
  while (const std::int32_t pid = os::ended_child()) {
    if (pid == worker_pid_) {
      on_worker_end();
    } else {
      os::reap_child(pid);
    }
  }
}

// How long the slowest supervised client may take to end.
std::chrono::nanoseconds Keeper::patience_with_clients() {
  std::int64_t longest_ns = 0;
  seed_.store.for_each(RecordKind::client, [&](const RecordKey& key, const StoredRecord& record) {
    const auto client = decode_record<StoredClient>(key, record.bytes);
    if (client) longest_ns = std::max(longest_ns, client->stop_ns);
  });
  return std::chrono::nanoseconds(longest_ns);
}

// The worker says goodbye to its clients and ends by itself.
void Keeper::begin_end() {
  if (!ending_) kill_at_ = Deadline::in(kPatienceWithWorker + patience_with_clients());
  safe_.close();
  if (!ending_) service_->notify("STOPPING=1\nSTATUS=ending");
  ending_ = true;
}

// Only when a worker serves: one that hangs, or cannot be started, is for the manager to notice.
void Keeper::tell_service() {
  std::string state = "WATCHDOG=1\nSTATUS=" + status_text();
  if (!told_ready_) state = "READY=1\nMAINPID=" + std::to_string(os::own_pid()) + '\n' + state;
  if (!told_ready_ && safe_) safe_.book().note_service();
  told_ready_ = true;
  service_->notify(state);
}

std::string Keeper::status_text() {
  const auto count = [&](RecordKind kind) {
    std::size_t records = 0;
    seed_.store.for_each(kind, [&](const RecordKey&, const StoredRecord&) { ++records; });
    return std::to_string(records);
  };
  return "worker " + std::to_string(worker_pid_) + ", " + count(RecordKind::session) +
         " sessions, " + count(RecordKind::pipe) + " pipes, " + count(RecordKind::client) +
         " supervised clients" +
         (safe_ ? ", " + std::to_string(safe_.kept()) + " descriptors kept" : std::string()) +
         (safe_.unkept() > 0 ? ", " + std::to_string(safe_.unkept()) + " objects not" : "");
}

void Keeper::enforce_end() noexcept {
  log_warning("the worker did not end in time; it is killed");
  os::signal_child(worker_pid_, SIGKILL);
  kill_at_ = Deadline::never();
}

}  // namespace tarn::daemon
