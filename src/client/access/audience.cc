#include "client/access/audience.h"

#include "client/session_core.h"

namespace tarn::detail {

Result<AddedSlab, Error> AudienceHeap::add_slab(std::uint64_t chunk_bytes, std::uint32_t chunks) {
  return session_.add_slab_for(pipe_id_, chunk_bytes, chunks);
}

void AudienceHeap::remove_slab(SegmentId id) noexcept { session_.remove_slab(id); }

std::uint64_t AudienceHeap::viewers_epoch() const noexcept { return session_.viewers_epoch(); }

void AudienceHeap::wish_for_relief() noexcept { session_.wish_for_relief(); }

// --- What a session has of them -----------------------------------------------------------------

Heap& SessionCore::heap_for(std::uint32_t audience) {
  if (audience == 0) return heap_;
  const std::lock_guard guard(audiences_lock_);
  for (const auto& each : audiences_) {
    if (each->pipe_id() == audience) return each->heap();
  }
  audiences_.push_back(std::make_unique<AudienceHeap>(*this, audience));
  return audiences_.back()->heap();
}

std::vector<Heap*> SessionCore::heaps() {
  std::vector<Heap*> all = {&heap_};
  const std::lock_guard guard(audiences_lock_);
  for (const auto& each : audiences_) all.push_back(&each->heap());
  return all;
}

}  // namespace tarn::detail
