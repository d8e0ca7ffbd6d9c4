#include "shm/session/session.h"

#include <algorithm>

#include "base/crash_point.h"

namespace tarn {

using layout::EndEntry;
using layout::HoldCount;
using layout::RowEntry;
using layout::SessionHeader;

namespace {

constexpr std::uint64_t kArenaStep = 16 * kPage;

}  // namespace

EndFacts read_end(const EndEntry& end) noexcept {
  EndFacts facts;
  // sync(end-added): receives the zeroed counters of an end that was just added.
  facts.pipe = end.pipe.load(std::memory_order_acquire);
  // relaxed: counters for people.
  facts.pushed = end.pushed.load(std::memory_order_relaxed) +
                 end.pushed_elsewhere.load(std::memory_order_relaxed);
  facts.pushed_bytes = end.pushed_bytes.load(std::memory_order_relaxed) +
                       end.pushed_bytes_elsewhere.load(std::memory_order_relaxed);
  // relaxed: as above.
  facts.push_waits = end.push_waits.load(std::memory_order_relaxed);
  facts.copied_in = end.copied_in.load(std::memory_order_relaxed);
  // relaxed: as above.
  facts.popped = end.popped.load(std::memory_order_relaxed) +
                 end.popped_elsewhere.load(std::memory_order_relaxed);
  facts.popped_bytes = end.popped_bytes.load(std::memory_order_relaxed) +
                       end.popped_bytes_elsewhere.load(std::memory_order_relaxed);
  // relaxed: as above.
  facts.pop_waits = end.pop_waits.load(std::memory_order_relaxed);
  return facts;
}

Result<SessionView> SessionView::attach(const Segment& segment) noexcept {
  if (auto good = check_header(segment, layout::SegmentKind::session); !good) return good.error();
  if (segment.size() != layout::kSessionBytes) return Error::corrupt;
  SessionView view;
  view.base_ = segment.base();
  view.header_ = reinterpret_cast<const SessionHeader*>(segment.base());
  view.rows_ = reinterpret_cast<const RowEntry*>(segment.base() + layout::kRowTableOffset);
  view.ends_ = reinterpret_cast<const EndEntry*>(segment.base() + layout::kEndTableOffset);
  return view;
}

bool SessionView::has_ended() const noexcept {
  // sync(life): receives what the process did before its end.
  return (header_->life.load(std::memory_order_acquire) & os::kOwnerDied) != 0;
}

std::uint64_t SessionView::forwards() const noexcept {
  // sync(forwarded): whoever sees a hold ended by a forward sees the bump too.
  return header_->forwards.load(std::memory_order_acquire);
}

std::uint64_t SessionView::row_changes() const noexcept {
  // sync(row-added): receives the row that was added.
  return header_->row_changes.load(std::memory_order_acquire);
}

std::uint32_t SessionView::row_count() const noexcept {
  // sync(row-added): rows below the count are written and have their pages.
  return std::min(header_->row_count.load(std::memory_order_acquire), layout::kMaxRows);
}

std::uint32_t SessionView::end_count() const noexcept {
  // sync(end-added): ends below the count have their pages.
  return std::min(header_->end_count.load(std::memory_order_acquire), layout::kMaxEnds);
}

Result<std::span<const HoldCount>> SessionView::read_row(std::uint32_t index,
                                                         SegmentId& segment) const noexcept {
  const RowEntry& entry = rows_[index];
  // sync(row-added): receives offset and count of the row.
  segment = SegmentId::unpack(entry.segment.load(std::memory_order_acquire));
  // relaxed: constant while the row is in use.
  const std::uint64_t offset = entry.offset.load(std::memory_order_relaxed);
  const std::uint64_t count = entry.chunk_count.load(std::memory_order_relaxed);
  // Neither product nor sum can wrap: both numbers have 32 bits.
  const bool outside = offset < layout::kRowArenaOffset || offset % sizeof(HoldCount) != 0 ||
                       count > layout::kMaxChunks ||
                       offset + count * sizeof(HoldCount) > layout::kSessionBytes;
  if (outside) return Error::corrupt;
  return std::span(reinterpret_cast<const HoldCount*>(base_ + offset), count);
}

Result<std::span<const HoldCount>> SessionView::row(SegmentId segment) const noexcept {
  for (std::uint32_t i = 0; i < row_count(); ++i) {
    // sync(row-added): as in read_row(), which checks the rest.
    if (rows_[i].segment.load(std::memory_order_acquire) != segment.packed()) continue;
    SegmentId found;
    const auto counts = read_row(i, found);
    // The row went, or came to count for another segment, while we looked.
    if (found == segment) return counts;
  }
  return Error::not_found;
}

std::uint32_t SessionView::total_holds() const noexcept {
  std::uint32_t total = 0;
  for_each_row([&](SegmentId, std::span<const HoldCount> counts) noexcept {
    for (const HoldCount& count : counts) {
      // relaxed: a number for people.
      total += count.load(std::memory_order_relaxed);
    }
  });
  return total;
}

Result<SessionRecord, Error> SessionRecord::create(os::ProcessIdentity self) {
  auto owned = create_segment("tarn-session", layout::kSessionBytes, kPage, true);
  if (!owned) return std::move(owned).error();
  SessionRecord record(std::move(*owned));
  record.rows_allocated_ = layout::kRowTableOffset;
  record.ends_allocated_ = layout::kEndTableOffset;
  record.arena_allocated_ = layout::kRowArenaOffset;
  begin_format(record.header().segment, layout::SegmentKind::session, layout::kSessionBytes);
  record.header().pid = self.pid;
  record.header().start_ticks = self.start_ticks;
  finish_format(record.header().segment);
  return record;
}

SessionHeader& SessionRecord::header() noexcept {
  return *reinterpret_cast<SessionHeader*>(owned_.segment.base());
}
RowEntry* SessionRecord::rows() noexcept {
  return reinterpret_cast<RowEntry*>(owned_.segment.base() + layout::kRowTableOffset);
}
EndEntry* SessionRecord::ends() noexcept {
  return reinterpret_cast<EndEntry*>(owned_.segment.base() + layout::kEndTableOffset);
}

bool SessionRecord::allocate_to(std::uint64_t end, std::uint64_t& allocated) noexcept {
  const std::uint64_t wanted = round_up(end, kPage);
  if (wanted <= allocated) return true;
  if (!os::allocate_pages(owned_.fd.get(), allocated, wanted - allocated)) return false;
  allocated = wanted;
  return true;
}

// Crash: the row is ours alone; it counts nothing until the caller takes a hold, after this.
Result<std::span<HoldCount>> SessionRecord::add_row(SegmentId segment,
                                                    std::uint32_t chunks) noexcept {
  if (chunks == 0 || chunks > layout::kMaxChunks) return Error::corrupt;
  // relaxed: written by this process alone.
  const std::uint32_t used = header().row_count.load(std::memory_order_relaxed);
  std::uint32_t index = used;
  for (std::uint32_t i = 0; i < used; ++i) {
    // relaxed: written by this process alone.
    const bool unused = rows()[i].segment.load(std::memory_order_relaxed) == 0;
    if (unused && row_capacity_[i] >= chunks) {
      index = i;
      break;
    }
  }
  RowEntry& entry = rows()[index];
  if (index == used) {
    if (used == layout::kMaxRows) return Error::table_full;
    // A cache line of its own: a count is written at every pop.
    const std::uint64_t bytes = round_up(std::uint64_t{chunks} * sizeof(HoldCount), kCacheLine);
    if (bytes > layout::kSessionBytes - arena_used_) return Error::table_full;
    const std::uint64_t table_end = layout::kRowTableOffset + (used + 1) * sizeof(RowEntry);
    const std::uint64_t arena_end =
        std::min(round_up(arena_used_ + bytes, kArenaStep), layout::kSessionBytes);
    if (!allocate_to(table_end, rows_allocated_) || !allocate_to(arena_end, arena_allocated_)) {
      return Error::no_memory;
    }
    // relaxed: published by row_count below.
    entry.offset.store(static_cast<std::uint32_t>(arena_used_), std::memory_order_relaxed);
    arena_used_ += bytes;
    row_capacity_[index] = chunks;
  }
  // relaxed: published by `segment`, and by row_count for a new row.
  entry.chunk_count.store(chunks, std::memory_order_relaxed);
  TARN_CRASH_POINT("session.row.filled");
  // sync(row-added): hands offset and count to read_row().
  entry.segment.store(segment.packed(), std::memory_order_release);
  TARN_CRASH_POINT("session.row.named");  // model: hold_rows.pml, label row_named
  // sync(row-added): hands a new row's page to those who walk the table.
  if (index == used) header().row_count.store(used + 1, std::memory_order_release);
  TARN_CRASH_POINT("session.row.counted");
  // sync(row-added): tells owners to look again.
  header().row_changes.fetch_add(1, std::memory_order_release);
  // relaxed: constant while the row is in use.
  const std::uint64_t offset = entry.offset.load(std::memory_order_relaxed);
  return std::span(reinterpret_cast<HoldCount*>(owned_.segment.base() + offset), chunks);
}

void SessionRecord::remove_row(SegmentId segment) noexcept {
  // relaxed: written by this process alone, here and below.
  const std::uint32_t used = header().row_count.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < used; ++i) {
    if (rows()[i].segment.load(std::memory_order_relaxed) != segment.packed()) continue;
    const std::uint64_t offset = rows()[i].offset.load(std::memory_order_relaxed);
    const auto* counts = reinterpret_cast<HoldCount*>(owned_.segment.base() + offset);
    // sync(row-added): nobody finds the row any more.
    rows()[i].segment.store(0, std::memory_order_release);
    TARN_CRASH_POINT("session.row.removed");
    header().row_changes.fetch_add(1, std::memory_order_release);
    // A thread that lost a race for a slot may be between counting up and down again: its two
    // steps cancel out wherever the row is used next, so nothing is cleared here. A row that still
    // counts a hold is not used again.
    const auto is_held = [](const HoldCount& count) {
      // relaxed: this process's own counts.
      return count.load(std::memory_order_relaxed) != 0;
    };
    if (std::any_of(counts, counts + row_capacity_[i], is_held)) row_capacity_[i] = 0;
    return;
  }
}

