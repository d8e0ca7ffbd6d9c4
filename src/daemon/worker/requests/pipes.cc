// Opening, leaving and removing pipes.

#include <string>
#include <utility>

#include "base/crash_point.h"
#include "daemon/worker/requests/request.h"
#include "os/limits.h"
#include "wire/names.h"

namespace tarn::daemon {
namespace {

constexpr std::int64_t kDefaultCapacity = 64;
// Reading what the machine has left takes longer than making a pipe that does not matter.
constexpr std::uint64_t kWorthALook = std::uint64_t{1} << 20;
constexpr const char* kOpening = "open the pipe";

std::string called(std::string_view name) { return "pipe '" + std::string(name) + "'"; }

FullStatus check_options(const wire::PipeOpen& ask, std::string_view name) {
  if (auto good = wire::check_pipe_name(name); !good) return good;
  if (ask.has_capacity != 0 && (ask.capacity < 1 || ask.capacity > layout::kMaxSlots)) {
    return Error(Error::invalid_argument, kOpening,
                 called(name) + " with a capacity of " + std::to_string(ask.capacity),
                 "choose a capacity from 1 to " + std::to_string(layout::kMaxSlots));
  }
  if (ask.has_delivery != 0 && ask.delivery > 1) {
    return Error(Error::invalid_argument, kOpening,
                 called(name) + " with delivery " + std::to_string(ask.delivery),
                 "choose 0 (at most once) or 1 (at least once)");
  }
  if (ask.mode > wire::OpenMode::create_only) {
    return Error(Error::invalid_argument, kOpening, called(name) + " in an unknown mode",
                 "choose 0, 1 or 2");
  }
  return Done{};
}

const char* delivery_text(std::uint32_t delivery) noexcept {
  return delivery == 0 ? "at most once" : "at least once";
}

FullStatus check_existing(const NodeState& node, const wire::PipeOpen& ask, const PipeItem& pipe) {
  if (const auto* verdict = node.quarantined().find(ObjectKind::pipe, pipe.facts.id)) {
    return Error(
        Error::corrupt, kOpening,
        called(pipe.name()) + " is in quarantine: " + std::string(wire::get_text(verdict->text)),
        "remove the pipe (`tarn pipe rm`), and look for the program that wrote there");
  }
  if (ask.has_capacity != 0 && ask.capacity != pipe.facts.slot_count) {
    return Error(Error::option_mismatch, kOpening,
                 called(pipe.name()) + " has a capacity of " +
                     std::to_string(pipe.facts.slot_count) + ", not " +
                     std::to_string(ask.capacity),
                 "open it with that capacity or without one, or remove it first");
  }
  if (ask.has_delivery != 0 && ask.delivery != pipe.facts.delivery) {
    return Error(Error::option_mismatch, kOpening,
                 called(pipe.name()) + " delivers " + delivery_text(pipe.facts.delivery) +
                     ", not " + delivery_text(ask.delivery),
                 "open it with that delivery or without one, or remove it first");
  }
  return Done{};
}

// Fresh memory for a pipe that is described but has no id yet.
Result<std::unique_ptr<PipeItem>, Error> make(NodeState& node, const StoredPipe& facts) {
  auto item = std::make_unique<PipeItem>();
  item->facts = facts;
  const std::string_view name = item->name();
  MemoryWish wish{kPipesHolder, item->size_bytes(), 0, std::nullopt};
  if (wish.asked_bytes >= kWorthALook) wish.left_bytes = usable_bytes(os::memory_limits());
  if (auto good = node.check_memory(wish); !good) return std::move(good).error();
  auto made = create_segment("tarn-pipe", item->size_bytes(), item->size_bytes(), false);
  if (!made) return std::move(made).error();
  if (!os::leaves_descriptors(made->fd.get(), kSpareDescriptors)) {
    return Error(Error::no_descriptors, "create the pipe",
                 called(name) + ": the node has no descriptors left",
                 "raise the limit of open files (ulimit -n) where the node starts");
  }
  item->facts.id = ++node.counters().last_pipe_id;
  const auto formatted =
      format_pipe(made->segment, item->facts.slot_count, item->facts.delivery, item->facts.id);
  auto view = formatted ? PipeView::attach(made->segment) : Result<PipeView>(formatted.error());
  if (!view) return Error(view.error(), "create the pipe", called(name), {});
  item->view = *view;
  item->segment = std::move(made->segment);
  item->memory = std::move(made->fd);
  return item;
}

Result<PipeItem*, Error> create(NodeState& node, const SessionItem& session,
                                const wire::PipeOpen& ask, std::string_view name) {
  if (node.pipes().is_full()) {
    return Error(Error::table_full, "create the pipe",
                 called(name) + ": the node has " + std::to_string(kMaxPipes) + " pipes already",
                 "remove pipes that nobody uses");
  }
  StoredPipe facts{};
  facts.uid = session.facts.uid;
  const bool is_owners = session.facts.uid == node.access().owner_uid();
  facts.shared = !is_owners || node.access().is_for_others(name) ? 1 : 0;
  facts.slot_count =
      static_cast<std::uint32_t>(ask.has_capacity != 0 ? ask.capacity : kDefaultCapacity);
  facts.delivery = ask.has_delivery != 0 ? ask.delivery : 0;
  facts.nonce = ask.nonce;
  wire::put_text(facts.name, name);
  auto item = make(node, facts);
  if (!item) return std::move(item).error();
  return &node.add_pipe(std::move(*item));
}

wire::PipeOpened describe(const PipeItem& pipe, std::uint64_t request) {
  auto opened = wire::make<wire::PipeOpened>(request);
  opened.pipe_id = pipe.facts.id;
  opened.slot_count = pipe.facts.slot_count;
  opened.delivery = pipe.facts.delivery;
  opened.size_bytes = pipe.size_bytes();
  opened.audience = pipe.facts.shared != 0 ? pipe.facts.id : 0;
  return opened;
}

// The pipe of that name as the mode wants it; null when it is to be created.
Result<PipeItem*, Error> find_existing(NodeState& node, const wire::PipeOpen& ask,
                                       std::string_view name) {
  PipeItem* pipe = node.pipes().find(name);
  // A closed pipe that is drained and open by nobody makes place for a new one.
  if (pipe != nullptr && node.discard_if_over(*pipe)) pipe = nullptr;
  if (pipe == nullptr && ask.mode == wire::OpenMode::open_only) {
    return Error(Error::not_found, kOpening, called(name),
                 "create it first, or check the name in 'tarn pipe ls'");
  }
  if (pipe == nullptr) return pipe;
  const bool asked_again = ask.nonce != 0 && ask.nonce == pipe->facts.nonce;
  if (ask.mode == wire::OpenMode::create_only && !asked_again) {
    return Error(Error::exists, "create the pipe", called(name), "open it, or remove it first");
  }
  if (auto good = check_existing(node, ask, *pipe); !good) return std::move(good).error();
  return pipe;
}

}  // namespace

// model: worker_handover.pml, label open_pipe
Outcome pipe_open(NodeState& node, SessionItem& session, const wire::PipeOpen& ask) {
  const std::string_view name = wire::get_text(ask.name);
  if (auto good = check_options(ask, name); !good) return std::move(good).error();
  auto pipe = find_existing(node, ask, name);
  const bool missing = pipe && *pipe == nullptr;
  if (missing) pipe = create(node, session, ask, name);
  if (!pipe) return std::move(pipe).error();
  node.open_pipe(session, **pipe);
  auto opened = describe(**pipe, ask.header.request);
  opened.created = missing || ask.mode == wire::OpenMode::create_only ? 1 : 0;
  Answer answer = answer_with(opened);
  answer.descriptor = (*pipe)->memory.get();
  return answer;
}

// model: worker_handover.pml, labels leave_asked, left_pipe
Outcome pipe_leave(NodeState& node, SessionItem& session, const wire::PipeLeave& ask) {
  if (PipeItem* pipe = node.pipes().at(ask.pipe_id)) {
    node.leave_pipe(session, *pipe);
    node.discard_if_over(*pipe);
  }
  return answer_done(ask.header.request);
}

// The slots of the old one still show what was pushed there, so that it is never shown to others.
// Crash: between [1] and [2] there is no pipe of that name: the next worker discards the old one,
//        which is empty and unused, and whoever asks for it creates it.
Result<PipeItem*, Error> renew_for_others(NodeState& node, PipeItem& old) {
  StoredPipe facts = old.facts;
  facts.shared = 1;
  facts.retired_opening = 0;
  auto item = make(node, facts);
  if (!item) return std::move(item).error();
  node.pipes().end_name(old);
  node.sink().put(old.facts);  // [1]
  TARN_CRASH_POINT("node.renew_pipe.unnamed");
  if (old.view) old.view.close();
  node.discard_if_over(old);
  return &node.add_pipe(std::move(*item));  // [2]
}

// Crash: the record without a name is the commit point. Closing is repeated by the next worker.
Outcome pipe_remove(NodeState& node, const wire::PipeRemove& ask) {
  const std::string_view name = wire::get_text(ask.name);
  if (auto good = wire::check_pipe_name(name); !good) return std::move(good).error();
  PipeItem* pipe = node.pipes().find(name);
  if (pipe == nullptr) {
    return Error(Error::not_found, "remove the pipe", called(name), "`tarn pipe ls` lists them");
  }
  node.pipes().end_name(*pipe);
  node.sink().put(pipe->facts);
  if (pipe->view) pipe->view.close();
  node.discard_if_over(*pipe);
  return answer_done(ask.header.request);
}

// For owners alone: a pipe that carries their chunks by another's hand.
Outcome pipe_get(NodeState& node, SessionItem& session, const wire::PipeGet& ask) {
  PipeItem* pipe = node.pipes().at(ask.pipe_id);
  bool carries = false;
  if (pipe != nullptr) {
    for (const std::uint32_t index : pipe->carried) carries |= session.owned.contains(index);
  }
  if (!carries) {
    return Error(Error::not_found, "look into a pipe",
                 "pipe " + std::to_string(ask.pipe_id) + " carries nothing of this session", {});
  }
  return answer_read_only(describe(*pipe, ask.header.request), pipe->memory.get());
}

}  // namespace tarn::daemon
