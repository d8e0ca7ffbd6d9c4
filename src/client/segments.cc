#include "client/segments.h"

#include <algorithm>

#include "shm/heap/heap.h"

namespace tarn {

ForeignSlabs::~ForeignSlabs() {
  // relaxed: no other thread is left.
  for (auto& block : blocks_) delete block.load(std::memory_order_relaxed);
}

std::atomic<ForeignSlab*>& ForeignSlabs::cell_for_writing(std::uint32_t index) {
  std::atomic<Block*>& cell = blocks_[index / kBlock];
  // relaxed: written under lock_ alone.
  if (cell.load(std::memory_order_relaxed) == nullptr) {
    // sync(slab-met): hands the zeroed block over.
    cell.store(new Block{}, std::memory_order_release);
  }
  // relaxed: as above.
  return (*cell.load(std::memory_order_relaxed))[index % kBlock];
}

Result<std::unique_ptr<ForeignSlab>, Error> ForeignSlabs::ask_for(SegmentId id,
                                                                  Connection& connection) {
  auto request = wire::make<wire::SegmentGet>(0);
  request.index = id.index;
  request.generation = id.generation;
  os::UniqueFd fd;
  auto got = connection.ask<wire::SegmentGot>(request, "map a message", -1, &fd);
  if (!got) return std::move(got).error();
  const auto expected = slab_bytes(got->chunk_bytes, got->chunk_count);
  if (!expected || *expected != got->size_bytes) {
    return Error(Error::corrupt, "map a message", "the node's answer", "restart the node");
  }
  auto mapped = map_foreign(fd.get(), got->size_bytes, true, false);
  if (!mapped) return std::move(mapped).error();
  auto slab = std::make_unique<ForeignSlab>();
  slab->id = id;
  slab->segment = std::move(*mapped);
  slab->base = slab->segment.base();
  slab->chunk_bytes = got->chunk_bytes;
  slab->chunk_count = got->chunk_count;
  slab->audience = got->audience;
  os::populate(slab->segment.mapping(), false);
  return slab;
}

Result<ForeignSlab*, Error> ForeignSlabs::fetch(SegmentId id, Connection& connection,
                                                SessionRecord& record, std::mutex& record_lock) {
  if (id.index == 0 || id.index >= layout::kMaxSegments) {
    return Error(Error::corrupt, "map a message", "segment " + std::to_string(id.index), {});
  }
  {
    const std::lock_guard guard(lock_);
    ++fetching_;
  }
  // Without the lock: the thread that brings the answer may need it first, for a notice.
  auto asked = ask_for(id, connection);
  const std::lock_guard guard(lock_);
  const bool gone =
      std::find(gone_meanwhile_.begin(), gone_meanwhile_.end(), id) != gone_meanwhile_.end();
  if (--fetching_ == 0) gone_meanwhile_.clear();
  if (!asked) return std::move(asked).error();
  if (gone) return Error(Error::not_found, "map a message", "its owner took it back", {});
  if (ForeignSlab* met = find(id); met != nullptr) return met;
  std::atomic<ForeignSlab*>& cell = cell_for_writing(id.index);
  // relaxed: written under lock_ alone. The notice about the index's last user may have been lost
  // with a connection.
  if (ForeignSlab* last = cell.load(std::memory_order_relaxed); last != nullptr) {
    drop(*last, record, record_lock);
  }
  {
    const std::lock_guard record_guard(record_lock);
    const auto row = record.add_row(id, (*asked)->chunk_count);
    if (!row) {
      return Error(row.error(), "count holds", "session segment", "release messages, or reconnect");
    }
    (*asked)->holds = *row;
  }
  slabs_.push_back(std::move(*asked));
  // sync(slab-met): hands the filled record to find().
  cell.store(slabs_.back().get(), std::memory_order_release);
  return slabs_.back().get();
}

void ForeignSlabs::drop(ForeignSlab& slab, SessionRecord& record,
                        std::mutex& record_lock) noexcept {
  // sync(slab-met): nobody finds it any more.
  cell_for_writing(slab.id.index).store(nullptr, std::memory_order_release);
  const std::lock_guard record_guard(record_lock);
  record.remove_row(slab.id);
  slab.segment = Segment();
}

void ForeignSlabs::forget(SegmentId id, SessionRecord& record, std::mutex& record_lock) noexcept {
  const std::lock_guard guard(lock_);
  if (fetching_ > 0) gone_meanwhile_.push_back(id);
  if (ForeignSlab* slab = find(id); slab != nullptr) drop(*slab, record, record_lock);
}

}  // namespace tarn
