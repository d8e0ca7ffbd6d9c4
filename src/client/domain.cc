#include "client/domain.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "os/directory.h"
#include "os/pipe_text.h"
#include "os/process.h"
#include "os/socket.h"

#ifndef TARN_INSTALLED_DAEMON
#define TARN_INSTALLED_DAEMON "/usr/local/bin/tarnd"
#endif

namespace tarn {
namespace {

using namespace std::chrono_literals;

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : std::string();
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string(".") : path.substr(0, slash);
}

// True when the daemon says it is ready; false when another one was faster.
Result<bool, Error> start_daemon(const Domain& domain, bool to_stay, Deadline deadline) {
  auto program = find_daemon();
  if (!program) return std::move(program).error();
  std::vector<std::string> arguments = {*program, "--application", domain.key.application,
                                        "--user", domain.key.user, "--ready-fd",
                                        "3"};
  if (!to_stay) {
    arguments.emplace_back("--idle-exit");
    arguments.emplace_back("30");
  }
  auto ready = os::spawn_detached(arguments);
  if (!ready) return std::move(ready).error();
  const std::string said = os::read_line(ready->get(), deadline);
  if (said == "ready") return true;
  if (said == "busy") return false;
  return Error(Error::node_unavailable, "start the node",
               said.empty() ? *program + " gave no sign of life" : said,
               "see '" + domain.paths.log_file + "', and run `tarn doctor`");
}

}  // namespace

Result<std::string, Error> find_daemon() {
  std::vector<std::string> places;
  if (const std::string wish = from_environment("TARN_DAEMON"); !wish.empty()) {
    places = {wish};
  } else {
    places = {folder_of(os::program_path()) + "/tarnd",
              folder_of(os::library_path()) + "/../bin/tarnd", TARN_INSTALLED_DAEMON};
    std::istringstream path(from_environment("PATH"));
    for (std::string folder; std::getline(path, folder, ':');) {
      if (!folder.empty() && folder.front() == '/') places.push_back(folder + "/tarnd");
    }
  }
  const auto found = std::find_if(places.begin(), places.end(), os::is_executable);
  if (found != places.end()) return *found;
  return Error(Error::node_unavailable, "start the node", "program 'tarnd' is not to be found",
               "install it, put it on the PATH, or set TARN_DAEMON to where it is");
}

Result<Domain, Error> domain_of(const ConnectOptions& options) {
  Domain domain;
  domain.key.application = options.application;
  if (domain.key.application.empty()) domain.key.application = from_environment("TARN_APPLICATION");
  if (domain.key.application.empty()) domain.key.application = "default";
  domain.key.user = options.user;
  if (domain.key.user.empty()) domain.key.user = from_environment("TARN_USER");
  if (domain.key.user.empty()) domain.key.user = os::account_name();
  auto paths = wire::run_paths(domain.key, from_environment("XDG_RUNTIME_DIR"), os::own_uid());
  if (!paths) return std::move(paths).error();
  domain.paths = std::move(*paths);
  return domain;
}

Result<os::UniqueFd, Error> reach_node(const Domain& domain) {
  auto safe = os::check_private_directory(domain.paths.trusted, domain.paths.directory);
  if (!safe) {
    if (safe.error().code() != Error::not_found) return std::move(safe).error();
    return Error(Error::node_unavailable, "reach the node", domain.paths.directory,
                 "start it with `tarn up`, or let a client start it");
  }
  auto socket = os::connect_to(domain.paths.socket);
  if (!socket) return socket;
  const auto peer = os::peer_of(socket->get());
  if (!peer) return peer.error();
  if (peer->uid != os::own_uid()) {
    return Error(
        Error::access_denied, "reach the node",
        "the process behind '" + domain.paths.socket + "' runs as uid " + std::to_string(peer->uid),
        "do not trust it: remove the socket");
  }
  return socket;
}

Result<os::UniqueFd, Error> reach_or_start_node(const Domain& domain, bool to_stay,
                                                Deadline deadline, bool& started) {
  started = false;
  for (auto pause = 1ms;; pause = std::min(pause * 2, std::chrono::milliseconds(50))) {
    auto socket = reach_node(domain);
    if (socket || socket.error().code() != Error::node_unavailable) return socket;
    auto ready = start_daemon(domain, to_stay, deadline);
    if (!ready) return std::move(ready).error();
    if (*ready) {
      started = true;
      return reach_node(domain);
    }
    if (deadline.has_passed()) return socket;
    // Somebody else's daemon has the lock, and is on its way up or down.
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace tarn
