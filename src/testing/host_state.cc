#include "testing/host_state.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace tarn::testkit {

namespace fs = std::filesystem;

std::set<std::string> names_below(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    names.insert(fs::relative(at->path(), folder));
  }
  return names;
}

namespace {

// visit(number, what it is) for each open descriptor.
template <class Visit>
void for_each_descriptor(pid_t pid, Visit&& visit) {
  std::error_code error;
  fs::directory_iterator at("/proc/" + std::to_string(pid) + "/fd", error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    std::error_code gone;
    const fs::path what = fs::read_symlink(at->path(), gone);
    if (!gone) visit(std::stoi(at->path().filename()), what.string());
  }
}

}  // namespace

std::size_t descriptor_count(pid_t pid) {
  std::size_t count = 0;
  for_each_descriptor(pid, [&](int, const std::string&) { ++count; });
  return count;
}

std::vector<std::string> describe_descriptors(pid_t pid) {
  std::vector<std::string> all;
  for_each_descriptor(pid, [&](int number, const std::string& what) {
    all.push_back(std::to_string(number) + " -> " + what);
  });
  return all;
}

std::vector<int> memory_descriptors(pid_t pid, std::string_view label) {
  const std::string wanted = "/memfd:" + std::string(label) + " (deleted)";
  std::vector<int> found;
  for_each_descriptor(pid, [&](int number, const std::string& what) {
    if (what == wanted) found.push_back(number);
  });
  return found;
}

std::vector<MappedRange> mapped_ranges(pid_t pid) {
  std::vector<MappedRange> ranges;
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    MappedRange range;
    char dash = 0;
    std::string offset;
    std::string device;
    fields >> std::hex >> range.begin >> dash >> range.end >> range.rights >> offset >> device >>
        std::dec >> range.inode;
    std::getline(fields >> std::ws, range.what);
    ranges.push_back(range);
  }
  return ranges;
}

MappedRange range_of(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  for (const MappedRange& range : mapped_ranges(::getpid())) {
    if (range.begin <= wanted && wanted < range.end) return range;
  }
  return {};
}

bool has_random_addresses() {
  const int persona = ::personality(0xffffffff);
  std::ifstream setting("/proc/sys/kernel/randomize_va_space");
  int level = 0;
  setting >> level;
  return (persona & ADDR_NO_RANDOMIZE) == 0 && level == 2;
}

void take_private_shared_names() {
  if (::unshare(CLONE_NEWNS) != 0) return;
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
  ::mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,mode=1777");
}

}  // namespace tarn::testkit
