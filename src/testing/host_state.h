// host_state.h - what a test looks at before and after itself: names, descriptors, mappings.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::testkit {

// The names in a folder and below it, relative to it; empty when it is missing.
std::set<std::string> names_below(const std::filesystem::path& folder);

// How many descriptors a process has open; 0 when it is gone.
std::size_t descriptor_count(pid_t pid);
// What its descriptors are, each with its number: "17 -> /memfd:tarn-slab (deleted)".
std::vector<std::string> describe_descriptors(pid_t pid);
// The numbers of those that are memfds with this label.
std::vector<int> memory_descriptors(pid_t pid, std::string_view label);

// One line of /proc/PID/maps.
struct MappedRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::string rights;  // "r--s"
  std::string what;    // "/memfd:tarn-slab (deleted)"
  ino_t inode = 0;
  std::size_t size() const noexcept { return end - begin; }
};
std::vector<MappedRange> mapped_ranges(pid_t pid);
// The range of this process that an address lies in; an empty one when there is none.
MappedRange range_of(const void* address);

// Whether the kernel randomises this process's addresses.
bool has_random_addresses();

// Gives this process and its children a /dev/shm of their own, empty, of 64 MiB as in a container:
// so that what other programs do there is not taken for ours. Does nothing where that is not
// permitted. Requires: one thread.
void take_private_shared_names();

}  // namespace tarn::testkit
