// memory.h - shared memory without names: memfd, seals, mappings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "os/fd.h"

namespace tarn::os {

// One mapping of this process; unmapped on destruction.
class Mapping {
 public:
  Mapping() noexcept = default;
  Mapping(std::byte* base, std::uint64_t size_bytes) noexcept : base_(base), size_(size_bytes) {}
  Mapping(Mapping&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    if (this != &other) {
      reset();
      base_ = std::exchange(other.base_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  ~Mapping() { reset(); }

  std::byte* base() const noexcept { return base_; }
  std::uint64_t size() const noexcept { return size_; }
  explicit operator bool() const noexcept { return base_ != nullptr; }
  void reset() noexcept;

 private:
  std::byte* base_ = nullptr;
  std::uint64_t size_ = 0;
};

// A new memfd of `size_bytes`, close-on-exec, sealable, with no page allocated yet.
Result<UniqueFd, Error> create_memory(const char* label, std::uint64_t size_bytes);
// Gives the range its pages now, so that touching it later cannot fail. no_memory when it cannot.
FullStatus allocate_pages(int fd, std::uint64_t offset, std::uint64_t size_bytes);

Result<Mapping, Error> map_writable(int fd, std::uint64_t size_bytes);
Result<Mapping, Error> map_readable(int fd, std::uint64_t size_bytes);
// Fills in the page table of a range that has its pages, so that first touches are cheap.
// A refusal is harmless and ignored.
void populate(const Mapping& mapping, bool writable) noexcept;
// A fork()ed child does not get this mapping.
void keep_from_children(const Mapping& mapping) noexcept;
// No core dump contains this mapping. The kernel tells of a death only after it has written the
// dump, and what several processes share would be written once for each of them.
void keep_from_dumps(const Mapping& mapping) noexcept;

// Forbids shrinking and growing; with `one_writer` also any further writable mapping and write().
// Requires: the writer has mapped it already.
FullStatus seal(int fd, bool one_writer);

// What a descriptor from elsewhere really is.
struct MemoryFacts {
  std::uint64_t identity = 0;  // its inode: no two live memfds share it
  std::uint64_t size_bytes = 0;
  std::uint64_t allocated_bytes = 0;
  bool size_sealed = false;   // can neither shrink nor grow
  bool write_sealed = false;  // nobody new can write
};
// os when `fd` is not a memfd.
Result<MemoryFacts, Error> examine_memory(int fd);

// Copies what stands at `offset`, without making pages where there are none: those read as zeroes.
// Returns how many bytes there were.
std::size_t read_memory(int fd, std::uint64_t offset, std::span<std::byte> target) noexcept;
// A memfd with these bytes, sealed against every change.
Result<UniqueFd, Error> sealed_copy(const char* label, std::span<const std::byte> bytes);
// Its bytes; corrupt when it is larger than `most_bytes`, or not sealed against every change.
Result<std::vector<std::byte>, Error> read_sealed(int fd, std::uint64_t most_bytes);

// A second descriptor for the same memory that cannot be mapped writable.
Result<UniqueFd, Error> reopen_readable(int fd);

}  // namespace tarn::os
