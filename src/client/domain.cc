#include "client/domain.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "client/connection.h"
#include "os/access/accounts.h"
#include "os/access/passage.h"
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

Result<std::uint32_t, Error> owner_of(const ConnectOptions& options) {
  std::string owner = options.owner;
  if (owner.empty()) owner = from_environment("TARN_OWNER");
  if (owner.empty()) return os::own_uid();
  std::uint32_t uid = 0;
  const auto [stop, error] = std::from_chars(owner.data(), owner.data() + owner.size(), uid);
  if (error == std::errc{} && stop == owner.data() + owner.size()) return uid;
  if (const auto found = os::find_user(owner)) return *found;
  return Error(Error::invalid_argument, "find the node's owner", "account '" + owner + "'",
               "name an account of this machine, or its number");
}

// What leads to another account's node, and nothing else.
Result<wire::RunPaths, Error> paths_to_door(const wire::DomainKey& key, std::uint32_t owner) {
  auto door = wire::door_paths(key, from_environment("TARN_DOORS"), owner);
  if (!door) return std::move(door).error();
  wire::RunPaths paths;
  paths.trusted = std::move(door->trusted);
  paths.directory = std::move(door->directory);
  paths.socket = std::move(door->socket);
  paths.owner_uid = owner;
  return paths;
}

// Whether no such node runs or it lets nobody in is not for us to know.
Error no_door(const Domain& domain) {
  return Error(Error::access_denied, "reach the node",
               "uid " + std::to_string(domain.paths.owner_uid) + " has no door for others at '" +
                   domain.paths.socket + "'",
               "ask its owner: `tarn up`, `tarn access allow`");
}

Result<os::UniqueFd, Error> knock(const Domain& domain, Deadline deadline) {
  const wire::RunPaths& paths = domain.paths;
  auto safe = os::check_passage(paths.trusted, paths.directory, paths.owner_uid);
  if (safe) safe = os::check_socket(paths.socket, paths.owner_uid);
  if (!safe) {
    if (safe.error().code() == Error::not_found) return no_door(domain);
    return std::move(safe).error();
  }
  auto socket = os::connect_to(paths.socket, deadline);
  // EACCES: a door for one group alone.
  if (!socket && socket.error().code() == Error::os) return no_door(domain);
  return socket;
}

// Nobody else can pose as the owner's node.
Result<os::UniqueFd, Error> check_owner(const Domain& domain, os::UniqueFd socket) {
  const auto peer = os::peer_of(socket.get());
  if (!peer) return peer.error();
  if (speaks_for(*peer, domain.paths.owner_uid)) return socket;
  return Error(
      Error::access_denied, "reach the node",
      "the process behind '" + domain.paths.socket + "' runs as uid " + std::to_string(peer->uid),
      "do not trust it: remove the socket");
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
  const auto owner = owner_of(options);
  if (!owner) return owner.error();
  domain.is_foreign = *owner != os::own_uid();
  if (domain.key.user.empty() && domain.is_foreign) domain.key.user = os::user_name(*owner);
  if (domain.key.user.empty()) {
    domain.key.user = domain.is_foreign ? std::to_string(*owner) : os::account_name();
  }
  auto paths = domain.is_foreign ? paths_to_door(domain.key, *owner)
                                 : wire::run_paths(domain.key, from_environment("XDG_RUNTIME_DIR"),
                                                   os::own_uid());
  if (!paths) return std::move(paths).error();
  domain.paths = std::move(*paths);
  return domain;
}

Result<os::UniqueFd, Error> reach_node(const Domain& domain, Deadline deadline) {
  if (domain.is_foreign) {
    auto socket = knock(domain, deadline);
    return socket ? check_owner(domain, std::move(*socket)) : std::move(socket);
  }
  auto safe = os::check_private_directory(domain.paths.trusted, domain.paths.directory);
  if (!safe) {
    if (safe.error().code() != Error::not_found) return std::move(safe).error();
    return Error(Error::node_unavailable, "reach the node", domain.paths.directory,
                 "start it with `tarn up`, or let a client start it");
  }
  auto socket = os::connect_to(domain.paths.socket, deadline);
  return socket ? check_owner(domain, std::move(*socket)) : std::move(socket);
}

namespace {

// All that a shepherd starts has its mark in the environment.
bool is_supervised() noexcept { return std::getenv("TARN_SHEPHERD") != nullptr; }

}  // namespace

Result<os::UniqueFd, Error> reach_or_start_node(const Domain& domain, bool to_stay,
                                                Deadline deadline, bool& started) {
  started = false;
  if (domain.is_foreign) return reach_node(domain, deadline);
  for (auto pause = 1ms;; pause = std::min(pause * 2, std::chrono::milliseconds(50))) {
    auto socket = reach_node(domain, deadline);
    if (socket || socket.error().code() != Error::node_unavailable) return socket;
    if (is_supervised()) {
      // It would belong to the client, and end with it, whoever has joined it meanwhile.
      return Error(Error::node_unavailable, "start a node from inside a supervised client",
                   domain.paths.directory, "start it outside: tarn up");
    }
    auto ready = start_daemon(domain, to_stay, deadline);
    if (!ready) return std::move(ready).error();
    if (*ready) {
      started = true;
      return reach_node(domain, deadline);
    }
    if (deadline.has_passed()) return socket;
    // Somebody else's daemon has the lock, and is on its way up or down.
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace tarn
