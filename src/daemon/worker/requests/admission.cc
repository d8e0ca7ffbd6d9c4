#include "daemon/worker/requests/admission.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "daemon/worker/requests/quotas.h"
#include "os/access/accounts.h"
#include "os/memory.h"
#include "os/process.h"

namespace tarn::daemon {
namespace {

constexpr const char* kJoining = "join the domain";
constexpr std::size_t kEternalBytes = 32;
// To say who a process is: it takes microseconds, unless that process hangs in exec.
constexpr auto kPatienceWithKernel = std::chrono::milliseconds(20);

Error refuse(Error::Code code, std::string object, std::string cure) {
  return Error(code, kJoining, std::move(object), std::move(cure));
}

Error wrong_version(const char* of, std::uint32_t theirs, std::uint32_t ours) {
  return refuse(Error::version_mismatch,
                std::string(of) + " " + std::to_string(theirs) + " of the client, " +
                    std::to_string(ours) + " of the node",
                "use a library and a tarnd of the same release");
}

Result<wire::Hello, Error> read_hello(std::span<const std::byte> packet) {
  struct {
    wire::Header header;
    std::uint32_t magic, protocol_version, byte_order, layout_version;
  } eternal;
  static_assert(sizeof eternal == kEternalBytes);
  if (packet.size() < sizeof eternal) {
    return refuse(Error::invalid_argument,
                  "a first message of " + std::to_string(packet.size()) + " bytes is no hello",
                  "speak tarn's protocol");
  }
  std::memcpy(&eternal, packet.data(), sizeof eternal);
  const bool swapped = eternal.magic == __builtin_bswap32(wire::kHelloMagic);
  if (swapped ||
      (eternal.magic == wire::kHelloMagic && eternal.byte_order != wire::kByteOrderMark)) {
    return refuse(Error::version_mismatch, "the client's byte order is not the node's",
                  "run both on the same machine architecture");
  }
  if (eternal.header.type != wire::MessageType::hello || eternal.magic != wire::kHelloMagic) {
    return refuse(Error::invalid_argument, "the first message is no hello",
                  "speak tarn's protocol");
  }
  if (eternal.protocol_version != wire::kProtocolVersion) {
    return wrong_version("protocol", eternal.protocol_version, wire::kProtocolVersion);
  }
  if (eternal.layout_version != layout::kLayoutVersion) {
    return wrong_version("layout", eternal.layout_version, layout::kLayoutVersion);
  }
  const auto hello = wire::decode<wire::Hello>(packet);
  if (!hello) return refuse(Error::corrupt, "a hello of another size", "report this defect");
  return *hello;
}

Answer welcome(NodeState& node, const Caller& caller, const SessionItem* session,
               std::uint64_t request) {
  auto record = wire::make<wire::Welcome>(request);
  record.node_id = node.facts().node_id;
  record.limit_bytes =
      caller.is_owner ? node.facts().limit_bytes : quota_of(node, caller.who.uid).bytes;
  record.max_message_bytes = record.limit_bytes;
  if (session == nullptr) return answer_with(record);
  record.session_index = session->facts.index;
  record.session_generation = session->facts.generation;
  record.token = session->facts.token;
  Answer answer = answer_with(record);
  answer.descriptor = node.table_reader();
  return answer;
}

// Text for people's eyes: what could move a terminal's cursor becomes '?'.
wire::Name presentable(const wire::Name& name) {
  wire::Name clean = name;
  clean.back() = '\0';
  for (char& c : clean) {
    if ((c > '\0' && c < ' ') || c == '\x7f') c = '?';
  }
  wire::Name padded{};
  wire::put_text(padded, wire::get_text(clean));
  return padded;
}

// A client whose welcome was lost says hello again, with the same segment.
SessionItem* find_unwelcomed(NodeState& node, const os::ProcessIdentity& process,
                             std::uint64_t memory_identity) {
  for (const auto& [index, session] : node.sessions().all()) {
    if (session->connection == 0 && !session->ended &&
        session->facts.memory_identity == memory_identity && session->facts.pid == process.pid &&
        session->facts.start_ticks == process.start_ticks) {
      return session.get();
    }
  }
  return nullptr;
}

Result<std::unique_ptr<SessionItem>, Error> take_in(const os::Peer& peer, int socket,
                                                    const wire::Hello& hello, Request& request) {
  if (request.descriptors.size() != 1) {
    return refuse(Error::invalid_argument, "hello came without the session's segment",
                  "report this defect of the client");
  }
  // Taken over only once it is known to be memory: what else there is may be slow to close.
  const int fd = request.descriptors[0].get();
  auto segment = map_foreign(fd, layout::kSessionBytes, true, false);
  if (!segment) return std::move(segment).error();
  auto view = SessionView::attach(*segment);
  if (!view) return refuse(view.error(), "the session's segment makes no sense", "report it");
  auto process = os::peer_pidfd(socket, peer.pid);
  if (!process) return std::move(process).error();
  const auto memory = os::examine_memory(fd);
  auto item = std::make_unique<SessionItem>();
  item->memory = std::move(request.descriptors[0]);
  item->facts.memory_identity = memory ? memory->identity : 0;
  item->segment = std::move(*segment);
  item->view = *view;
  item->process = std::move(*process);
  item->facts.pid = peer.pid;
  item->facts.uid = peer.uid;
  item->facts.quota_bytes = hello.quota_bytes;
  item->facts.began_ns = monotonic_ns();
  item->facts.name = presentable(hello.name);
  return item;
}

FullStatus check_stranger(NodeState& node, const Caller& caller) {
  if (caller.is_owner) return Done{};
  if (auto good = check_entry_to_session(node, caller); !good) return good;
  return check_quota(node, caller.who.uid, {.sessions = 1});
}

// model: worker_handover.pml, label begin_session
Result<Admission, Error> begin(NodeState& node, const os::Peer& peer, int socket,
                               const wire::Hello& hello, Request& request) {
  const auto process = request.caller.is_owner
                           ? os::identify(peer.pid)
                           : node.identities().ask(peer.uid, peer.pid, kPatienceWithKernel);
  if (!process && process.error() == Error::busy) {
    return refuse(Error::busy, "pid " + std::to_string(peer.pid) + " is in the middle of something",
                  "connect again");
  }
  if (!process && process.error() == Error::no_descriptors) {
    return refuse(Error::no_descriptors, "the node has no descriptors left",
                  "raise the limit of open files (ulimit -n) where the node starts");
  }
  if (!process) {
    return refuse(Error::access_denied,
                  "pid " + std::to_string(peer.pid) + " is not visible to the node",
                  "run the node in the client's container, or share its pid namespace");
  }
  auto item = take_in(peer, socket, hello, request);
  if (!item) return std::move(item).error();
  (*item)->facts.start_ticks = process->start_ticks;
  if (SessionItem* before = find_unwelcomed(node, *process, (*item)->facts.memory_identity)) {
    return Admission{{}, before, false};
  }
  if (auto good = check_stranger(node, request.caller); !good) return std::move(good).error();
  const auto index = node.sessions().take_index();
  if (!index) {
    return refuse(Error::table_full,
                  "the node has " + std::to_string(layout::kMaxSessions - 1) + " sessions already",
                  "end programs that are no longer needed");
  }
  (*item)->facts.index = *index;
  (*item)->facts.generation = ++node.counters().last_session_generation;
  os::random_bytes((*item)->facts.token.data(), (*item)->facts.token.size());
  return Admission{{}, &node.add_session(std::move(*item)), true};
}

// Its pidfd names the process for ever: while that lives, nobody else has its pid. This takes no
// descriptor, so that a node which has none left does not send its own sessions away.
// model: worker_handover.pml, label resume_session
Result<Admission, Error> resume(NodeState& node, const os::Peer& peer, const wire::Hello& hello) {
  SessionItem* session = node.sessions().find({hello.session_index, hello.session_generation});
  const bool same = session != nullptr && !session->ended &&
                    hello.node_id == node.facts().node_id && hello.token == session->facts.token &&
                    peer.pid == session->facts.pid && peer.uid == session->facts.uid &&
                    !os::has_exited(session->process.get());
  if (!same) {
    return refuse(Error::access_denied, "no session of this process with that token to be resumed",
                  "connect anew: the node was restarted, or the session has ended");
  }
  return Admission{{}, session, false};
}

}  // namespace

// A session takes part in pipes, so there has to be one that it may open.
FullStatus check_entry_to_session(NodeState& node, const Caller& caller) {
  if (node.access().on_entry(caller.who) == AccessRight::read_write) return Done{};
  return refuse(Error::access_denied, "this account may only look",
                "connect as an observer, or ask the node's owner: `tarn access allow`");
}

Result<Newcomer, Error> identify_owner(int socket) {
  const auto peer = os::peer_of(socket);
  if (!peer) return peer.error();
  if (peer->uid == os::own_uid()) return Newcomer{*peer, {{peer->uid, peer->gid, {}}, true}};
  return refuse(
      Error::access_denied,
      "uid " + std::to_string(peer->uid) + " at the node of uid " + std::to_string(os::own_uid()),
      "use a node of your own");
}

Result<Newcomer, Error> identify_guest(NodeState& node, int socket) {
  const auto peer = os::peer_of(socket);
  if (!peer) return peer.error();
  auto groups = os::peer_groups(socket);
  if (!groups) return std::move(groups).error();
  Newcomer newcomer{*peer, {{peer->uid, peer->gid, std::move(*groups)}, false}};
  newcomer.caller.is_owner = node.access().is_owner(newcomer.caller.who);
  if (node.access().on_entry(newcomer.caller.who) != AccessRight::none) return newcomer;
  return refuse(Error::access_denied,
                "uid " + std::to_string(peer->uid) + " has no right at the node of uid " +
                    std::to_string(os::own_uid()),
                "ask the node's owner: `tarn access allow`");
}

Result<Admission, Error> admit(NodeState& node, const os::Peer& peer, int socket,
                               Request& request) {
  const auto hello = read_hello(request.packet);
  if (!hello) return hello.error();
  Result<Admission, Error> admission = Admission{};
  if ((hello->flags & wire::kHelloObserver) == 0) {
    admission = (hello->flags & wire::kHelloResume) != 0
                    ? resume(node, peer, *hello)
                    : begin(node, peer, socket, *hello, request);
  }
  if (!admission) return admission;
  admission->welcome = welcome(node, request.caller, admission->session, hello->header.request);
  return admission;
}

}  // namespace tarn::daemon
