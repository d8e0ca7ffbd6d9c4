#include "os/memory.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "os/system_error.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace tarn::os {

void UniqueFd::reset() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Mapping::reset() noexcept {
  if (base_ != nullptr) ::munmap(base_, size_);
  base_ = nullptr;
  size_ = 0;
}

Result<UniqueFd, Error> create_memory(const char* label, std::uint64_t size_bytes) {
  // MFD_NOEXEC_SEAL is refused by kernels before 6.3; memory is data there all the same.
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = ::memfd_create(label, flags | MFD_NOEXEC_SEAL);
  if (fd < 0 && errno == EINVAL) fd = ::memfd_create(label, flags);
  if (fd < 0) return system_error("create shared memory", label);
  UniqueFd owned(fd);
  // Another account that is given a descriptor for reading must not open the file for writing.
  if (::fchmod(fd, 0644) != 0) return system_error("restrict shared memory", label);
  if (::ftruncate(fd, static_cast<off_t>(size_bytes)) != 0) {
    return system_error("size shared memory to " + std::to_string(size_bytes) + " bytes", label);
  }
  return owned;
}

FullStatus allocate_pages(int fd, std::uint64_t offset, std::uint64_t size_bytes) {
  int outcome = 0;
  do {
    outcome = ::fallocate(fd, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                          static_cast<off_t>(size_bytes));
  } while (outcome != 0 && errno == EINTR);
  if (outcome != 0) {
    return system_error("allocate " + std::to_string(size_bytes) + " bytes", "shared memory");
  }
  return Done{};
}

namespace {

Result<Mapping, Error> map(int fd, std::uint64_t size_bytes, int protection) {
  void* base = ::mmap(nullptr, size_bytes, protection, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) {
    return system_error("map " + std::to_string(size_bytes) + " bytes", "shared memory");
  }
  return Mapping(static_cast<std::byte*>(base), size_bytes);
}

}  // namespace

Result<Mapping, Error> map_writable(int fd, std::uint64_t size_bytes) {
  return map(fd, size_bytes, PROT_READ | PROT_WRITE);
}

Result<Mapping, Error> map_readable(int fd, std::uint64_t size_bytes) {
  return map(fd, size_bytes, PROT_READ);
}

void populate(const Mapping& mapping, bool writable) noexcept {
  if (!mapping) return;
  ::madvise(mapping.base(), mapping.size(), writable ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
}

void keep_from_children(const Mapping& mapping) noexcept {
  if (mapping) ::madvise(mapping.base(), mapping.size(), MADV_DONTFORK);
}

void keep_from_dumps(const Mapping& mapping) noexcept {
  if (mapping) ::madvise(mapping.base(), mapping.size(), MADV_DONTDUMP);
}

FullStatus seal(int fd, bool one_writer) {
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | (one_writer ? F_SEAL_FUTURE_WRITE : 0);
  if (::fcntl(fd, F_ADD_SEALS, seals | F_SEAL_SEAL) != 0) {
    return system_error("seal shared memory", "memfd");
  }
  return Done{};
}

Result<MemoryFacts, Error> examine_memory(int fd) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  struct stat facts {};
  if (seals < 0 || ::fstat(fd, &facts) != 0) return system_error("examine memory", "descriptor");
  MemoryFacts found;
  found.identity = facts.st_ino;
  found.size_bytes = static_cast<std::uint64_t>(facts.st_size);
  found.allocated_bytes = static_cast<std::uint64_t>(facts.st_blocks) * 512;
  found.size_sealed = (seals & F_SEAL_SHRINK) != 0 && (seals & F_SEAL_GROW) != 0;
  found.write_sealed = (seals & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE)) != 0;
  return found;
}

std::size_t read_memory(int fd, std::uint64_t offset, std::span<std::byte> target) noexcept {
  std::size_t done = 0;
  while (done < target.size()) {
    const ssize_t count =
        ::pread(fd, target.data() + done, target.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Result<UniqueFd, Error> reopen_readable(int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const int reopened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (reopened < 0) return system_error("reopen memory for reading", path);
  return UniqueFd(reopened);
}

Result<UniqueFd, Error> sealed_copy(const char* label, std::span<const std::byte> bytes) {
  auto memory = create_memory(label, bytes.size());
  if (!memory) return memory;
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t count = ::pwrite(memory->get(), bytes.data() + written, bytes.size() - written,
                                   static_cast<off_t>(written));
    if (count <= 0) return system_error("fill shared memory", label);
    written += static_cast<std::size_t>(count);
  }
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
  if (::fcntl(memory->get(), F_ADD_SEALS, seals) != 0) {
    return system_error("seal shared memory", label);
  }
  return memory;
}

Result<std::vector<std::byte>, Error> read_sealed(int fd, std::uint64_t most_bytes) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  const int needed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  struct stat facts {};
  if (seals < 0 || ::fstat(fd, &facts) != 0) return system_error("examine memory", "descriptor");
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if ((seals & needed) != needed || size > most_bytes) {
    return Error(Error::corrupt, "read sealed memory",
                 std::to_string(size) + " bytes that are too many or can be changed",
                 "report this defect of the client");
  }
  std::vector<std::byte> bytes(size);
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t count =
        ::pread(fd, bytes.data() + got, bytes.size() - got, static_cast<off_t>(got));
    if (count <= 0) return system_error("read sealed memory", "descriptor");
    got += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace tarn::os
