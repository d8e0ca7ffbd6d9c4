// host_facts.h - the world as the doctor finds it: plain data, read once, judged elsewhere.
//
// What cannot be read stays at its default, which the judgement takes for "unknown", never for
// "good". Tests fill in the fields by hand to seed a fault.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/domain.h"
#include "os/examine/machine.h"
#include "os/examine/path_facts.h"
#include "os/examine/probe.h"
#include "os/limits.h"
#include "tarn/access.h"
#include "tarn/error.h"
#include "tarn/inspect.h"

namespace tarn::doctor {

struct KernelFacts {
  std::string release;
  os::SealProbe seals;
  // errno, 0 when it works
  int populate_write = 0;
  int futex_waitv = 0;
  int pidfd_open = 0;
  int peer_pidfd = 0;
  bool sees_itself = false;  // /proc/PID/stat of this process can be read
};

struct MemoryFacts {
  os::MemoryLimits limits;
  std::optional<std::uint64_t> overcommit_mode;  // vm.overcommit_memory
  std::optional<std::uint64_t> commit_limit_bytes;
  std::optional<std::uint64_t> committed_bytes;
  std::optional<os::Room> shm;  // of /dev/shm
  std::string huge_shmem;       // shmem_enabled: "always within_size advise [never] deny force"
  std::optional<std::uint64_t> huge_reserved_bytes;  // by hugetlb
  std::optional<std::uint64_t> huge_free_bytes;
};

struct LimitFacts {
  os::ResourceLimits resources;
  std::uint64_t open_descriptors = 0;
  std::optional<std::uint64_t> most_mappings;  // vm.max_map_count
};

struct MachineFacts {
  std::string clocksource;
  std::string clocksources;  // those that could be chosen
  std::uint64_t clock_reading_ns = 0;
  os::ClockState wall_clock;
  os::Processors processors;
};

struct RunFacts {
  std::uint32_t uid = 0;
  std::string wished_directory;     // $XDG_RUNTIME_DIR
  std::optional<Error> bad_domain;  // then all below is empty
  Domain domain;
  os::PathFacts trusted;
  std::vector<os::PathFacts> levels;  // below `trusted`, down to the first that is no directory
  int may_write = 0;                  // errno for making files in the deepest directory there is
  std::optional<os::Room> room;       // in that directory
  std::optional<Error> no_daemon;     // the program is nowhere
};

// What lies in the run directory, once every level of it is ours.
struct LeftoverFacts {
  bool looked = false;
  std::uint32_t uid = 0;
  os::PathFacts pid_file;
  std::string pid_text;
  std::int32_t pid = 0;  // 0: the text names none
  bool pid_runs = false;
  os::PathFacts lock_file;
  std::optional<std::int32_t> lock_holder;
  os::PathFacts socket;
  os::SocketAnswer answer = os::SocketAnswer::nobody;
  std::string log_path;
  std::string last_error;  // the log's last line of level error
};

enum class NodePresence : std::uint8_t {
  unclear,  // the directory is unsafe, or a node is there that nobody reaches
  absent,
  listening,
};

struct NodeFacts {
  NodePresence presence = NodePresence::unclear;
  std::string log_path;
  std::string own_version;
  std::optional<NodeStatus> status;
  std::optional<Error> error;  // it did not answer
  std::optional<os::DescriptorUse> keeper;
  std::optional<os::DescriptorUse> worker;
  std::optional<AccessStatus> access;
};

struct HostFacts {
  KernelFacts kernel;
  MemoryFacts memory;
  LimitFacts limits;
  MachineFacts machine;
  RunFacts run;
  LeftoverFacts leftovers;
  NodeFacts node;
};

// Reads all of it. Waits at most for a node that listens and does not answer.
HostFacts read_host(const ConnectOptions& options);

// The last line of the log's text whose level is error; empty when there is none.
std::string last_error_line(const std::string& text);

}  // namespace tarn::doctor
