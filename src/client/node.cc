#include "tarn/node.h"

#include <chrono>
#include <thread>

#include "base/version.h"
#include "client/domain.h"
#include "client/observer.h"
#include "os/directory.h"
#include "os/process.h"
#include "tarn/session.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;

Domain require_domain(const ConnectOptions& options) {
  auto domain = domain_of(options);
  if (!domain) throw std::move(domain).error();
  return *std::move(domain);
}

bool has_ended(std::int32_t pid, const os::UniqueFd& pidfd) {
  return pidfd ? os::has_exited(pidfd.get()) : !os::identify(pid).has_value();
}

}  // namespace

std::string version() { return kVersion; }

std::string run_directory(const ConnectOptions& options) {
  return require_domain(options).paths.directory;
}

bool start_node(const ConnectOptions& options) {
  const Domain domain = require_domain(options);
  if (domain.is_foreign) {
    // Only its owner starts it.
    auto socket = reach_node(domain, Deadline::in(options.patience));
    if (!socket) throw std::move(socket).error();
    return false;
  }
  bool started = false;
  auto socket = reach_or_start_node(domain, true, Deadline::in(options.patience), started);
  if (!socket) throw std::move(socket).error();
  return started;
}

bool stop_node(const ConnectOptions& options, bool force, std::chrono::milliseconds patience) {
  const Domain domain = require_domain(options);
  auto observer = detail::Observer::create(domain);
  if (!observer) {
    if (observer.error().code() == Error::node_unavailable) return false;
    throw std::move(observer).error();
  }
  auto status =
      (*observer)->ask<wire::StatusReply>(wire::make<wire::StatusGet>(0), "stop the node");
  if (!status) throw std::move(status).error();
  auto keeper = os::open_pidfd(status->keeper_pid);
  // Supervised clients end first, each in its own time.
  const Deadline deadline =
      Deadline::in(patience + std::chrono::nanoseconds(status->longest_stop_ns));
  auto request = wire::make<wire::Shutdown>(0);
  request.force = force ? 1 : 0;
  auto done = (*observer)->ask<wire::DoneReply>(request, "stop the node");
  if (!done) throw std::move(done).error();
  const os::UniqueFd none;
  while (!has_ended(status->keeper_pid, keeper ? *keeper : none)) {
    if (deadline.has_passed()) {
      throw Error(Error::node_lost, "stop the node",
                  "keeper " + std::to_string(status->keeper_pid) + " has not ended in time",
                  "see '" + domain.paths.log_file + "'");
    }
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

}  // namespace tarn
