#include "shm/heap/heap.h"

#include <algorithm>

#include "base/crash_point.h"

namespace tarn {
namespace {

constexpr std::size_t kBatch = 64;

// Each viewer is compared by itself: in a sum, a hostile one could hide another's change.
bool knows_rows(const Slab& slab, const std::shared_ptr<const ViewerSet>& viewers) noexcept {
  if (slab.rows_of != viewers) return false;
  for (std::size_t i = 0; i < viewers->viewers.size(); ++i) {
    if (viewers->viewers[i].view.row_changes() != slab.row_changes[i]) return false;
  }
  return true;
}

void find_rows(Slab& slab, const std::shared_ptr<const ViewerSet>& viewers) {
  slab.rows.clear();
  slab.row_changes.clear();
  slab.rows_of = viewers;
  for (const Viewer& viewer : viewers->viewers) {
    // Counted first: a row that is added behind our back is found at the next look.
    slab.row_changes.push_back(viewer.view.row_changes());
    const auto row = viewer.view.row(slab.id);
    if (row) slab.rows.push_back(*row);
  }
}

}  // namespace

void format_slab(const Segment& segment, std::uint64_t chunk_bytes, std::uint32_t chunks) noexcept {
  auto* header = reinterpret_cast<layout::SlabHeader*>(segment.base());
  begin_format(header->segment, layout::SegmentKind::slab, segment.size());
  header->chunk_bytes = chunk_bytes;
  header->chunk_count = chunks;
  header->reserved = 0;
  finish_format(header->segment);
}

Result<std::uint64_t> slab_bytes(std::uint64_t chunk_bytes, std::uint64_t chunks) noexcept {
  if (chunk_bytes == 0 || chunk_bytes % kCacheLine != 0 || chunk_bytes > kMaxChunkBytes) {
    return Error::corrupt;
  }
  if (chunks == 0 || chunks > layout::kMaxChunks) return Error::corrupt;
  const auto payload = checked_multiply(chunk_bytes, chunks);
  if (!payload) return payload.error();
  return round_up(layout::kFirstChunkOffset + *payload, kPage);
}

// --- Heap ---------------------------------------------------------------------------------------

Heap::Class& Heap::class_at(const SizeClass& size) {
  std::atomic<Class*>& cell = classes_[size.index];
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

Result<ChunkPlace, Error> Heap::take_free(Class& chunks) noexcept {
  const ChunkPlace place = chunks.free.back();
  chunks.free.pop_back();
  --place.slab->free_count;
  // relaxed: a clock for idleness.
  place.slab->last_loan_tick = tick_.load(std::memory_order_relaxed);
  TARN_CRASH_POINT("heap.loan.taken");
  return place;
}

Result<ChunkPlace, Error> Heap::loan(std::uint64_t size_bytes) {
  if (size_bytes > kMaxChunkBytes) {
    return Error(Error::too_large, "loan memory", std::to_string(size_bytes) + " bytes",
                 "send it in pieces");
  }
  const SizeClass size = size_class_of(size_bytes);
  Class& chunks = class_at(size);
  const std::lock_guard guard(chunks.lock);
  if (!chunks.free.empty()) return take_free(chunks);
  if (reclaim(chunks, kBatch) || reclaim(chunks, chunks.in_flight.size())) {
    return take_free(chunks);
  }
  if (auto grown = grow(chunks, size.chunk_bytes); !grown) return std::move(grown).error();
  return take_free(chunks);
}

void Heap::give_back(ChunkPlace place) noexcept {
  Class& chunks = class_at(size_class_of(place.slab->chunk_bytes));
  const std::lock_guard guard(chunks.lock);
  chunks.free.push_back(place);
  ++place.slab->free_count;
}

void Heap::pushed(ChunkPlace place, const SlotWatch* pipe, std::uint64_t position) {
  Class& chunks = class_at(size_class_of(place.slab->chunk_bytes));
  const std::lock_guard guard(chunks.lock);
  // Look now, while the message is on its way, rather than when the next one is wanted.
  const bool look =
      chunks.free.empty() && !chunks.in_flight.empty() && chunks.in_flight.front().is_gone();
  const std::size_t older = chunks.in_flight.size();
  chunks.in_flight.push_back({place, false, pipe, position});
  if (look) reclaim(chunks, std::min(kBatch, older));
}

bool Heap::reclaim(Class& chunks, std::size_t most) {
  chunks.gone.clear();
  const std::size_t count = std::min(most, chunks.in_flight.size());
  for (std::size_t i = 0; i < count; ++i) {
    const InFlight entry = chunks.in_flight.front();
    chunks.in_flight.pop_front();
    // One full pipe must not hide the chunks that stand behind it.
    (entry.is_gone() ? chunks.gone.push_back(entry) : chunks.in_flight.push_back(entry));
  }
  if (chunks.gone.empty()) return false;
  sort_out(chunks);
  return !chunks.free.empty();
}

void Heap::sort_out(Class& chunks) {
  const auto viewers = host_.viewers();
  const bool conclusive = viewers != nullptr && mark_needed(chunks, viewers);
  for (InFlight& entry : chunks.gone) {
    if (conclusive && !entry.needed) {
      chunks.free.push_back(entry.place);
      ++entry.place.slab->free_count;
    } else {
      entry.pipe = nullptr;
      chunks.in_flight.push_back(entry);
    }
  }
}

bool Heap::mark_needed(Class& chunks, const std::shared_ptr<const ViewerSet>& viewers) {
  if (viewers->carriers.empty()) {
    // Nobody may push our chunks on: before the first such push the epoch moves.
    for (InFlight& entry : chunks.gone) {
      entry.needed = is_held(*entry.place.slab, entry.place.chunk, viewers);
    }
    return host_.viewers_epoch() == viewers->epoch;
  }
  HoldScan scan(*viewers);
  std::vector<SegmentId> segments;
  for (const InFlight& entry : chunks.gone) segments.push_back(entry.place.slab->id);
  scan.look(segments);
  for (InFlight& entry : chunks.gone) {
    entry.needed = scan.is_needed(entry.place.slab->id, entry.place.chunk);
  }
  return scan.is_conclusive() && host_.viewers_epoch() == viewers->epoch;
}

bool Heap::is_held(Slab& slab, std::uint32_t chunk,
                   const std::shared_ptr<const ViewerSet>& viewers) {
  if (!knows_rows(slab, viewers)) find_rows(slab, viewers);
  return std::any_of(slab.rows.begin(), slab.rows.end(), [&](const auto& row) {
    // sync(hold-ended): whoever sees the hold's end sees the reader done with the bytes.
    return chunk < row.size() && row[chunk].load(std::memory_order_acquire) != 0;
  });
}

FullStatus Heap::grow(Class& chunks, std::uint64_t chunk_bytes) {
  std::uint32_t count = next_slab_chunks(chunk_bytes, chunks.chunks);
  auto added = host_.add_slab(chunk_bytes, count);
  if (!added && count > 1) {
    // A limit may have room for one chunk where it has none for many.
    count = 1;
    added = host_.add_slab(chunk_bytes, count);
  }
  if (!added) return std::move(added).error();
  auto slab = std::make_unique<Slab>();
  slab->id = added->id;
  slab->segment = std::move(added->segment);
  slab->chunk_bytes = chunk_bytes;
  slab->chunk_count = count;
  slab->free_count = count;
  // relaxed: a clock for idleness.
  slab->last_loan_tick = tick_.load(std::memory_order_relaxed);
  // Room for every chunk, so that give_back() never allocates.
  chunks.free.reserve(chunks.chunks + count);
  // The lowest chunk comes out first.
  for (std::uint32_t i = count; i > 0; --i) chunks.free.push_back({slab.get(), i - 1});
  chunks.chunks += count;
  // relaxed: a number for people.
  slab_bytes_.fetch_add(slab->segment.size(), std::memory_order_relaxed);
  chunks.slabs.push_back(std::move(slab));
  return Done{};
}

void Heap::keep_pipe(const SlotWatch* pipe, std::shared_ptr<void> keepalive) {
  const std::lock_guard guard(making_);
  parked_.push_back({pipe, std::move(keepalive)});
}

void Heap::return_idle(std::uint64_t idle_ticks) {
  // relaxed: a clock for idleness.
  tick_.fetch_add(1, std::memory_order_relaxed);
  for (std::atomic<Class*>& cell : classes_) {
    // sync(class-made): receives the constructed class.
    Class* chunks = cell.load(std::memory_order_acquire);
    if (chunks != nullptr) return_idle_slabs(*chunks, idle_ticks);
  }
  drop_unused_pipes();
}

void Heap::return_idle_slabs(Class& chunks, std::uint64_t idle_ticks) {
  const std::lock_guard guard(chunks.lock);
  // relaxed: a clock for idleness.
  const std::uint64_t now = tick_.load(std::memory_order_relaxed);
  const auto is_old = [&](const Slab& slab) { return slab.last_loan_tick + idle_ticks <= now; };
  const bool any_old = std::any_of(chunks.slabs.begin(), chunks.slabs.end(),
                                   [&](const auto& slab) { return is_old(*slab); });
  if (!any_old) return;
  reclaim(chunks, chunks.in_flight.size());
  const auto is_idle = [&](const Slab& slab) {
    return is_old(slab) && slab.free_count == slab.chunk_count;
  };
  std::erase_if(chunks.free, [&](const ChunkPlace& place) { return is_idle(*place.slab); });
  std::erase_if(chunks.slabs, [&](const std::unique_ptr<Slab>& slab) {
    if (!is_idle(*slab)) return false;
    chunks.chunks -= slab->chunk_count;
    // relaxed: a number for people.
    slab_bytes_.fetch_sub(slab->segment.size(), std::memory_order_relaxed);
    host_.remove_slab(slab->id);
    return true;
  });
}

void Heap::drop_unused_pipes() {
  std::vector<Parked> unused;
  const std::lock_guard guard(making_);
  std::erase_if(parked_, [&](Parked& parked) {
    for (const auto& chunks : owned_classes_) {
      const std::lock_guard class_guard(chunks->lock);
      const auto is_here = [&](const InFlight& entry) { return entry.pipe == parked.pipe; };
      if (std::any_of(chunks->in_flight.begin(), chunks->in_flight.end(), is_here)) return false;
    }
    unused.push_back(std::move(parked));
    return true;
  });
}

// --- HoldScan -----------------------------------------------------------------------------------

HoldScan::HoldScan(const ViewerSet& viewers) : viewers_(viewers) {
  forwards_.reserve(viewers.viewers.size());
  for (const Viewer& viewer : viewers.viewers) forwards_.push_back(viewer.view.forwards());
}

void HoldScan::look(const std::vector<SegmentId>& segments) {
  for (const SegmentId segment : segments) {
    const auto is_same = [&](const SegmentRows& rows) { return rows.segment == segment; };
    if (std::any_of(found_.begin(), found_.end(), is_same)) continue;
    found_.push_back({segment, {}, {}});
  }
  for (const Carrier& carrier : viewers_.carriers) {
    for (SegmentRows& rows : found_) carrier.slots->mark_named(rows.segment, rows.named);
  }
  for (SegmentRows& rows : found_) {
    for (const Viewer& viewer : viewers_.viewers) {
      const auto row = viewer.view.row(rows.segment);
      if (row) rows.rows.push_back(*row);
    }
  }
}

bool HoldScan::is_needed(SegmentId segment, std::uint32_t chunk) const noexcept {
  for (const SegmentRows& found : found_) {
    if (found.segment != segment) continue;
    if (chunk < found.named.size() && found.named[chunk]) return true;
    return std::any_of(found.rows.begin(), found.rows.end(), [&](const auto& row) {
      // sync(hold-ended): whoever sees the hold's end sees the reader done with the bytes.
      return chunk < row.size() && row[chunk].load(std::memory_order_acquire) != 0;
    });
  }
  return true;
}

bool HoldScan::is_conclusive() const noexcept {
  for (std::size_t i = 0; i < forwards_.size(); ++i) {
    if (viewers_.viewers[i].view.forwards() != forwards_[i]) return false;
  }
  return true;
}

}  // namespace tarn
