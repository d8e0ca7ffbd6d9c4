// slot_watch.h - what the heap needs to know of the slots that may name its chunks. Pipes implement
// it, so that the heap need not know what a pipe is.
#pragma once

#include <cstdint>
#include <vector>

#include "shm/segment/segment_layout.h"

namespace tarn {

class SlotWatch {
 public:
  // True once the message at `position` is no longer in its slot.
  virtual bool is_gone(std::uint64_t position) const noexcept = 0;
  // Sets named[chunk] for each chunk of `segment` that a slot names now; grows `named` as needed,
  // to layout::kMaxChunks at most.
  virtual void mark_named(SegmentId segment, std::vector<bool>& named) const noexcept = 0;

 protected:
  SlotWatch() = default;
  SlotWatch(const SlotWatch&) = default;
  SlotWatch& operator=(const SlotWatch&) = default;
  ~SlotWatch() = default;  // nobody owns one through this interface
};

}  // namespace tarn
