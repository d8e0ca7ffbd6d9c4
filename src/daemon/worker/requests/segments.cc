// What owners ask for their slabs: may I, here it is, it is mine again.

#include <string>
#include <utility>

#include "daemon/worker/requests/request.h"
#include "shm/heap/slab_layout.h"

namespace tarn::daemon {
namespace {

Error nonsense(const char* why) {
  return Error(Error::corrupt, "add a segment", why, "this is a defect of the client: report it");
}

FullStatus check_size(const NodeState& node, std::uint64_t size_bytes) {
  if (size_bytes <= node.facts().limit_bytes) return Done{};
  return Error(
      Error::too_large, "allocate shared memory",
      size_text(size_bytes) + " where the domain's limit is " + size_text(node.facts().limit_bytes),
      "split the message, or start the node with a higher limit: `tarnd --limit SIZE`");
}

FullStatus check_shape(const NodeState& node, const wire::SegmentAdd& ask) {
  if (auto good = check_size(node, ask.size_bytes); !good) return good;
  if (ask.chunk_count == 0 || ask.chunk_count > layout::kMaxChunks || ask.chunk_bytes == 0 ||
      ask.chunk_bytes % kCacheLine != 0 || ask.size_bytes % kPage != 0) {
    return nonsense("its chunks have an impossible number or size");
  }
  const auto chunks = checked_multiply(ask.chunk_bytes, ask.chunk_count);
  const auto needed = chunks ? checked_add(*chunks, layout::kFirstChunkOffset) : chunks;
  if (!needed || *needed > ask.size_bytes) return nonsense("its chunks do not fit into it");
  return Done{};
}

FullStatus check_memory_behind(const wire::SegmentAdd& ask, int fd) {
  const auto facts = os::examine_memory(fd);
  if (!facts) return facts.error();
  if (facts->allocated_bytes < ask.size_bytes) return nonsense("its pages are not allocated");
  // Mapped for the look alone: the node needs no slab's content.
  auto mapped = map_foreign(fd, ask.size_bytes, true, false);
  if (!mapped) return std::move(mapped).error();
  if (!check_header(*mapped, layout::SegmentKind::slab)) return nonsense("its header is no slab's");
  const auto header = mapped->at<layout::SlabHeader>(0);
  if (!header || (*header)->chunk_bytes != ask.chunk_bytes ||
      (*header)->chunk_count != ask.chunk_count) {
    return nonsense("its header says something else than the message");
  }
  return Done{};
}

// For the messages of one pipe: the session has to have it open.
FullStatus check_audience(NodeState& node, const SessionItem& session,
                          const wire::SegmentAdd& ask) {
  if (ask.audience == 0) return Done{};
  const PipeItem* pipe = node.pipes().at(ask.audience);
  const bool open = pipe != nullptr && session.openings.contains(ask.audience);
  if (open && pipe->facts.shared != 0) return Done{};
  return nonsense("it is for a pipe that the session does not have open, or need not be");
}

wire::SegmentAdded describe(const SegmentItem& segment, std::uint64_t request) {
  auto added = wire::make<wire::SegmentAdded>(request);
  added.index = segment.facts.index;
  added.generation = segment.facts.generation;
  return added;
}

// The same slab, sent again because the answer was lost.
SegmentItem* find_added(NodeState& node, const SessionItem& session, std::uint64_t nonce) {
  if (nonce == 0) return nullptr;
  for (const std::uint32_t index : session.owned) {
    SegmentItem* segment = node.segments().at(index);
    if (segment != nullptr && segment->facts.nonce == nonce) return segment;
  }
  return nullptr;
}

SegmentItem* find_owned(NodeState& node, const SessionItem& session, SegmentId id) {
  SegmentItem* segment = node.segments().find(id);
  const bool own = segment != nullptr && segment->facts.owner == session.facts.index;
  return own ? segment : nullptr;
}

}  // namespace

Outcome segment_reserve(NodeState& node, SessionItem& session, const wire::SegmentReserve& ask) {
  if (auto good = check_size(node, ask.size_bytes); !good) return std::move(good).error();
  const std::uint32_t holder = session.facts.index;
  const MemoryWish wish{holder, ask.size_bytes, session.facts.quota_bytes,
                        usable_bytes(os::memory_limits())};
  if (auto good = node.check_memory(wish); !good) return std::move(good).error();
  node.ledger().reserve(holder, ask.size_bytes, monotonic_ns());
  return answer_done(ask.header.request);
}

Outcome segment_add(NodeState& node, SessionItem& session, const wire::SegmentAdd& ask,
                    std::vector<os::UniqueFd>& descriptors) {
  if (const SegmentItem* before = find_added(node, session, ask.nonce)) {
    return answer_with(describe(*before, ask.header.request));
  }
  if (descriptors.size() != 1) return nonsense("it came without its memory");
  if (auto good = check_audience(node, session, ask); !good) return std::move(good).error();
  if (auto good = check_shape(node, ask); !good) return std::move(good).error();
  if (auto good = check_memory_behind(ask, descriptors[0].get()); !good) {
    return std::move(good).error();
  }
  const std::uint32_t holder = session.facts.index;
  node.ledger().redeem(holder, ask.size_bytes);
  const MemoryWish wish{holder, ask.size_bytes, session.facts.quota_bytes, std::nullopt};
  if (auto good = node.check_memory(wish); !good) return std::move(good).error();
  const auto index = node.segments().take_index();
  if (!index) {
    return Error(Error::table_full, "add a segment", "the node has 65535 segments already",
                 "let sessions release messages, or use larger ones");
  }
  auto item = std::make_unique<SegmentItem>();
  item->facts.index = *index;
  item->facts.generation = ++node.counters().last_segment_generation;
  item->facts.owner = holder;
  item->facts.chunk_count = ask.chunk_count;
  item->facts.size_bytes = ask.size_bytes;
  item->facts.chunk_bytes = ask.chunk_bytes;
  item->facts.nonce = ask.nonce;
  item->facts.uid = session.facts.uid;
  item->facts.audience = ask.audience;
  item->memory = std::move(descriptors[0]);
  return answer_with(describe(node.add_segment(std::move(item)), ask.header.request));
}

Outcome segment_remove(NodeState& node, SessionItem& session, const wire::SegmentRemove& ask) {
  // One that is gone already was removed by this request before a reconnect.
  if (SegmentItem* segment = find_owned(node, session, {ask.index, ask.generation})) {
    node.drop_segment(*segment);
  }
  return answer_done(ask.header.request);
}

}  // namespace tarn::daemon
