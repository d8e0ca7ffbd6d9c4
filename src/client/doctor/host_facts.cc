#include "client/doctor/host_facts.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "client/access/access_status.h"
#include "client/node_status.h"
#include "client/observer.h"
#include "os/directory.h"
#include "os/process.h"
#include "tarn/node.h"

namespace tarn::doctor {
namespace {

constexpr std::size_t kLogTailBytes = 64 << 10;

std::string first_line_of(const std::string& path) {
  const std::string text = os::read_small_file(path);
  return text.substr(0, text.find('\n'));
}

KernelFacts read_kernel() {
  KernelFacts facts;
  facts.release = os::kernel_release();
  facts.seals = os::probe_seals();
  facts.populate_write = os::try_populate_write();
  facts.futex_waitv = os::try_futex_waitv();
  facts.pidfd_open = os::try_pidfd_open();
  facts.peer_pidfd = os::try_peer_pidfd();
  facts.sees_itself = os::identify(os::own_pid()).has_value();
  return facts;
}

MemoryFacts read_memory() {
  MemoryFacts facts;
  facts.limits = os::memory_limits();
  facts.overcommit_mode = os::read_number("/proc/sys/vm/overcommit_memory");
  facts.commit_limit_bytes = os::memory_fact("CommitLimit");
  facts.committed_bytes = os::memory_fact("Committed_AS");
  facts.shm = os::room_of("/dev/shm");
  facts.huge_shmem = first_line_of("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
  const auto page_bytes = os::memory_fact("Hugepagesize");
  const auto reserved = os::memory_fact("HugePages_Total");
  const auto free = os::memory_fact("HugePages_Free");
  if (page_bytes && reserved) facts.huge_reserved_bytes = *reserved * *page_bytes;
  if (page_bytes && free) facts.huge_free_bytes = *free * *page_bytes;
  return facts;
}

LimitFacts read_limits() {
  LimitFacts facts;
  facts.resources = os::resource_limits();
  facts.open_descriptors = os::open_descriptor_count();
  facts.most_mappings = os::read_number("/proc/sys/vm/max_map_count");
  return facts;
}

MachineFacts read_machine() {
  const std::string folder = "/sys/devices/system/clocksource/clocksource0/";
  MachineFacts facts;
  facts.clocksource = first_line_of(folder + "current_clocksource");
  facts.clocksources = first_line_of(folder + "available_clocksource");
  facts.clock_reading_ns = os::clock_reading_ns();
  facts.wall_clock = os::clock_state();
  facts.processors = os::processors();
  return facts;
}

// Each level below `trusted`, down to the first that is not a directory.
std::vector<os::PathFacts> read_levels(const wire::RunPaths& paths) {
  std::vector<os::PathFacts> levels;
  std::size_t end = paths.trusted.size();
  while (end < paths.directory.size()) {
    end = std::min(paths.directory.find('/', end + 1), paths.directory.size());
    levels.push_back(os::look_at(paths.directory.substr(0, end)));
    if (levels.back().kind != os::PathKind::directory) break;
  }
  return levels;
}

RunFacts read_run(const ConnectOptions& options) {
  RunFacts facts;
  facts.uid = os::own_uid();
  if (const char* wish = std::getenv("XDG_RUNTIME_DIR"); wish != nullptr) {
    facts.wished_directory = wish;
  }
  if (auto program = find_daemon(); !program) facts.no_daemon = std::move(program).error();
  auto domain = domain_of(options);
  if (!domain) {
    facts.bad_domain = std::move(domain).error();
    return facts;
  }
  facts.domain = *std::move(domain);
  facts.trusted = os::look_at(facts.domain.paths.trusted, true);
  if (facts.trusted.kind != os::PathKind::directory) return facts;
  facts.levels = read_levels(facts.domain.paths);
  std::string deepest = facts.trusted.path;
  for (const os::PathFacts& level : facts.levels) {
    if (level.kind == os::PathKind::directory) deepest = level.path;
  }
  facts.may_write = os::may_write_in(deepest);
  facts.room = os::room_of(deepest);
  return facts;
}

// A process that has ended stays visible until its parent looks; in some containers for ever.
bool runs(std::int32_t pid) {
  if (!os::identify(pid)) return false;
  const auto pidfd = os::open_pidfd(pid);
  return !pidfd || !os::has_exited(pidfd->get());
}

LeftoverFacts read_leftovers(const RunFacts& run) {
  LeftoverFacts facts;
  const wire::RunPaths& paths = run.domain.paths;
  if (run.bad_domain || !os::check_private_directory(paths.trusted, paths.directory)) return facts;
  facts.looked = true;
  facts.uid = run.uid;
  facts.pid_file = os::look_at(paths.pid_file);
  if (facts.pid_file.kind == os::PathKind::file) facts.pid_text = first_line_of(paths.pid_file);
  const char* end = facts.pid_text.data() + facts.pid_text.size();
  const auto parsed = std::from_chars(facts.pid_text.data(), end, facts.pid);
  if (parsed.ptr != end || facts.pid <= 0) facts.pid = 0;
  facts.pid_runs = facts.pid != 0 && runs(facts.pid);
  facts.lock_file = os::look_at(paths.lock_file);
  if (facts.lock_file.kind == os::PathKind::file) {
    facts.lock_holder = os::lock_holder(facts.lock_file.inode);
  }
  facts.socket = os::look_at(paths.socket);
  if (facts.socket.kind == os::PathKind::socket) facts.answer = os::knock(paths.socket);
  facts.log_path = paths.log_file;
  facts.last_error = last_error_line(os::read_tail(paths.log_file, kLogTailBytes));
  return facts;
}

Result<NodeStatus, Error> ask_node(const Domain& domain) {
  auto observer = detail::Observer::create(domain);
  if (!observer) return std::move(observer).error();
  auto reply =
      (*observer)->ask<wire::StatusReply>(wire::make<wire::StatusGet>(0), "examine the node");
  if (!reply) return std::move(reply).error();
  return to_status(*reply);
}

NodePresence presence_of(const RunFacts& run, const LeftoverFacts& leftovers) {
  if (!leftovers.looked) {
    const bool missing = !run.levels.empty() && run.levels.back().kind == os::PathKind::missing;
    return missing ? NodePresence::absent : NodePresence::unclear;
  }
  const bool is_socket = leftovers.socket.kind == os::PathKind::socket;
  if (is_socket && leftovers.answer == os::SocketAnswer::listening) return NodePresence::listening;
  const bool dead = leftovers.socket.kind == os::PathKind::missing ||
                    (is_socket && leftovers.answer == os::SocketAnswer::nobody);
  return dead && !leftovers.lock_holder ? NodePresence::absent : NodePresence::unclear;
}

NodeFacts read_node(const RunFacts& run, const LeftoverFacts& leftovers) {
  NodeFacts facts;
  facts.own_version = version();
  facts.log_path = leftovers.log_path;
  facts.presence = presence_of(run, leftovers);
  if (facts.presence != NodePresence::listening) return facts;
  auto status = ask_node(run.domain);
  if (!status) {
    facts.error = std::move(status).error();
    return facts;
  }
  facts.status = *std::move(status);
  facts.keeper = os::descriptor_use(facts.status->keeper_pid);
  facts.worker = os::descriptor_use(facts.status->worker_pid);
  if (auto access = detail::ask_access_status(run.domain); access) facts.access = *access;
  return facts;
}

}  // namespace

std::string last_error_line(const std::string& text) {
  // "2026-01-31T12:00:00.000 4711 worker error what happened", the third word missing at times.
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string time, pid, first, second;
    words >> time >> pid >> first >> second;
    const bool is_level = first == "debug" || first == "info" || first == "warning";
    if (first == "error" || (!is_level && second == "error")) last = line;
  }
  return last;
}

HostFacts read_host(const ConnectOptions& options) {
  HostFacts facts;
  facts.kernel = read_kernel();
  facts.memory = read_memory();
  facts.limits = read_limits();
  facts.machine = read_machine();
  facts.run = read_run(options);
  facts.leftovers = read_leftovers(facts.run);
  facts.node = read_node(facts.run, facts.leftovers);
  return facts;
}

}  // namespace tarn::doctor
