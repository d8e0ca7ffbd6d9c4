#include "shm/heap/heap.h"

#include <algorithm>
#include <utility>

namespace tarn {
namespace {

constexpr std::size_t kBatch = 64;
// So many looks that brought a chunk or two are too many, unless the class has enough chunks.
constexpr std::uint32_t kTooOften = 64;
constexpr std::uint64_t kEnoughChunks = 4;  // small classes begin with as many
constexpr std::uint64_t kEnoughBytes = 16 << 20;

}  // namespace

std::uint64_t Heap::enough_chunks(const Class& chunks) noexcept {
  const std::uint64_t fitting = kEnoughBytes / chunks.slabs.front()->chunk_bytes;
  return std::clamp<std::uint64_t>(fitting, 2, kEnoughChunks);
}

Heap::Class& Heap::class_at(std::uint32_t index) {
  std::atomic<Class*>& cell = classes_[index];
  // sync(class-made): receives the constructed class.
  if (Class* made = cell.load(std::memory_order_acquire); made != nullptr) return *made;
  const std::lock_guard guard(making_);
  // relaxed: the lock orders it.
  if (Class* made = cell.load(std::memory_order_relaxed); made != nullptr) return *made;
  owned_classes_.push_back(std::make_unique<Class>());
  // sync(class-made): hands the class over.
  cell.store(owned_classes_.back().get(), std::memory_order_release);
  return *owned_classes_.back();
}

// --- Loans --------------------------------------------------------------------------------------

Result<ChunkPlace, Error> Heap::loan(std::uint64_t size_bytes) {
  if (ChunkPlace place; try_loan(size_bytes, place)) return place;
  if (size_bytes > kMaxChunkBytes) {
    return Error(Error::too_large, "loan memory", std::to_string(size_bytes) + " bytes",
                 "send it in pieces");
  }
  const SizeClass size = size_class_of(size_bytes);
  Class& chunks = class_at(size.index);
  const std::lock_guard guard(chunks.looking);
  ChunkPlace place;
  // Other threads may take what we find: then we go on.
  for (;;) {
    if (take_free(chunks, size_bytes, place)) return place;
    for (const Extent extent : {Extent::first_few, Extent::everything}) {
      reclaim(chunks, extent);
      if (take_free(chunks, size_bytes, place)) return place;
    }
    const std::uint32_t count = next_slab_chunks(size.chunk_bytes, chunks.chunks);
    auto grown = grow(chunks, size.chunk_bytes, count);
    // A limit may have room for one chunk where it has none for many.
    if (!grown && count > 1) grown = grow(chunks, size.chunk_bytes, 1);
    if (!grown) return std::move(grown).error();
  }
}

void Heap::give_back(ChunkPlace place) noexcept {
  Class& chunks = class_at(place.slab->size_class);
  const std::lock_guard guard(chunks.lock);
  chunks.free.push_back(place);
  ++place.slab->free_count;
  // relaxed: a guess.
  chunks.free_count.store(static_cast<std::uint32_t>(chunks.free.size()),
                          std::memory_order_relaxed);
}

void Heap::look_early(Class& chunks, const SentChunk* just_sent) {
  const std::unique_lock guard(chunks.looking, std::try_to_lock);
  if (guard) reclaim(chunks, Extent::first_few, just_sent);
}

bool Heap::has_loans() {
  const std::lock_guard making(making_);
  return std::any_of(owned_classes_.begin(), owned_classes_.end(), [](const auto& chunks) {
    const std::lock_guard looking(chunks->looking);
    const std::lock_guard guard(chunks->lock);
    std::uint64_t sent = 0;
    for (const auto& slab : chunks->slabs) {
      for (std::uint32_t i = 0; i < slab->chunk_count; ++i)
        sent += slab->sent[i].is_sent() ? 1U : 0U;
    }
    return sent + chunks->free.size() < chunks->chunks;
  });
}

// --- Looking for free chunks --------------------------------------------------------------------

void Heap::reclaim(Class& chunks, Extent extent, const SentChunk* except) {
  find_gone(chunks, extent, except);
  sort_out(chunks);
  if (chunks.came_in.empty()) return;
  add_free(chunks, chunks.came_in);
  if (chunks.came_in.size() <= 2 && chunks.chunks < enough_chunks(chunks) &&
      ++chunks.meagre_looks == kTooOften) {
    chunks.wants_relief = true;  // once: when a limit refuses it, it does so again
    host_.wish_for_relief();
  }
}

// In the order in which they are loaned, as far as that is kept: the oldest first.
void Heap::find_gone(Class& chunks, Extent extent, const SentChunk* except) {
  chunks.gone.clear();
  if (chunks.chunks == 0) return;
  const bool is_brief = extent == Extent::first_few;
  std::uint64_t index = chunks.next_look % chunks.chunks;
  auto slab = chunks.slabs.begin();
  for (; index >= (*slab)->chunk_count; ++slab) index -= (*slab)->chunk_count;
  const std::uint64_t most = is_brief ? std::min(chunks.chunks, 4 * kBatch) : chunks.chunks;
  std::uint64_t looked = 0;
  for (; looked < most; ++looked) {
    const SentChunk& sent = (*slab)->sent[index];
    if (sent.is_sent() && &sent != except) {
      if (sent.has_left_its_slot()) {
        chunks.gone.push_back({slab->get(), static_cast<std::uint32_t>(index)});
      } else if (is_brief) {
        break;  // what was sent later is hardly gone, either
      }
    }
    if (++index == (*slab)->chunk_count) {
      index = 0;
      if (++slab == chunks.slabs.end()) slab = chunks.slabs.begin();
    }
    if (is_brief && chunks.gone.size() == kBatch) {
      ++looked;
      break;
    }
  }
  chunks.next_look = (chunks.next_look + looked) % chunks.chunks;
}

// model: hold_rows.pml, labels look_gone, look_viewers, look, look_epoch
void Heap::sort_out(Class& chunks) {
  chunks.came_in.clear();
  if (chunks.gone.empty()) return;
  for (const ChunkPlace& place : chunks.gone) place.sent().leave_slot();
  if (chunks.viewers == nullptr || chunks.viewers->epoch != host_.viewers_epoch()) {
    chunks.viewers = host_.viewers();
    if (chunks.viewers == nullptr) return;
  }
  // Unless somebody has passed them on, rows alone hold our chunks.
  const bool is_conclusive =
      chunks.viewers->carriers.empty() ? sort_out_by_rows(chunks) : sort_out_by_scan(chunks);
  if (!is_conclusive || host_.viewers_epoch() != chunks.viewers->epoch) chunks.came_in.clear();
  for (const ChunkPlace& place : chunks.came_in) place.sent().come_back();
}

// model: hold_rows.pml, labels rows_fresh, rows_refresh, rows_look
bool Heap::sort_out_by_rows(Class& chunks) {
  Slab* known = nullptr;
  for (const ChunkPlace& place : chunks.gone) {
    if (place.slab != known) place.slab->rows.refresh(place.slab->id, chunks.viewers);
    known = place.slab;
    if (!known->rows.is_held(place.chunk)) chunks.came_in.push_back(place);
  }
  return true;  // before the first push by another's hand the epoch moves
}

bool Heap::sort_out_by_scan(Class& chunks) {
  HoldScan scan(*chunks.viewers);
  std::vector<SegmentId> segments;
  for (const ChunkPlace& place : chunks.gone) {
    if (segments.empty() || segments.back() != place.slab->id) segments.push_back(place.slab->id);
  }
  scan.look(segments);
  for (const ChunkPlace& place : chunks.gone) {
    if (!scan.is_needed(place.slab->id, place.chunk)) chunks.came_in.push_back(place);
  }
  return scan.is_conclusive();
}

// The first of them is loaned first.
void Heap::add_free(Class& chunks, const std::vector<ChunkPlace>& places) {
  const std::lock_guard guard(chunks.lock);
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    chunks.free.push_back(*place);
    ++place->slab->free_count;
  }
  // relaxed: a guess.
  chunks.free_count.store(static_cast<std::uint32_t>(chunks.free.size()),
                          std::memory_order_relaxed);
}

