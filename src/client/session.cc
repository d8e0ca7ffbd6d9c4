#include "tarn/session.h"

#include <chrono>
#include <thread>
#include <utility>

#include "client/domain.h"
#include "client/hello.h"
#include "client/node_status.h"
#include "client/observer.h"
#include "client/session_core.h"
#include "client/value/value_store.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;
constexpr auto kPauseBetweenWorkers = 1ms;

template <class T>
T unwrap(Result<T, Error> result) {
  if (!result) throw std::move(result).error();
  return *std::move(result);
}

PipeStatus to_status(const wire::PipeFacts& facts) {
  PipeStatus status;
  status.id = facts.id;
  status.name = wire::get_text(facts.name);
  status.capacity = facts.capacity;
  status.delivery = static_cast<Delivery>(facts.delivery);
  status.closed = facts.closed != 0;
  status.depth = facts.depth;
  status.depth_high_water = facts.depth_high_water;
  status.pushed = facts.pushed;
  status.popped = facts.popped;
  status.pushed_bytes = facts.pushed_bytes;
  status.popped_bytes = facts.popped_bytes;
  status.push_waits = facts.push_waits;
  status.pop_waits = facts.pop_waits;
  status.skipped = facts.skipped;
  status.redelivered = facts.redelivered;
  status.copied_in = facts.copied_in;
  status.producers = facts.producers;
  status.consumers = facts.consumers;
  status.sessions = facts.sessions;
  return status;
}

SessionStatus to_status(const wire::SessionFacts& facts) {
  SessionStatus status;
  status.id = facts.index;
  status.generation = facts.generation;
  status.pid = facts.pid;
  status.uid = facts.uid;
  status.name = wire::get_text(facts.name);
  status.age_ns = facts.age_ns;
  status.connected = facts.connected != 0;
  status.segments = facts.segments;
  status.segment_bytes = facts.segment_bytes;
  status.quota_bytes = facts.quota_bytes;
  status.pipes = facts.pipes;
  status.holds = facts.holds;
  status.pushed = facts.pushed;
  status.popped = facts.popped;
  return status;
}

// A question that a session and an observer can both ask.
template <class T, class Request>
T ask(detail::SessionCore* core, detail::Observer* observer, const Request& request,
      const char* attempted) {
  if (core != nullptr) {
    core->require_ours(attempted);
    return unwrap(core->connection().ask<T>(request, attempted));
  }
  if (observer != nullptr) return unwrap(observer->ask<T>(request, attempted));
  throw Error(Error::invalid_argument, attempted, "an empty Session", "call tarn::connect() first");
}

detail::SessionCore& require_session(const std::shared_ptr<detail::SessionCore>& core,
                                     const char* attempted) {
  if (core == nullptr) {
    throw Error(Error::invalid_argument, attempted, "an observer, or an empty Session",
                "connect without ConnectOptions::observer");
  }
  core->require_ours(attempted);
  return *core;
}

struct Greeted {
  os::UniqueFd socket;
  Reply reply;
};

// A worker that dies before it answers is no error: the next one is asked, with the same segment,
// by which it knows the session that the last one may have begun.
Result<Greeted, Error> say_hello(const Domain& domain, const ConnectOptions& options,
                                 const wire::Hello& hello, int record_fd) {
  const Deadline deadline = Deadline::in(options.patience);
  for (;;) {
    bool started = false;
    auto socket = options.start_node ? reach_or_start_node(domain, false, deadline, started)
                                     : reach_node(domain, deadline);
    if (!socket) return std::move(socket).error();
    auto reply = ask_once(socket->get(), wire::bytes_of(hello), record_fd, deadline);
    if (reply) return Greeted{std::move(*socket), std::move(*reply)};
    // busy: another account's node could not learn at once who we are.
    const bool may_pass =
        reply.error().code() == Error::node_lost || reply.error().code() == Error::busy;
    if (!may_pass || deadline.has_passed()) return std::move(reply).error();
    std::this_thread::sleep_for(kPauseBetweenWorkers);
  }
}

}  // namespace

Session connect(const ConnectOptions& options) {
  const Domain domain = unwrap(domain_of(options));
  Session session;
  if (options.observer) {
    session.observer_ = unwrap(detail::Observer::create(domain));
    return session;
  }
  const auto self = os::identify(os::own_pid());
  if (!self) throw Error(self.error(), "join the domain", "/proc/self/stat", "mount /proc");
  SessionRecord record = unwrap(SessionRecord::create(*self));
  wire::Hello hello = make_hello(options.name.empty() ? os::program_name() : options.name);
  hello.quota_bytes = options.quota_bytes;
  auto [socket, reply] = unwrap(say_hello(domain, options, hello, record.fd()));
  const auto welcome = unwrap(reply.as<wire::Welcome>("join the domain"));
  if (reply.descriptors.empty() || welcome.session_index == 0 ||
      welcome.session_index >= layout::kMaxSessions) {
    throw Error(Error::corrupt, "join the domain", "the node's answer", "restart the node");
  }
  Segment node =
      unwrap(map_foreign(reply.descriptors.front().get(), layout::kNodeBytes, true, false));
  if (const auto table = NodeTable::attach(node); !table) {
    throw Error(table.error(), "join the domain", "the node's table", "restart the node");
  }
  session.core_ =
      unwrap(detail::SessionCore::create(std::move(socket), domain.paths, domain.key,
                                         std::move(record), hello, welcome, std::move(node)));
  return session;
}

