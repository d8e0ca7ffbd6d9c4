#include "shm/heap/hold_scan.h"

#include <algorithm>

namespace tarn {
namespace {

bool is_counted(const std::vector<std::span<const layout::HoldCount>>& rows,
                std::uint32_t chunk) noexcept {
  return std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
    // sync(hold-ended): whoever sees the hold's end sees the reader done with the bytes.
    return chunk < row.size() && row[chunk].load(std::memory_order_acquire) != 0;
  });
}

}  // namespace

// model: hold_rows.pml, label scan_forwards
HoldScan::HoldScan(const ViewerSet& viewers) : viewers_(viewers) {
  forwards_.reserve(viewers.viewers.size());
  for (const Viewer& viewer : viewers.viewers) forwards_.push_back(viewer.view.forwards());
}

// model: hold_rows.pml, labels scan_slots, scan_rows
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
  if (viewers_.holds_everything) return true;
  for (const SegmentRows& found : found_) {
    if (found.segment != segment) continue;
    if (chunk < found.named.size() && found.named[chunk]) return true;
    return is_counted(found.rows, chunk);
  }
  return true;
}

// model: hold_rows.pml, label scan_again
bool HoldScan::is_conclusive() const noexcept {
  for (std::size_t i = 0; i < forwards_.size(); ++i) {
    if (viewers_.viewers[i].view.forwards() != forwards_[i]) return false;
  }
  return true;
}

// Each viewer is compared by itself: in a sum, a hostile one could hide another's change.
bool KnownRows::is_fresh(const std::shared_ptr<const ViewerSet>& viewers) const noexcept {
  if (rows_of_ != viewers) return false;
  for (std::size_t i = 0; i < viewers->viewers.size(); ++i) {
    if (viewers->viewers[i].view.row_changes() != row_changes_[i]) return false;
  }
  return true;
}

void KnownRows::refresh(SegmentId slab, const std::shared_ptr<const ViewerSet>& viewers) {
  if (is_fresh(viewers)) return;
  rows_.clear();
  row_changes_.clear();
  rows_of_ = viewers;
  for (const Viewer& viewer : viewers->viewers) {
    // Counted first: a row that is added behind our back is found at the next look.
    row_changes_.push_back(viewer.view.row_changes());
    const auto row = viewer.view.row(slab);
    if (row) rows_.push_back(*row);
  }
}

bool KnownRows::is_held(std::uint32_t chunk) const noexcept {
  return rows_of_->holds_everything || is_counted(rows_, chunk);
}

}  // namespace tarn
