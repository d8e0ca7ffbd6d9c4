#include "client/session_core.h"

#include <algorithm>
#include <climits>
#include <limits>

#include "base/crash_point.h"
#include "client/lingering.h"

namespace tarn::detail {
namespace {

using namespace std::chrono_literals;

constexpr auto kHousekeeping = 1s;
constexpr std::uint64_t kIdleTicks = 10;  // seconds after which unused memory goes back

}  // namespace

Result<std::shared_ptr<SessionCore>, Error> SessionCore::create(
    os::UniqueFd socket, const wire::RunPaths& paths, const wire::DomainKey& key,
    SessionRecord record, const wire::Hello& hello, const wire::Welcome& welcome, Segment node) {
  // In a fork()ed child the memory is not mapped and the threads are not there: leave it alone.
  std::shared_ptr<SessionCore> core(
      new SessionCore(key, std::move(record), welcome, std::move(node)), [](SessionCore* ended) {
        if (ended->is_ours()) end_or_linger(ended);
      });
  wire::Hello resume = hello;
  resume.flags |= wire::kHelloResume;
  resume.session_index = welcome.session_index;
  resume.session_generation = welcome.session_generation;
  resume.token = welcome.token;
  resume.node_id = welcome.node_id;
  Connection::Hooks hooks;
  hooks.segment_gone = [raw = core.get()](SegmentId id) {
    raw->slabs_.forget(id, raw->record_, raw->record_lock_);
  };
  hooks.back = [raw = core.get()](const Reply& reply) { return raw->tables_.renew(reply); };
  hooks.coming_back = [raw = core.get()] { raw->tables_.note_worker(); };
  hooks.is_replaced = [raw = core.get()] { return raw->tables_.has_other_worker(); };
  hooks.node_lost = [raw = core.get()] {
    // relaxed: as in is_lost().
    raw->lost_.store(true, std::memory_order_relaxed);
    raw->readiness_.raise_all();
  };
  core->connection_ =
      std::make_unique<Connection>(std::move(socket), paths, resume, std::move(hooks));
  if (auto done = core->begin_threads(); !done) return std::move(done).error();
  return core;
}

FullStatus SessionCore::begin_threads() {
  if (auto done = connection_->begin(); !done) return done;
  auto housekeeper = os::start_quiet_thread("tarn-housekeeper", [this] { keep_house(); });
  if (!housekeeper) return std::move(housekeeper).error();
  housekeeper_ = std::move(*housekeeper);
  return Done{};
}

SessionCore::SessionCore(const wire::DomainKey& key, SessionRecord record,
                         const wire::Welcome& welcome, Segment node)
    : fork_generation_(os::fork_generation()),
      key_(key),
      id_{welcome.session_index, welcome.session_generation},
      max_message_bytes_(welcome.max_message_bytes),
      record_(std::move(record)),
      heap_(*this) {
  const bool is_table = tables_.use(std::move(node));
  TARN_ASSERT(is_table);  // create()'s caller has checked it
}

SessionCore::~SessionCore() {
  {
    const std::lock_guard guard(house_lock_);
    ending_ = true;
  }
  house_.notify_all();
  if (housekeeper_.joinable()) housekeeper_.join();
  // The goodbye may reach no worker, or one that dies of something else. What stands in the word by
  // now tells this one, or the next, that nothing uses the session any more.
  connection_.reset();
  os::futex_wake(record_.life(), INT_MAX);
}

void SessionCore::require_ours(const char* attempted) const {
  if (is_ours()) return;
  throw Error(Error::forked, attempted, "this process is a fork()ed child",
              "connect anew in the child");
}

bool SessionCore::is_in_use() {
  // seq_cst: the hold counts and g_lingering need one order, as in note_let_go().
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (record_.total_holds() > 0) return true;
  for (Heap* heap : heaps()) {
    if (heap->has_loans()) return true;
  }
  return false;
}

// The thread that lives as long as the session also holds the word that tells of its end. Without
// the kernel's help the node learns of it from the socket and the pidfd, later.
void SessionCore::keep_house() {
  os::RobustHold life;
  life.take(record_.life());
  std::unique_lock guard(house_lock_);
  while (!ending_) {
    const bool errand = house_.wait_for(guard, kHousekeeping, [&] { return ending_ || errand_; });
    if (ending_) break;
    errand_ = false;
    guard.unlock();
    tell_of_leaving();
    for (Heap* heap : heaps()) {
      heap->relieve();
      if (!errand) heap->return_idle(kIdleTicks);
    }
    guard.lock();
  }
  // It is never unmarked while the session ends: another thread may execute a program meanwhile.
  life.release(os::kOwnerDied);
}

// --- Pipes --------------------------------------------------------------------------------------

Result<std::shared_ptr<PipeCore>, Error> SessionCore::open_pipe(std::string_view name,
                                                                const PipeOptions& options,
                                                                wire::OpenMode mode) {
  if (auto good = wire::check_pipe_name(name); !good) return std::move(good).error();
  auto request = wire::make<wire::PipeOpen>(0);
  wire::put_text(request.name, name);
  request.mode = mode;
  request.has_capacity = options.capacity.has_value() ? 1 : 0;
  request.capacity = options.capacity.value_or(kDefaultCapacity);
  request.has_delivery = options.delivery.has_value() ? 1 : 0;
  request.delivery = static_cast<std::uint32_t>(options.delivery.value_or(Delivery::at_most_once));
  os::random_bytes(&request.nonce, sizeof request.nonce);
  // One opening at a time: two handles to one pipe share one core.
  const std::lock_guard guard(pipes_lock_);
  os::UniqueFd fd;
  auto opened = connection_->ask<wire::PipeOpened>(request, "open the pipe", -1, &fd);
  if (!opened) return std::move(opened).error();
  if (auto known = pipes_[opened->pipe_id].lock(); known != nullptr) return known;
  auto segment = map_foreign(fd.get(), opened->size_bytes, false, true);
  if (!segment) return std::move(segment).error();
  os::populate(segment->mapping(), true);
  auto control = std::make_shared<PipeControl>();
  control->segment = std::move(*segment);
  auto view = PipeView::attach(control->segment);
  if (!view || view->pipe_id() != opened->pipe_id) {
    return Error(Error::corrupt, "open the pipe", std::string(name), "remove it: `tarn pipe rm`");
  }
  control->view = *view;
  auto end = end_for(opened->pipe_id, name);
  if (!end) return std::move(end).error();
  auto core = std::shared_ptr<PipeCore>(
      new PipeCore(shared_from_this(), std::string(name), static_cast<Delivery>(opened->delivery),
                   std::move(control), *end, opened->audience),
      [](PipeCore* ended) {
        if (ended->session().is_ours()) delete ended;
      });
  pipes_[opened->pipe_id] = core;
  return core;
}

// The counters of a pipe that is opened again before the node heard of leaving just go on.
// Requires: pipes_lock_ is held.
Result<layout::EndEntry*, Error> SessionCore::end_for(std::uint32_t pipe_id,
                                                      std::string_view name) {
  for (const Leaving& left : leaving_) {
    if (left.pipe_id != pipe_id) continue;
    layout::EndEntry* end = left.end;
    std::erase_if(leaving_, [&](const Leaving& entry) { return entry.end == end; });
    return end;
  }
  const std::lock_guard record_guard(record_lock_);
  const auto added = record_.add_end(pipe_id);
  if (added) return *added;
  return Error(added.error(), "open the pipe", std::string(name),
               "close pipes that this process no longer needs");
}

void SessionCore::leave_pipe(PipeCore& pipe) noexcept {
  const std::uint32_t id = pipe.view().pipe_id();
  {
    const std::lock_guard guard(pipes_lock_);
    pipe.heap().keep_pipe(&pipe.view(), pipe.control());
    leaving_.push_back({id, pipe.end()});
    const auto known = pipes_.find(id);
    if (known != pipes_.end() && known->second.expired()) pipes_.erase(known);
  }
  call_housekeeper();
}

void SessionCore::call_housekeeper() noexcept {
  const std::lock_guard guard(house_lock_);
  errand_ = true;
  house_.notify_all();
}

void SessionCore::tell_of_leaving() {
  const std::lock_guard guard(pipes_lock_);
  for (const Leaving& left : leaving_) {
    // Opened again, with an entry of its own: only the old one's numbers go.
    const bool again = pipes_.contains(left.pipe_id) && !pipes_[left.pipe_id].expired();
    auto request = wire::make<wire::PipeLeave>(0);
    request.pipe_id = left.pipe_id;
    if (!again) static_cast<void>(connection_->ask<wire::DoneReply>(request, "leave the pipe"));
    const std::lock_guard record_guard(record_lock_);
    record_.remove_end(left.end);
  }
  leaving_.clear();
}

FullStatus SessionCore::remove_pipe(std::string_view name) {
  if (auto good = wire::check_pipe_name(name); !good) return good;
  auto request = wire::make<wire::PipeRemove>(0);
  wire::put_text(request.name, name);
  auto done = connection_->ask<wire::DoneReply>(request, "remove the pipe");
  if (!done) return std::move(done).error();
  return Done{};
}

// --- Messages -----------------------------------------------------------------------------------

FullStatus SessionCore::loan_slowly(std::size_t size_bytes, Loan& loan, Heap& heap) {
  if (size_bytes > max_message_bytes_) {
    return Error(Error::too_large, "loan memory",
                 std::to_string(size_bytes) + " bytes where the domain's limit is " +
                     std::to_string(max_message_bytes_),
                 "send it in pieces, or start the node with a higher limit: `tarnd --limit SIZE`");
  }
  auto place = heap.loan(size_bytes);
  if (!place) return std::move(place).error();
  fill_in(loan, *place, size_bytes);
  return Done{};
}

FullStatus SessionCore::meet_slab(const ChunkReference& reference) {
  const ForeignSlab* slab = slabs_.find(reference.segment);
  if (slab == nullptr) {
    auto fetched = slabs_.fetch(reference.segment, *connection_, record_, record_lock_);
    if (!fetched) return std::move(fetched).error();
    slab = *fetched;
  }
  if (slab->contains(reference)) return Done{};
  return Error(Error::corrupt, "pop", "a slot that names what cannot be", {});
}

FullStatus SessionCore::carry(ForeignSlab& slab, const PipeCore& pipe) {
  const std::uint32_t pipe_id = pipe.view().pipe_id();
  // relaxed: asking once too often is harmless.
  if (slab.carried_to.load(std::memory_order_relaxed) == pipe_id) return Done{};
  auto request = wire::make<wire::SegmentCarry>(0);
  request.index = slab.id.index;
  request.generation = slab.id.generation;
  request.pipe_id = pipe_id;
  auto done = connection_->ask<wire::DoneReply>(request, "pass a message on");
  if (!done) return std::move(done).error();
  // relaxed: as above.
  slab.carried_to.store(pipe_id, std::memory_order_relaxed);
  return Done{};
}

// --- HeapHost -----------------------------------------------------------------------------------

// Crash: a slab that the node never heard of dies with its descriptor; one that it knows is dropped
//        with its owner, for no slot can name it before this returns.
Result<AddedSlab, Error> SessionCore::add_slab(std::uint64_t chunk_bytes, std::uint32_t chunks) {
  return add_slab_for(0, chunk_bytes, chunks);
}

Result<AddedSlab, Error> SessionCore::add_slab_for(std::uint32_t audience,
                                                   std::uint64_t chunk_bytes,
                                                   std::uint32_t chunks) {
  const auto size = slab_bytes(chunk_bytes, chunks);
  if (!size) return Error(Error::too_large, "loan memory", std::to_string(chunk_bytes), {});
  auto reserve = wire::make<wire::SegmentReserve>(0);
  reserve.size_bytes = *size;
  auto reserved = connection_->ask<wire::DoneReply>(reserve, "loan memory");
  if (!reserved) return std::move(reserved).error();
  TARN_CRASH_POINT("heap.grow.reserved");
  auto owned = create_segment("tarn-slab", *size, *size, true);
  if (!owned) return std::move(owned).error();
  TARN_CRASH_POINT("heap.grow.created");
  os::populate(owned->segment.mapping(), true);
  format_slab(owned->segment, chunk_bytes, chunks);
  auto add = wire::make<wire::SegmentAdd>(0);
  add.size_bytes = *size;
  add.chunk_bytes = chunk_bytes;
  add.chunk_count = chunks;
  add.audience = audience;
  os::random_bytes(&add.nonce, sizeof add.nonce);
  auto added = connection_->ask<wire::SegmentAdded>(add, "loan memory", owned->fd.get());
  if (!added) return std::move(added).error();
  TARN_CRASH_POINT("heap.grow.added");
  return AddedSlab{{added->index, added->generation}, std::move(owned->segment)};
}

void SessionCore::remove_slab(SegmentId id) noexcept {
  auto request = wire::make<wire::SegmentRemove>(0);
  request.index = id.index;
  request.generation = id.generation;
  connection_->tell(request);
}

std::uint64_t SessionCore::viewers_epoch() const noexcept {
  return tables_.viewers_epoch(id_.index);
}

}  // namespace tarn::detail
