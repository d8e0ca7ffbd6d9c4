// segment.h - one mapped segment of this process, and the only way from a number that came from
// elsewhere to an address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "os/memory.h"
#include "shm/segment/segment_layout.h"

namespace tarn {

class Segment {
 public:
  Segment() noexcept = default;
  explicit Segment(os::Mapping mapping) noexcept : mapping_(std::move(mapping)) {}

  explicit operator bool() const noexcept { return static_cast<bool>(mapping_); }
  std::uint64_t size() const noexcept { return mapping_.size(); }
  std::byte* base() const noexcept { return mapping_.base(); }
  const os::Mapping& mapping() const noexcept { return mapping_; }

  // The bytes at `offset`, or corrupt when they do not lie inside.
  Result<std::span<std::byte>> bytes(std::uint64_t offset, std::uint64_t size_bytes) const noexcept;

  // The record at `offset`, or corrupt when it does not lie inside or is misaligned.
  template <class T>
  Result<T*> at(std::uint64_t offset) const noexcept {
    const auto range = bytes(offset, sizeof(T));
    if (!range || offset % alignof(T) != 0) return Error::corrupt;
    return reinterpret_cast<T*>(range->data());
  }

 private:
  os::Mapping mapping_;
};

// Writes the first bytes of a fresh, zeroed segment. finish_format() makes it valid.
void begin_format(layout::SegmentHeader& header, layout::SegmentKind kind,
                  std::uint64_t size_bytes) noexcept;
// Crash: the one commit point; before it attach says corrupt.
void finish_format(layout::SegmentHeader& header) noexcept;
// corrupt when the header is not that of a segment of this kind and size; version_mismatch when
// another build wrote it.
Status check_header(const Segment& segment, layout::SegmentKind kind) noexcept;

// A segment that this process made and writes. Sealed: others can only read it (`one_writer`), or
// only its size is fixed (control segments).
struct OwnedSegment {
  Segment segment;
  os::UniqueFd fd;
};
// `allocated_bytes` of it get their pages now; the rest is allocated later, before use.
Result<OwnedSegment, Error> create_segment(const char* label, std::uint64_t size_bytes,
                                           std::uint64_t allocated_bytes, bool one_writer);

// Maps what another process made, after asking the kernel what it really is: the size must be
// `size_bytes` and sealed; with `one_writer`, no new writer may be possible.
// Error::corrupt otherwise.
Result<Segment, Error> map_foreign(int fd, std::uint64_t size_bytes, bool one_writer,
                                   bool writable);

}  // namespace tarn
