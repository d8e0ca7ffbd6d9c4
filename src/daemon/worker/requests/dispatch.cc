// From a message's type to the function that carries it out.

#include <string>
#include <utility>

#include "daemon/worker/requests/access.h"
#include "daemon/worker/requests/strangers.h"
#include "daemon/worker/requests/with.h"

namespace tarn::daemon {
namespace {

using wire::MessageType;

Outcome carry_out_audit(NodeState& node, const Request& request) {
  switch (request.header.type) {
    case MessageType::audit_list:
      return with<wire::AuditList>(request, [&](auto& ask) { return audit_list(node, ask); });
    case MessageType::audit_get:
      return with<wire::AuditGet>(request, [&](auto& ask) { return audit_get(node, ask); });
    case MessageType::audit_repair:
      return with<wire::AuditRepair>(request, [&](auto& ask) { return audit_repair(node, ask); });
    default:
      return with<wire::AuditNode>(request, [&](auto& ask) { return audit_node(node, ask); });
  }
}

// What the owner's observers may ask as well.
Outcome carry_out_for_observers(NodeState& node, SessionItem* session, Request& request) {
  switch (request.header.type) {
    case MessageType::pipe_list:
      return with<wire::PipeList>(request, [&](auto& ask) { return pipe_list(node, ask); });
    case MessageType::session_list:
      return with<wire::SessionList>(request, [&](auto& ask) { return session_list(node, ask); });
    case MessageType::status:
      return with<wire::StatusGet>(request, [&](auto& ask) { return status(node, ask); });
    case MessageType::pipe_remove:
      return with<wire::PipeRemove>(request, [&](auto& ask) { return pipe_remove(node, ask); });
    case MessageType::audit_list:
    case MessageType::audit_get:
    case MessageType::audit_node:
    case MessageType::audit_repair:
      return carry_out_audit(node, request);
    case MessageType::shutdown:
      return with<wire::Shutdown>(request, [&](auto& ask) { return shutdown(node, session, ask); });
    case MessageType::client_run:
      return with<wire::ClientRun>(request,
                                   [&](auto& ask) { return client_run(node, request, ask); });
    case MessageType::client_order:
      return with<wire::ClientOrder>(request, [&](auto& ask) { return client_order(node, ask); });
    case MessageType::client_list:
      return with<wire::ClientList>(request, [&](auto& ask) { return client_list(node, ask); });
    case MessageType::client_get:
      return with<wire::ClientGet>(request, [&](auto& ask) { return client_get(node, ask); });
    case MessageType::access_get:
      return with<wire::AccessGet>(request, [&](auto& ask) { return access_get(node, ask); });
    case MessageType::access_set:
      return with<wire::AccessSet>(request, [&](auto& ask) { return access_set(node, ask); });
    case MessageType::access_quota_set:
      return with<wire::AccessQuotaSet>(request,
                                        [&](auto& ask) { return access_quota_set(node, ask); });
    default:
      return no_such_request(request.header,
                             session == nullptr ? "is not for observers" : "is unknown");
  }
}

}  // namespace

Outcome carry_out(NodeState& node, SessionItem* session, Request& request) {
  if (!request.caller.is_owner) return carry_out_for_stranger(node, session, request);
  if (session == nullptr) return carry_out_for_observers(node, session, request);
  SessionItem& own = *session;
  switch (request.header.type) {
    case MessageType::pipe_open:
      return with<wire::PipeOpen>(request, [&](auto& ask) { return pipe_open(node, own, ask); });
    case MessageType::pipe_leave:
      return with<wire::PipeLeave>(request, [&](auto& ask) { return pipe_leave(node, own, ask); });
    case MessageType::pipe_get:
      return with<wire::PipeGet>(request, [&](auto& ask) { return pipe_get(node, own, ask); });
    case MessageType::segment_reserve:
      return with<wire::SegmentReserve>(request,
                                        [&](auto& ask) { return segment_reserve(node, own, ask); });
    case MessageType::segment_add:
      return with<wire::SegmentAdd>(
          request, [&](auto& ask) { return segment_add(node, own, ask, request.descriptors); });
    case MessageType::segment_remove:
      return with<wire::SegmentRemove>(request,
                                       [&](auto& ask) { return segment_remove(node, own, ask); });
    case MessageType::segment_get:
      return with<wire::SegmentGet>(request,
                                    [&](auto& ask) { return segment_get(node, own, ask); });
    case MessageType::segment_leave:
      return with<wire::SegmentLeave>(request,
                                      [&](auto& ask) { return segment_leave(node, own, ask); });
    case MessageType::segment_carry:
      return with<wire::SegmentCarry>(request,
                                      [&](auto& ask) { return segment_carry(node, own, ask); });
    case MessageType::viewers_get:
      return with<wire::ViewersGet>(request,
                                    [&](auto& ask) { return viewers_get(node, own, ask); });
    case MessageType::session_get:
      return with<wire::SessionGet>(request,
                                    [&](auto& ask) { return session_get(node, own, ask); });
    default:
      return carry_out_for_observers(node, session, request);
  }
}

}  // namespace tarn::daemon
