#include "daemon/daemon.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/log.h"
#include "daemon/keeper/keeper.h"
#include "daemon/worker/worker.h"
#include "os/child.h"
#include "os/limits.h"
#include "os/process.h"
#include "wire/start_report.h"

namespace tarn::daemon {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::uint64_t default_limit() {
  const os::MemoryLimits limits = os::memory_limits();
  return std::min(limits.machine_bytes, limits.cgroup_bytes.value_or(limits.machine_bytes)) / 2;
}

NodeFacts facts_of(const Options& options, const wire::RunPaths& paths, wire::DoorPaths door) {
  NodeFacts facts;
  facts.application = options.key.application;
  facts.user = options.key.user;
  facts.directory = paths.directory;
  facts.door = std::move(door);
  facts.limit_bytes = options.limit_bytes != 0 ? options.limit_bytes : default_limit();
  if (options.idle_exit_s && *options.idle_exit_s >= 0) {
    facts.idle_exit_ns = static_cast<std::int64_t>(*options.idle_exit_s * 1e9);
  }
  return facts;
}

// Says how the start went to whoever started us: one line, then the descriptor closes.
class StartReport {
 public:
  explicit StartReport(int fd) noexcept : fd_(fd) {}
  void say(const std::string& line) noexcept {
    if (fd_) os::write_text(fd_.get(), line);
    fd_.reset();
  }
  int refuse(const Error& error) noexcept {
    const bool busy = error.code() == Error::busy;
    if (!fd_) log_error(error.what());
    say(busy ? std::string(wire::kBusyLine) : wire::encode_start_error(error));
    return busy ? wire::kExitBusy : wire::kExitFailed;
  }

 private:
  os::UniqueFd fd_;
};

// A background daemon keeps nothing of its starter, and writes to its log.
FullStatus prepare_streams(const Options& options, const wire::RunPaths& paths) {
  if (options.foreground) return Done{};
  if (auto done = os::detach_from_terminal(paths.log_file); !done) return done;
  if (!log_to_file(paths.log_file)) log_warning("the log goes to standard error");
  return Done{};
}

Result<Keeper, Error> start_keeper(const Options& options, os::ServiceManager service) {
  auto paths = wire::run_paths(options.key, environment("XDG_RUNTIME_DIR"), os::own_uid());
  if (!paths) return std::move(paths).error();
  auto directory = RunDirectory::take(*paths);
  if (!directory) return std::move(directory).error();
  auto door = wire::door_paths(options.key, environment("TARN_DOORS"), os::own_uid());
  if (!door && !options.access.empty()) return std::move(door).error();
  auto ready = prepare_streams(options, *paths);
  auto keeper = ready ? Keeper::create(*directory,
                                       facts_of(options, *paths, door ? *door : wire::DoorPaths{}),
                                       std::move(service), options.access)
                      : Result<Keeper, Error>(std::move(ready).error());
  // The log stays where it is the only place that says why.
  if (!keeper) directory->remove(options.ready_fd < 0 && !options.foreground);
  return keeper;
}

}  // namespace

int run_daemon(const Options& options) {
  StartReport report(options.ready_fd);
  set_log_role("keeper");
  os::name_thread("tarnd-keeper");
  os::open_standard_streams();
  // A daemon in the background may have been started by a service's client: then the environment
  // speaks of that service, not of the daemon.
  os::ServiceManager service = os::ServiceManager::from_environment();
  if (!options.foreground) {
    service = {};
    os::close_inherited(options.ready_fd);
  }
  os::raise_descriptor_limit();
  auto keeper = start_keeper(options, std::move(service));
  if (!keeper) return report.refuse(keeper.error());
  log_info("the node of application '" + options.key.application + "', user '" + options.key.user +
           "' begins");
  report.say(std::string(wire::kReadyLine));
  if (keeper->run() == Keeper::Role::ended) return wire::kExitOrdered;
  set_log_role("worker");
  os::name_thread("tarnd-worker");
  return serve(keeper->take_seed());
}

}  // namespace tarn::daemon
