#include "daemon/worker/requests/strangers.h"

#include <string>
#include <utility>

#include "base/version.h"
#include "daemon/worker/registry/reach.h"
#include "daemon/worker/requests/lists.h"
#include "daemon/worker/requests/quotas.h"
#include "daemon/worker/requests/with.h"
#include "wire/names.h"

namespace tarn::daemon {
namespace {

using wire::MessageType;

constexpr std::size_t kMostReservations = 8;  // of one session, at a time

Error denied(const char* attempted, std::string object) {
  return Error(Error::access_denied, attempted, std::move(object),
               "ask the node's owner: `tarn access allow`");
}

Error denied_pipe(const char* attempted, std::string_view name, AccessRight right) {
  return denied(attempted, "pipe '" + std::string(name) + "': this account may " +
                               (right == AccessRight::read ? "only look" : "do nothing with it"));
}

// Who holds how much is nobody else's business.
Outcome without_others(Outcome outcome) {
  if (outcome) return outcome;
  const Error& error = outcome.error();
  switch (error.code()) {
    case Error::domain_full:
    case Error::no_memory:
    case Error::quota_exceeded:
      return Error(error.code(), "allocate shared memory", "what the node can spare is in use",
                   "let go of something, or try again later");
    default:
      return outcome;
  }
}

// A pipe from before others were allowed holds messages, and references to memory, that they may
// not see. While nobody uses it and nothing is in it, another one can take its place.
FullStatus check_shared(NodeState& node, PipeItem& pipe) {
  if (pipe.facts.shared != 0) return Done{};
  if (pipe.sessions.empty() && pipe.view && pipe.view.is_drained() &&
      node.quarantined().find(ObjectKind::pipe, pipe.facts.id) == nullptr) {
    auto renewed = renew_for_others(node, pipe);
    return renewed ? FullStatus(Done{}) : FullStatus(std::move(renewed).error());
  }
  return Error(Error::access_denied, "open the pipe",
               "pipe '" + std::string(pipe.name()) + "' is from before others were allowed",
               "let its owner remove it, or let everybody close it once it is empty");
}

Outcome open(NodeState& node, const Request& request, SessionItem& session,
             const wire::PipeOpen& ask) {
  const std::string_view name = wire::get_text(ask.name);
  if (auto good = wire::check_pipe_name(name); !good) return std::move(good).error();
  const AccessRight right = node.access().on_pipe(request.caller.who, name);
  if (right != AccessRight::read_write) return denied_pipe("open the pipe", name, right);
  PipeItem* pipe = node.pipes().find(name);
  // One that is over makes place for a new one, which counts like any other.
  if (pipe != nullptr && node.discard_if_over(*pipe)) pipe = nullptr;
  if (pipe != nullptr) {
    if (auto good = check_shared(node, *pipe); !good) {
      return without_others(std::move(good).error());
    }
    return pipe_open(node, session, ask);
  }
  const bool plausible = ask.has_capacity != 0 && ask.capacity > 0 &&
                         ask.capacity <= static_cast<std::int64_t>(layout::kMaxSlots);
  const auto slots = plausible ? static_cast<std::uint32_t>(ask.capacity) : 64U;
  const Share wish{.bytes = layout::pipe_bytes(slots), .pipes = 1};
  const bool creates = ask.mode != wire::OpenMode::open_only;
  if (creates) {
    if (auto good = check_quota(node, request.caller.who.uid, wish); !good) {
      return std::move(good).error();
    }
  }
  return without_others(pipe_open(node, session, ask));
}

Outcome remove(NodeState& node, const Request& request, const wire::PipeRemove& ask) {
  const std::string_view name = wire::get_text(ask.name);
  if (auto good = wire::check_pipe_name(name); !good) return std::move(good).error();
  const AccessRight right = node.access().on_pipe(request.caller.who, name);
  if (right != AccessRight::read_write) return denied_pipe("remove the pipe", name, right);
  const PipeItem* pipe = node.pipes().find(name);
  if (pipe != nullptr && pipe->facts.uid != request.caller.who.uid) {
    return denied("remove the pipe", "pipe '" + std::string(name) + "' is another account's");
  }
  return pipe_remove(node, ask);
}

Outcome reserve(NodeState& node, SessionItem& session, const wire::SegmentReserve& ask) {
  node.ledger().expire(monotonic_ns());
  if (node.ledger().reservation_count(session.facts.index) >= kMostReservations) {
    return Error(Error::quota_exceeded, "allocate shared memory", "promised too often, not used",
                 "use what was promised, or wait 30 s");
  }
  const Share wish{.bytes = ask.size_bytes, .segments = 1};
  if (auto good = check_quota(node, session.facts.uid, wish); !good) {
    return std::move(good).error();
  }
  return without_others(segment_reserve(node, session, ask));
}

Outcome add(NodeState& node, Request& request, SessionItem& session, const wire::SegmentAdd& ask) {
  // What was promised for it is in use already, as a promise.
  node.ledger().expire(monotonic_ns());
  const bool promised = node.ledger().has_promised(session.facts.index, ask.size_bytes);
  const Share wish{.bytes = promised ? 0 : ask.size_bytes, .segments = 1};
  if (auto good = check_quota(node, session.facts.uid, wish); !good) {
    return std::move(good).error();
  }
  return without_others(segment_add(node, session, ask, request.descriptors));
}

// Only slabs that were made for a pipe which this session has open, and still may. Every other one
// is answered like one that is not there.
Outcome get(NodeState& node, const Request& request, SessionItem& session,
            const wire::SegmentGet& ask) {
  const SegmentItem* segment = node.segments().find({ask.index, ask.generation});
  const PipeItem* pipe = segment == nullptr ? nullptr : node.pipes().at(segment->facts.audience);
  const bool may =
      pipe != nullptr && may_view(node, session, *segment) &&
      node.access().on_pipe(request.caller.who, pipe->name()) == AccessRight::read_write;
  if (!may) {
    return Error(Error::not_found, "map a segment", "segment " + std::to_string(ask.index),
                 "it is gone, or not for this account");
  }
  const bool own = segment->facts.uid == session.facts.uid;
  if (!own && !session.viewed.contains(ask.index)) {
    const Share wish{.bytes = segment->facts.size_bytes};
    if (auto good = check_quota(node, session.facts.uid, wish); !good) {
      return std::move(good).error();
    }
  }
  return segment_get(node, session, ask);
}

// The domain's name and what the account has itself.
Outcome own_status(NodeState& node, const Request& request, const wire::StatusGet& ask) {
  const std::uint32_t uid = request.caller.who.uid;
  const wire::AccessQuota used = use_of(node, uid);
  auto reply = wire::make<wire::StatusReply>(ask.header.request);
  wire::put_text(reply.application, node.facts().application);
  wire::put_text(reply.user, node.facts().user);
  wire::put_text(reply.directory, node.access().paths().directory);
  wire::put_text(reply.version, kVersion);
  reply.limit_bytes = quota_of(node, uid).bytes;
  reply.used_bytes = used.bytes;
  reply.sessions = used.sessions;
  reply.pipes = used.pipes;
  reply.segments = node.segments().tallies().of(uid).count;
  return answer_with(reply);
}

Outcome ask_for_anything(NodeState& node, const Request& request) {
  const Credentials& who = request.caller.who;
  switch (request.header.type) {
    case MessageType::pipe_list:
      return with<wire::PipeList>(request, [&](auto& ask) -> Outcome {
        const std::string_view name = wire::get_text(ask.name);
        const bool hidden = !name.empty() && node.access().on_pipe(who, name) == AccessRight::none;
        if (hidden) return denied_pipe("look at the pipe", name, AccessRight::none);
        return pipe_list(node, ask, [&](const PipeItem& pipe) {
          return node.access().on_pipe(who, pipe.name()) != AccessRight::none;
        });
      });
    case MessageType::session_list:
      return with<wire::SessionList>(request, [&](auto& ask) {
        return session_list(
            node, ask, [&](const SessionItem& session) { return session.facts.uid == who.uid; });
      });
    case MessageType::status:
      return with<wire::StatusGet>(request,
                                   [&](auto& ask) { return own_status(node, request, ask); });
    case MessageType::pipe_remove:
      return with<wire::PipeRemove>(request, [&](auto& ask) { return remove(node, request, ask); });
    default:
      return denied("carry out a request", "it is for the node's own account, or for sessions");
  }
}

}  // namespace

Outcome carry_out_for_stranger(NodeState& node, SessionItem* session, Request& request) {
  if (node.access().on_entry(request.caller.who) == AccessRight::none) {
    return denied("use the node", "this account's rights were withdrawn");
  }
  if (session == nullptr) return ask_for_anything(node, request);
  SessionItem& own = *session;
  switch (request.header.type) {
    case MessageType::pipe_open:
      return with<wire::PipeOpen>(request,
                                  [&](auto& ask) { return open(node, request, own, ask); });
    case MessageType::pipe_leave:
      return with<wire::PipeLeave>(request, [&](auto& ask) { return pipe_leave(node, own, ask); });
    case MessageType::segment_reserve:
      return with<wire::SegmentReserve>(request,
                                        [&](auto& ask) { return reserve(node, own, ask); });
    case MessageType::segment_add:
      return with<wire::SegmentAdd>(request,
                                    [&](auto& ask) { return add(node, request, own, ask); });
    case MessageType::segment_remove:
      return with<wire::SegmentRemove>(request,
                                       [&](auto& ask) { return segment_remove(node, own, ask); });
    case MessageType::segment_get:
      return with<wire::SegmentGet>(request,
                                    [&](auto& ask) { return get(node, request, own, ask); });
    case MessageType::segment_leave:
      return with<wire::SegmentLeave>(request,
                                      [&](auto& ask) { return segment_leave(node, own, ask); });
    case MessageType::viewers_get:
      return with<wire::ViewersGet>(request,
                                    [&](auto& ask) { return viewers_get(node, own, ask); });
    // Of those alone that view the session's own slabs.
    case MessageType::session_get:
      return with<wire::SessionGet>(request,
                                    [&](auto& ask) { return session_get(node, own, ask); });
    default:
      return ask_for_anything(node, request);
  }
}

}  // namespace tarn::daemon