std::uint64_t SessionRecord::total_holds() const noexcept {
  const auto* base = owned_.segment.base();
  const auto* rows = reinterpret_cast<const RowEntry*>(base + layout::kRowTableOffset);
  const auto* header = reinterpret_cast<const SessionHeader*>(base);
  // relaxed: written by this process alone, here and below.
  const std::uint32_t used = header->row_count.load(std::memory_order_relaxed);
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < used; ++i) {
    const std::uint64_t offset = rows[i].offset.load(std::memory_order_relaxed);
    const std::uint32_t count = rows[i].chunk_count.load(std::memory_order_relaxed);
    const auto* holds = reinterpret_cast<const HoldCount*>(base + offset);
    for (std::uint32_t chunk = 0; chunk < count; ++chunk) {
      // sync(hold-ended): whoever sees the hold's end sees its thread done with our records of it.
      total += holds[chunk].load(std::memory_order_acquire);
    }
  }
  return total;
}

Result<EndEntry*> SessionRecord::add_end(std::uint32_t pipe) noexcept {
  // relaxed: written by this process alone.
  const std::uint32_t used = header().end_count.load(std::memory_order_relaxed);
  std::uint32_t index = 0;
  // relaxed: written by this process alone.
  while (index < used && ends()[index].pipe.load(std::memory_order_relaxed) != 0) ++index;
  if (index == layout::kMaxEnds) return Error::table_full;
  const std::uint64_t table_end = layout::kEndTableOffset + (index + 1) * sizeof(EndEntry);
  if (!allocate_to(table_end, ends_allocated_)) return Error::no_memory;
  EndEntry& end = ends()[index];
  for (auto* counter :
       {&end.pushed, &end.pushed_bytes, &end.push_waits, &end.copied_in, &end.pushed_elsewhere,
        &end.pushed_bytes_elsewhere, &end.popped, &end.popped_bytes, &end.pop_waits,
        &end.popped_elsewhere, &end.popped_bytes_elsewhere}) {
    // relaxed: published by `pipe` below.
    counter->store(0, std::memory_order_relaxed);
  }
  TARN_CRASH_POINT("session.end.filled");
  // sync(end-added): hands the zeroed counters to read_end().
  end.pipe.store(pipe, std::memory_order_release);
  TARN_CRASH_POINT("session.end.named");
  // sync(end-added): hands the page of a new end to those who walk the table.
  if (index == used) header().end_count.store(used + 1, std::memory_order_release);
  return &end;
}