// --- Growing and shrinking ----------------------------------------------------------------------

FullStatus Heap::grow(Class& chunks, std::uint64_t chunk_bytes, std::uint32_t count) {
  auto added = host_.add_slab(chunk_bytes, count);
  if (!added) return std::move(added).error();
  adopt(chunks, std::move(*added), chunk_bytes, count);
  return Done{};
}

void Heap::adopt(Class& chunks, AddedSlab added, std::uint64_t chunk_bytes, std::uint32_t count) {
  auto slab = std::make_unique<Slab>();
  slab->id = added.id;
  slab->home = this;
  slab->segment = std::move(added.segment);
  slab->size_class = size_class_of(chunk_bytes).index;
  slab->chunk_bytes = chunk_bytes;
  slab->chunk_count = count;
  // relaxed: a clock for idleness.
  slab->last_loan_tick.store(tick_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  slab->sent = std::make_unique<SentChunk[]>(count);
  // Room for every chunk, so that whoever holds the lock never allocates.
  chunks.slabs.reserve(chunks.slabs.size() + 1);
  std::vector<ChunkPlace> fresh(count);
  for (std::uint32_t i = 0; i < count; ++i) fresh[i] = {slab.get(), i};
  std::vector<ChunkPlace> roomier;
  roomier.reserve(chunks.chunks + count);
  {
    const std::lock_guard guard(chunks.lock);
    roomier.insert(roomier.end(), chunks.free.begin(), chunks.free.end());
    chunks.free.swap(roomier);
  }
  // relaxed: a number for people.
  slab_bytes_.fetch_add(slab->segment.size(), std::memory_order_relaxed);
  chunks.chunks += count;
  chunks.slabs.push_back(std::move(slab));
  add_free(chunks, fresh);
}

void Heap::return_idle(std::uint64_t idle_ticks) {
  // relaxed: a clock for idleness.
  tick_.fetch_add(1, std::memory_order_relaxed);
  for_each_class([&](Class& chunks) { return_idle(chunks, idle_ticks); });
  drop_unused_pipes();
}

void Heap::relieve() {
  for_each_class([&](Class& chunks) { relieve(chunks); });
}

void Heap::return_idle(Class& chunks, std::uint64_t idle_ticks) {
  const std::lock_guard looking(chunks.looking);
  // relaxed: a clock for idleness, here and below.
  const std::uint64_t now = tick_.load(std::memory_order_relaxed);
  const auto is_old = [&](const Slab& slab) {
    return slab.last_loan_tick.load(std::memory_order_relaxed) + idle_ticks <= now;
  };
  const bool any_old = std::any_of(chunks.slabs.begin(), chunks.slabs.end(),
                                   [&](const auto& slab) { return is_old(*slab); });
  if (!any_old) return;
  reclaim(chunks, Extent::everything);
  std::vector<std::unique_ptr<Slab>> idle;
  idle.reserve(chunks.slabs.size());
  {
    const std::lock_guard guard(chunks.lock);
    const auto is_idle = [&](const Slab& slab) {
      return is_old(slab) && slab.free_count == slab.chunk_count;
    };
    std::erase_if(chunks.free, [&](const ChunkPlace& place) { return is_idle(*place.slab); });
    // relaxed: a guess.
    chunks.free_count.store(static_cast<std::uint32_t>(chunks.free.size()),
                            std::memory_order_relaxed);
    for (auto& slab : chunks.slabs) {
      if (is_idle(*slab)) idle.push_back(std::move(slab));
    }
    std::erase(chunks.slabs, nullptr);
  }
  if (!idle.empty()) chunks.meagre_looks = 0;
  for (const auto& slab : idle) {
    chunks.chunks -= slab->chunk_count;
    // relaxed: a number for people.
    slab_bytes_.fetch_sub(slab->segment.size(), std::memory_order_relaxed);
    host_.remove_slab(slab->id);
  }
}

// A producer with one huge chunk waits at every message until its last one has come back, and
// fetches from the reader's core what tells it so. One or two more end that.
void Heap::relieve(Class& chunks) {
  std::uint64_t chunk_bytes = 0;
  std::uint32_t count = 0;
  {
    const std::lock_guard looking(chunks.looking);
    if (!std::exchange(chunks.wants_relief, false) || chunks.slabs.empty()) return;
    const std::uint64_t enough = enough_chunks(chunks);
    if (chunks.chunks >= enough) return;
    chunk_bytes = chunks.slabs.front()->chunk_bytes;
    count = static_cast<std::uint32_t>(enough - chunks.chunks);
  }
  // Without the lock: allocating takes its time, and loans go on meanwhile.
  auto added = host_.add_slab(chunk_bytes, count);
  if (!added) return;  // a limit; it goes on as it did
  const std::lock_guard looking(chunks.looking);
  adopt(chunks, std::move(*added), chunk_bytes, count);
}

void Heap::keep_pipe(const SlotWatch* pipe, std::shared_ptr<void> keepalive) {
  const std::lock_guard guard(making_);
  parked_.push_back({pipe, std::move(keepalive)});
}

void Heap::drop_unused_pipes() {
  std::vector<Parked> unused;  // ends after the lock
  const std::lock_guard guard(making_);
  const auto is_used = [&](const SlotWatch* pipe) {
    return std::any_of(owned_classes_.begin(), owned_classes_.end(), [&](const auto& chunks) {
      const std::lock_guard looking(chunks->looking);
      return std::any_of(chunks->slabs.begin(), chunks->slabs.end(), [&](const auto& slab) {
        const SentChunk* sent = slab->sent.get();
        return std::any_of(sent, sent + slab->chunk_count,
                           [&](const SentChunk& chunk) { return chunk.may_stand_in(pipe); });
      });
    });
  };
  std::erase_if(parked_, [&](Parked& parked) {
    if (is_used(parked.pipe)) return false;
    unused.push_back(std::move(parked));
    return true;
  });
}

}  // namespace tarn
