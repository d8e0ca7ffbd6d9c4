#include "tools/bench/method/machine.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include "tools/bench/method/processes.h"

namespace tarn::bench {
namespace {

// True for a CPU that is its core's first thread; also when the kernel does not say.
bool is_first_of_its_core(int cpu) {
  std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                     "/topology/thread_siblings_list");
  int first = cpu;
  file >> first;
  return first == cpu;
}

// The text after the colon of the first line that begins with `key`.
std::string field_of(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, key.size(), key) != 0) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? std::string() : line.substr(begin);
  }
  return {};
}

std::uint64_t memory_field(std::string_view key) {
  std::istringstream text(field_of("/proc/meminfo", key));
  std::uint64_t kib = 0;
  text >> kib;
  return kib * 1024;
}

const char* build_kind() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return "sanitized";
#elif defined(TARN_CRASH_POINTS) || !defined(__OPTIMIZE__)
  return "debug";
#else
  return "optimised";
#endif
}

const char* build_commit() {
#ifdef TARN_COMMIT
  return TARN_COMMIT;
#else
  return "";
#endif
}

}  // namespace

std::vector<int> usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    throw BenchError(std::string("cannot learn which CPUs may be used: ") + std::strerror(errno));
  }
  std::vector<int> cpus;
  std::vector<int> second_threads;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(static_cast<std::size_t>(cpu), &set)) continue;
    (is_first_of_its_core(cpu) ? cpus : second_threads).push_back(cpu);
  }
  cpus.insert(cpus.end(), second_threads.begin(), second_threads.end());
  return cpus;
}

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) {
    throw BenchError("cannot pin a process to CPU " + std::to_string(cpu) + ": " +
                     std::strerror(errno));
  }
}

void require_on(int cpu) {
  const int actual = ::sched_getcpu();
  if (actual == cpu) return;
  throw BenchError("a process pinned to CPU " + std::to_string(cpu) + " ran on CPU " +
                   std::to_string(actual));
}

Machine examine_machine() {
  Machine machine;
  machine.model = field_of("/proc/cpuinfo", "model name");
  machine.cpu_count = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  machine.memory_bytes = memory_field("MemTotal");
  utsname names{};
  if (::uname(&names) == 0) machine.kernel = std::string(names.sysname) + " " + names.release;
#if defined(__clang__)
  machine.compiler = "clang " __clang_version__;
#else
  machine.compiler = "gcc " __VERSION__;
#endif
  machine.build = build_kind();
  machine.commit = build_commit();
  return machine;
}

std::uint64_t available_memory_bytes() { return memory_field("MemAvailable"); }

}  // namespace tarn::bench