void SessionRecord::remove_end(EndEntry* end) noexcept {
  // sync(end-added): nobody counts it any more.
  end->pipe.store(0, std::memory_order_release);
}

void SessionRecord::bump_forwards() noexcept {
  // sync(forwarded): after the push, before the hold ends.
  header().forwards.fetch_add(1, std::memory_order_release);
}

Status format_node(const Segment& segment, std::uint64_t node_id, std::uint64_t keepers) noexcept {
  if (segment.size() != layout::kNodeBytes) return Error::invalid_argument;
  auto* header = reinterpret_cast<layout::NodeHeader*>(segment.base());
  begin_format(header->segment, layout::SegmentKind::node, layout::kNodeBytes);
  header->node_id = node_id;
  auto* entries = reinterpret_cast<layout::NodeEntry*>(segment.base() + layout::kNodeTableOffset);
  for (std::uint32_t index = 0; index < layout::kMaxSessions; ++index) {
    // relaxed: finish_format() releases it.
    entries[index].viewers_epoch.store(keepers * layout::kEpochsOfAKeeper,
                                       std::memory_order_relaxed);
  }
  finish_format(header->segment);
  return Done{};
}

Result<NodeTable> NodeTable::attach(const Segment& segment) noexcept {
  if (auto good = check_header(segment, layout::SegmentKind::node); !good) return good.error();
  if (segment.size() != layout::kNodeBytes) return Error::corrupt;
  NodeTable table;
  table.header_ = reinterpret_cast<layout::NodeHeader*>(segment.base());
  table.entries_ = reinterpret_cast<layout::NodeEntry*>(segment.base() + layout::kNodeTableOffset);
  return table;
}

