// audience.h - the memory of messages into one pipe that other accounts may open.
//
// A slab is mapped whole, so whoever receives one message of it could read all the others. What
// goes into such a pipe therefore stands in slabs of its own, and the node hands those out to
// nobody but who has this pipe open. Why: docs/design/0012-access.md.
#pragma once

#include <cstdint>

#include "client/access/viewers.h"
#include "shm/heap/heap.h"

namespace tarn::detail {

class SessionCore;

class AudienceHeap final : public HeapHost {
 public:
  // `session` outlives this. `pipe_id` is the pipe's.
  AudienceHeap(SessionCore& session, std::uint32_t pipe_id) noexcept
      : session_(session), pipe_id_(pipe_id), viewers_(session, pipe_id), heap_(*this) {}

  std::uint32_t pipe_id() const noexcept { return pipe_id_; }
  Heap& heap() noexcept { return heap_; }

  // --- HeapHost: the session's, but that its slabs and their viewers are for this pipe ---
  Result<AddedSlab, Error> add_slab(std::uint64_t chunk_bytes, std::uint32_t chunks) override;
  void remove_slab(SegmentId id) noexcept override;
  std::uint64_t viewers_epoch() const noexcept override;
  std::shared_ptr<const ViewerSet> viewers() noexcept override { return viewers_.get(); }
  void wish_for_relief() noexcept override;

 private:
  SessionCore& session_;
  const std::uint32_t pipe_id_;
  KnownViewers viewers_;
  Heap heap_;
};

}  // namespace tarn::detail
