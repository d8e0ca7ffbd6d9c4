#include "testing/fake_heap_host.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "testing/shared_pipe.h"

namespace tarn::testing {

bool FakeSlots::is_gone(std::uint64_t position) const noexcept {
  return held_.count(position) == 0;
}

void FakeSlots::mark_named(SegmentId segment, std::vector<bool>& named) const noexcept {
  for (const Named& found : named_) {
    if (found.segment != segment) continue;
    if (named.size() <= found.chunk) named.resize(found.chunk + 1);
    named[found.chunk] = true;
  }
  if (after_look) after_look();
}

namespace {

SessionRecord make_record() {
  auto made = SessionRecord::create({1, 1});
  TARN_ASSERT(made.has_value());
  const Segment& segment = made->segment();
  TARN_ASSERT(::madvise(segment.base(), segment.size(), MADV_DOFORK) == 0, errno);
  return *std::move(made);
}

}  // namespace

FakeViewer::FakeViewer(std::uint32_t index) : index_(index), record_(make_record()) {}

layout::HoldCount& FakeViewer::hold(const ChunkPlace& place) {
  for (auto& [segment, row] : rows_) {
    if (segment == place.slab->id) return row[place.chunk];
  }
  const auto row = record_.add_row(place.slab->id, place.slab->chunk_count);
  TARN_ASSERT(row.has_value());
  rows_.emplace_back(place.slab->id, *row);
  return (*row)[place.chunk];
}

Viewer FakeViewer::as_viewer() const {
  Viewer viewer;
  viewer.id = {index_, 1};
  const auto view = SessionView::attach(record_.segment());
  TARN_ASSERT(view.has_value());
  viewer.view = *view;
  return viewer;
}

FakeHeapHost::FakeHeapHost() : known_(std::make_shared<ViewerSet>()) { known_->epoch = epoch_; }

FakeViewer& FakeHeapHost::add_viewer() {
  viewers_.push_back(std::make_unique<FakeViewer>(static_cast<std::uint32_t>(viewers_.size() + 1)));
  move_epoch();
  return *viewers_.back();
}

FakeSlots& FakeHeapHost::add_carrier() {
  auto slots = std::make_shared<FakeSlots>();
  add_carrier(slots);
  return *slots;
}

void FakeHeapHost::add_carrier(std::shared_ptr<const SlotWatch> slots) {
  carriers_.push_back(std::move(slots));
  move_epoch();
}

void FakeHeapHost::remove_viewer(const FakeViewer& viewer) {
  const auto found = std::find_if(viewers_.begin(), viewers_.end(),
                                  [&](const auto& known) { return known.get() == &viewer; });
  TARN_ASSERT(found != viewers_.end());
  buried_.push_back(std::move(*found));
  viewers_.erase(found);
  move_epoch();
}

Result<AddedSlab, Error> FakeHeapHost::add_slab(std::uint64_t chunk_bytes, std::uint32_t chunks) {
  const auto size = slab_bytes(chunk_bytes, chunks);
  TARN_ASSERT(size.has_value(), chunk_bytes, chunks);
  if (*size > most_slab_bytes) {
    return Error(Error::no_memory, "loan memory", "the test's limit", "raise it");
  }
  AddedSlab slab;
  slab.id = {++added, 1};
  slab.segment = shared_memory(*size);
  format_slab(slab.segment, chunk_bytes, chunks);
  return slab;
}

std::shared_ptr<const ViewerSet> FakeHeapHost::viewers() noexcept {
  if (!node_answers && known_->epoch != epoch_) return nullptr;
  if (known_->epoch != epoch_) {
    auto fresh = std::make_shared<ViewerSet>();
    fresh->epoch = epoch_;
    for (const auto& viewer : viewers_) fresh->viewers.push_back(viewer->as_viewer());
    std::uint32_t id = 0;
    for (const auto& carrier : carriers_) fresh->carriers.push_back({++id, carrier});
    known_ = std::move(fresh);
  }
  if (after_viewers) after_viewers();
  return known_;
}

}  // namespace tarn::testing