// Crash: until finish_format() commits nobody can attach; whoever has the table mapped goes on. The
//        next worker makes a table of its own.
void NodeTable::restore_header(std::uint64_t node_id) const noexcept {
  begin_format(header_->segment, layout::SegmentKind::node, layout::kNodeBytes);
  header_->node_id = node_id;
  finish_format(header_->segment);
}

bool NodeTable::is_abandoned() const noexcept {
  // sync(life): the kernel marks it before another keeper can begin.
  return (header_->keeper.load(std::memory_order_acquire) & os::kOwnerDied) != 0;
}

std::uint32_t NodeTable::worker() const noexcept {
  // sync(node-worker): whoever connects from now on is heard by that one.
  return header_->worker.load(std::memory_order_acquire);
}

void NodeTable::note_worker(std::uint32_t number) const noexcept {
  // sync(node-worker): it knows all that the one before it knew.
  header_->worker.store(number, std::memory_order_release);
}

// Whoever has seen what the next node's sessions did sees the mark, too: it was there before them.
std::uint64_t NodeTable::viewers_epoch(std::uint32_t index) const noexcept {
  // sync(viewers-epoch): the node bumps it before it hands our slab's descriptor to anybody.
  const std::uint64_t epoch = entry(index).viewers_epoch.load(std::memory_order_acquire);
  return is_abandoned() ? layout::kNoEpoch : epoch;
}

layout::NodeEntry& NodeTable::entry(std::uint32_t index) const noexcept {
  TARN_ASSERT(index > 0 && index < layout::kMaxSessions, index);
  return entries_[index];
}

}  // namespace tarn
