#include "shm/segment/segment.h"

#include <string>

namespace tarn {

Result<std::span<std::byte>> Segment::bytes(std::uint64_t offset,
                                            std::uint64_t size_bytes) const noexcept {
  // The subtraction cannot wrap; `offset + size_bytes` could.
  if (offset > size() || size_bytes > size() - offset) return Error::corrupt;
  return std::span<std::byte>(base() + offset, size_bytes);
}

void begin_format(layout::SegmentHeader& header, layout::SegmentKind kind,
                  std::uint64_t size_bytes) noexcept {
  header.layout_version = layout::kLayoutVersion;
  header.kind = kind;
  header.size_bytes = size_bytes;
  header.reserved = 0;
}

void finish_format(layout::SegmentHeader& header) noexcept {
  // sync(segment-formatted): hands the header and all that format wrote to check_header().
  header.magic.store(layout::kMagic, std::memory_order_release);
}

Status check_header(const Segment& segment, layout::SegmentKind kind) noexcept {
  const auto header = segment.at<layout::SegmentHeader>(0);
  if (!header) return Error::corrupt;
  // sync(segment-formatted): receives what finish_format() released.
  if ((*header)->magic.load(std::memory_order_acquire) != layout::kMagic) return Error::corrupt;
  if ((*header)->layout_version != layout::kLayoutVersion) return Error::version_mismatch;
  if ((*header)->kind != kind || (*header)->size_bytes != segment.size()) return Error::corrupt;
  return Done{};
}

Result<OwnedSegment, Error> create_segment(const char* label, std::uint64_t size_bytes,
                                           std::uint64_t allocated_bytes, bool one_writer) {
  auto fd = os::create_memory(label, size_bytes);
  if (!fd) return std::move(fd).error();
  if (auto done = os::allocate_pages(fd->get(), 0, allocated_bytes); !done) {
    return std::move(done).error();
  }
  auto mapping = os::map_writable(fd->get(), size_bytes);
  if (!mapping) return std::move(mapping).error();
  os::keep_from_children(*mapping);
  os::keep_from_dumps(*mapping);
  if (auto done = os::seal(fd->get(), one_writer); !done) return std::move(done).error();
  return OwnedSegment{Segment(std::move(*mapping)), std::move(*fd)};
}

Result<Segment, Error> map_foreign(int fd, std::uint64_t size_bytes, bool one_writer,
                                   bool writable) {
  const auto facts = os::examine_memory(fd);
  if (!facts) return facts.error();
  if (facts->size_bytes != size_bytes || !facts->size_sealed ||
      (one_writer && !facts->write_sealed)) {
    return Error(Error::corrupt, "map a segment",
                 std::to_string(facts->size_bytes) + " bytes where " + std::to_string(size_bytes) +
                     " sealed ones were announced",
                 "end the process that sent it");
  }
  auto mapping = writable ? os::map_writable(fd, size_bytes) : os::map_readable(fd, size_bytes);
  if (!mapping) return std::move(mapping).error();
  os::keep_from_children(*mapping);
  os::keep_from_dumps(*mapping);
  return Segment(std::move(*mapping));
}

}  // namespace tarn
