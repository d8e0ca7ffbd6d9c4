// request.h - one message of a client, and what is sent back.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "daemon/worker/registry/node_state.h"
#include "os/fd.h"
#include "wire/audit_messages.h"
#include "wire/client_messages.h"
#include "wire/messages.h"

namespace tarn::daemon {

// The node refuses what would take one of its last descriptors: it needs some for recovery, for
// those who connect again after a worker's death, and to tell newcomers why they are refused.
inline constexpr std::uint64_t kSpareForClients = 4;
inline constexpr std::uint64_t kSpareDescriptors = 8;

// Who asks: what the kernel said when it connected.
struct Caller {
  Credentials who;
  bool is_owner = false;
};

struct Request {
  wire::Header header{};
  std::span<const std::byte> packet;  // borrowed
  std::vector<os::UniqueFd> descriptors;
  Caller caller;
};

struct Answer {
  std::vector<std::byte> bytes;
  os::UniqueFd owned;   // closed once the answer is sent
  int descriptor = -1;  // travels beside it; may be `owned`, or borrowed
};

// Why not, when it is an error: the client is told, and stays connected.
using Outcome = Result<Answer, Error>;

template <class T>
Answer answer_with(const T& record) {
  const auto bytes = wire::bytes_of(record);
  return {{bytes.begin(), bytes.end()}, {}, -1};
}
inline Answer answer_done(std::uint64_t request) {
  return answer_with(wire::make<wire::DoneReply>(request));
}
// With a descriptor that cannot be mapped writable.
template <class T>
Outcome answer_read_only(const T& record, int memory) {
  auto reader = os::reopen_readable(memory);
  if (!reader) return std::move(reader).error();
  Answer answer = answer_with(record);
  answer.descriptor = reader->get();
  answer.owned = std::move(*reader);
  return answer;
}

// Carries the request out. `session` is null for an observer. Of another account than the node's,
// only what strangers.cc knows is carried out.
Outcome carry_out(NodeState& node, SessionItem* session, Request& request);

// The groups of requests, one file each.
Outcome pipe_open(NodeState& node, SessionItem& session, const wire::PipeOpen& ask);
// In place of a pipe that nobody has open and that is empty: one of the same name, shape and
// counters, which others may open.
Result<PipeItem*, Error> renew_for_others(NodeState& node, PipeItem& old);
Outcome pipe_leave(NodeState& node, SessionItem& session, const wire::PipeLeave& ask);
Outcome pipe_remove(NodeState& node, const wire::PipeRemove& ask);
Outcome pipe_get(NodeState& node, SessionItem& session, const wire::PipeGet& ask);

Outcome segment_reserve(NodeState& node, SessionItem& session, const wire::SegmentReserve& ask);
Outcome segment_add(NodeState& node, SessionItem& session, const wire::SegmentAdd& ask,
                    std::vector<os::UniqueFd>& descriptors);
Outcome segment_remove(NodeState& node, SessionItem& session, const wire::SegmentRemove& ask);

Outcome segment_get(NodeState& node, SessionItem& session, const wire::SegmentGet& ask);
Outcome segment_leave(NodeState& node, SessionItem& session, const wire::SegmentLeave& ask);
Outcome segment_carry(NodeState& node, SessionItem& session, const wire::SegmentCarry& ask);
Outcome viewers_get(NodeState& node, SessionItem& session, const wire::ViewersGet& ask);
Outcome session_get(NodeState& node, SessionItem& session, const wire::SessionGet& ask);

Outcome client_run(NodeState& node, Request& request, const wire::ClientRun& ask);
Outcome client_order(NodeState& node, const wire::ClientOrder& ask);
Outcome client_list(NodeState& node, const wire::ClientList& ask);
Outcome client_get(NodeState& node, const wire::ClientGet& ask);

Outcome pipe_list(NodeState& node, const wire::PipeList& ask);
Outcome session_list(NodeState& node, const wire::SessionList& ask);
Outcome status(NodeState& node, const wire::StatusGet& ask);
Outcome shutdown(NodeState& node, SessionItem* session, const wire::Shutdown& ask);

Outcome audit_list(NodeState& node, const wire::AuditList& ask);
Outcome audit_get(NodeState& node, const wire::AuditGet& ask);
Outcome audit_node(NodeState& node, const wire::AuditNode& ask);
Outcome audit_repair(NodeState& node, const wire::AuditRepair& ask);  // ../repair/

}  // namespace tarn::daemon