Pipe Session::pipe(std::string_view name, const PipeOptions& options) {
  auto& core = require_session(core_, "open the pipe");
  return Pipe(unwrap(core.open_pipe(name, options, wire::OpenMode::open_or_create)));
}

Pipe Session::open_pipe(std::string_view name, const PipeOptions& options) {
  auto& core = require_session(core_, "open the pipe");
  return Pipe(unwrap(core.open_pipe(name, options, wire::OpenMode::open_only)));
}

Pipe Session::create_pipe(std::string_view name, const PipeOptions& options) {
  auto& core = require_session(core_, "create the pipe");
  return Pipe(unwrap(core.open_pipe(name, options, wire::OpenMode::create_only)));
}

void Session::remove_pipe(std::string_view name) {
  if (auto good = wire::check_pipe_name(name); !good) throw std::move(good).error();
  auto request = wire::make<wire::PipeRemove>(0);
  wire::put_text(request.name, name);
  ask<wire::DoneReply>(core_.get(), observer_.get(), request, "remove the pipe");
}

Loan Session::loan(std::size_t size_bytes) {
  Loan loan;
  if (auto loaned = require_session(core_, "loan memory").loan(size_bytes, loan); !loaned) {
    throw std::move(loaned).error();
  }
  return loan;
}

Value Session::value(std::size_t expected_bytes) {
  detail::SessionCore& core = require_session(core_, "make a value");
  return Value(detail::ValueStore::create(core_, core.heap(), expected_bytes));
}

Value Session::edit(const Message& message) {
  detail::SessionCore& core = require_session(core_, "edit a message");
  const ValueView received = message.value();
  Value edited(detail::ValueStore::create(core_, core.heap(), received.bytes_in_all()));
  edited.root() = received;
  return edited;
}

std::optional<Error> Session::last_refusal() const {
  return core_ != nullptr ? core_->last_refusal() : std::nullopt;
}

bool Session::is_lost() const noexcept { return core_ != nullptr && core_->is_lost(); }

std::uint32_t Session::id() const noexcept { return core_ != nullptr ? core_->id().index : 0; }

const std::string& Session::application() const noexcept {
  static const std::string none;
  if (core_ != nullptr) return core_->key().application;
  return observer_ != nullptr ? observer_->domain().key.application : none;
}

const std::string& Session::user() const noexcept {
  static const std::string none;
  if (core_ != nullptr) return core_->key().user;
  return observer_ != nullptr ? observer_->domain().key.user : none;
}

NodeStatus Session::status() {
  return to_status(ask<wire::StatusReply>(core_.get(), observer_.get(),
                                          wire::make<wire::StatusGet>(0), "read the status"));
}

std::vector<PipeStatus> Session::pipes() {
  std::vector<PipeStatus> all;
  auto request = wire::make<wire::PipeList>(0);
  for (bool more = true; more;) {
    const auto page = ask<wire::PipePage>(core_.get(), observer_.get(), request, "list the pipes");
    const auto count = std::min<std::size_t>(page.count, page.items.size());
    for (std::size_t i = 0; i < count; ++i) all.push_back(to_status(page.items[i]));
    more = page.more != 0 && count > 0;
    if (count > 0) request.after = page.items[count - 1].id;
  }
  return all;
}

PipeStatus Session::pipe_status(std::string_view name) {
  if (auto good = wire::check_pipe_name(name); !good) throw std::move(good).error();
  auto request = wire::make<wire::PipeList>(0);
  wire::put_text(request.name, name);
  const auto page = ask<wire::PipePage>(core_.get(), observer_.get(), request, "find the pipe");
  if (page.count == 0) {
    throw Error(Error::not_found, "find the pipe", "pipe '" + std::string(name) + "'",
                "see `tarn pipe ls`");
  }
  return to_status(page.items[0]);
}

std::vector<SessionStatus> Session::sessions() {
  std::vector<SessionStatus> all;
  auto request = wire::make<wire::SessionList>(0);
  for (bool more = true; more;) {
    const auto page =
        ask<wire::SessionPage>(core_.get(), observer_.get(), request, "list the sessions");
    const auto count = std::min<std::size_t>(page.count, page.items.size());
    for (std::size_t i = 0; i < count; ++i) all.push_back(to_status(page.items[i]));
    more = page.more != 0 && count > 0;
    if (count > 0) request.after = page.items[count - 1].index;
  }
  return all;
}

}  // namespace tarn
