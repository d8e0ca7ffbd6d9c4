#include "tarn/client.h"

#include <algorithm>
#include <string>
#include <utility>

#include "client/domain.h"
#include "client/supervised/client_core.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/run/command.h"
#include "tarn/node.h"
#include "tarn/session.h"
#include "wire/client_description.h"

namespace tarn {
namespace {

constexpr std::string_view kStateNames[] = {"registered", "starting", "running",  "waiting",
                                            "stopping",   "stopped",  "finished", "failed"};
constexpr std::string_view kRuleNames[] = {"on-failure", "always", "never"};
static_assert(std::size(kStateNames) == layout::kClientStates);

bool has_ended(const layout::BoardFacts& facts) {
  return facts.state >= layout::ClientState::stopped;
}

std::shared_ptr<detail::Observer> observe(const Domain& domain) {
  auto observer = detail::Observer::create(domain);
  if (!observer) throw std::move(observer).error();
  return *observer;
}

Domain require_domain(const ConnectOptions& options) {
  auto domain = domain_of(options);
  if (!domain) throw std::move(domain).error();
  return *std::move(domain);
}

// The environment of this process, with the variables that name the domain and the client.
std::vector<std::string> environment_for(const Domain& domain, std::string_view name) {
  const std::pair<std::string, std::string> own[] = {{"TARN_APPLICATION=", domain.key.application},
                                                     {"TARN_USER=", domain.key.user},
                                                     {"TARN_CLIENT=", std::string(name)}};
  std::vector<std::string> words = os::own_environment();
  for (const auto& [variable, value] : own) {
    std::erase_if(words, [&](const std::string& word) { return word.starts_with(variable); });
    words.push_back(variable + value);
  }
  return words;
}

wire::ClientDescription describe(const Domain& domain, std::string_view name,
                                 const std::vector<std::string>& command,
                                 const ClientOptions& how) {
  wire::ClientDescription description;
  description.arguments = command;
  description.environment = environment_for(domain, name);
  for (const os::ResourceLimitWish& limit : os::own_limits()) {
    description.limits.push_back({limit.soft, limit.hard});
  }
  description.file_mode_mask = os::own_file_mode_mask();
  description.policy.restart = static_cast<wire::RestartWhen>(how.restart);
  description.policy.limit_count = how.limit_count;
  description.policy.limit_window_ns = how.limit_window.count();
  description.policy.backoff_first_ns = how.backoff_first.count();
  description.policy.backoff_most_ns = how.backoff_most.count();
  description.policy.stop_timeout_ns = how.stop_timeout.count();
  return description;
}

template <class T>
T unwrap(Result<T, Error> result) {
  if (!result) throw std::move(result).error();
  return *std::move(result);
}

}  // namespace

std::string_view name_of(ClientState state) noexcept {
  const auto index = static_cast<std::size_t>(state);
  return index < std::size(kStateNames) ? kStateNames[index] : "unknown";
}

std::string_view name_of(RestartRule rule) noexcept {
  const auto index = static_cast<std::size_t>(rule);
  return index < std::size(kRuleNames) ? kRuleNames[index] : "unknown";
}

const std::string& Client::name() const noexcept { return core_->name; }

ClientStatus Client::status() { return to_status(core_->look().facts); }

ClientStatus Client::stop() {
  const std::uint64_t serial = core_->order(wire::ClientWish::stop, false, "stop the client");
  core_->await(serial, Deadline::never(), has_ended);
  return status();
}

ClientStatus Client::restart() {
  const std::uint64_t serial = core_->order(wire::ClientWish::restart, false, "restart the client");
  await_start(serial);
  return status();
}

void Client::await_start(std::uint64_t serial) {
  int exec_error = 0;
  core_->await(serial, Deadline::never(), [&](const layout::BoardFacts& facts) {
    exec_error = facts.state == layout::ClientState::failed ? facts.exec_error : 0;
    return facts.state == layout::ClientState::running ||
           facts.state > layout::ClientState::stopping ||
           facts.state == layout::ClientState::waiting;
  });
  if (exec_error != 0) throw exec_refusal(status().command, exec_error);
}

// Until the node knows no client of that name, or another one. It may be so before the order is
// answered: by the next worker, when the one that wrote it down died over its answer.
void Client::remove(bool force) {
  const std::uint32_t id = core_->look().facts.id;
  try {
    core_->order(wire::ClientWish::remove, force, "remove the client");
    for (;;) {
      const auto got = core_->look();
      if (got.facts.id != id || got.facts.state < static_cast<std::uint32_t>(ClientState::stopping))
        return;
      core_->await_removal();
    }
  } catch (const Error& error) {
    if (error.code() != Error::not_found) throw;
  }
}

bool Client::wait_end(std::chrono::nanoseconds timeout) {
  const std::uint64_t serial = core_->look().serial;
  return core_->await(serial, Deadline::in(timeout), has_ended);
}

std::vector<ClientOutput> Client::output() {
  if (!core_->board || core_->shepherd_is_gone()) core_->look();
  std::vector<ClientOutput> output;
  if (!core_->board) return output;
  core_->seen_changes = core_->board.changes();
  std::vector<LogPiece> pieces;
  if (auto good = core_->board.read_log(core_->log_position, pieces); !good) {
    throw Error(good.error(), "read the client's output", "client '" + core_->name + "'",
                "restart the client");
  }
  for (LogPiece& piece : pieces) {
    output.push_back({piece.unix_ns, piece.stream == 2, std::move(piece.text)});
  }
  return output;
}

void Client::wait_change(std::chrono::nanoseconds timeout) {
  core_->await_change(core_->seen_changes, Deadline::in(timeout));
}

Client run_client(const ConnectOptions& options, std::string_view name,
                  const std::vector<std::string>& command, const ClientOptions& how) {
  if (auto good = wire::check_client_name(name); !good) throw std::move(good).error();
  const Domain domain = require_domain(options);
  const auto bytes = unwrap(wire::encode_description(describe(domain, name, command, how)));
  const auto memory = unwrap(os::sealed_copy("tarn-description", bytes));
  const auto directory = unwrap(os::open_working_directory());
  start_node(options);
  Client client;
  client.core_ = std::make_shared<Client::Core>(observe(domain), std::string(name));
  auto request = wire::make<wire::ClientRun>(0);
  wire::put_text(request.name, name);
  os::random_bytes(&request.nonce, sizeof request.nonce);
  request.replace = how.replace ? 1 : 0;
  const int beside[] = {memory.get(), directory.get()};
  const auto accepted = unwrap(client.core_->observer->ask_with<wire::ClientAccepted>(
      request, beside, "register the client", nullptr));
  try {
    client.await_start(accepted.serial);
  } catch (const Error& error) {
    // It never ran: nothing of it shall stay.
    if (error.attempted() == "execute the command") client.remove(true);
    throw;
  }
  return client;
}

Client find_client(const ConnectOptions& options, std::string_view name) {
  if (auto good = wire::check_client_name(name); !good) throw std::move(good).error();
  Client client;
  client.core_ =
      std::make_shared<Client::Core>(observe(require_domain(options)), std::string(name));
  client.core_->look();
  return client;
}

std::vector<ClientStatus> list_clients(const ConnectOptions& options) {
  const auto observer = observe(require_domain(options));
  std::vector<ClientStatus> all;
  auto request = wire::make<wire::ClientList>(0);
  for (bool more = true; more;) {
    const auto page = unwrap(observer->ask<wire::ClientPage>(request, "list the clients"));
    const auto count = std::min<std::size_t>(page.count, page.items.size());
    for (std::size_t i = 0; i < count; ++i) all.push_back(to_status(page.items[i]));
    more = page.more != 0 && count > 0;
    if (count > 0) request.after = page.items[count - 1].id;
  }
  return all;
}

}  // namespace tarn
