// session_core.h - everything this process has at one node. Public handles share it.
//
// Two background threads: the connection's, which reads what the node says, and the housekeeper,
// which once a second gives idle memory back. Neither gets signals.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "client/access/audience.h"
#include "client/access/viewers.h"
#include "client/connection.h"
#include "client/node_tables.h"
#include "client/pipe_core.h"
#include "client/readiness.h"
#include "client/segments.h"
#include "shm/heap/heap.h"
#include "tarn/session.h"

namespace tarn::detail {

class SessionCore final : public HeapHost, public std::enable_shared_from_this<SessionCore> {
 public:
  // Ends with the process when it is a fork()ed child: nothing of it may be touched there. Fails
  // when its threads cannot be started; the node is told.
  static Result<std::shared_ptr<SessionCore>, Error> create(
      os::UniqueFd socket, const wire::RunPaths& paths, const wire::DomainKey& key,
      SessionRecord record, const wire::Hello& hello, const wire::Welcome& welcome, Segment node);
  ~SessionCore() override;

  // True in the process that connected, false in its children.
  bool is_ours() const noexcept { return os::fork_generation() == fork_generation_; }
  // Whether a message is held or a loan is out.
  bool is_in_use();
  std::uint16_t self() const noexcept { return static_cast<std::uint16_t>(id_.index); }
  SessionId id() const noexcept { return id_; }
  const wire::DomainKey& key() const noexcept { return key_; }
  Connection& connection() noexcept { return *connection_; }
  Readiness& readiness() noexcept { return readiness_; }
  Heap& heap() noexcept { return heap_; }

  Result<std::shared_ptr<PipeCore>, Error> open_pipe(std::string_view name,
                                                     const PipeOptions& options,
                                                     wire::OpenMode mode);
  FullStatus remove_pipe(std::string_view name);
  // The last handle to the pipe is gone.
  void leave_pipe(PipeCore& pipe) noexcept;

  // The memory of messages into pipes of that audience: 0 is this account alone.
  Heap& heap_for(std::uint32_t audience);

  // Requires: `loan` is empty.
  FullStatus loan(std::size_t size_bytes, Loan& loan) {
    return this->loan(size_bytes, loan, heap_);
  }
  FullStatus loan(std::size_t size_bytes, Loan& loan, Heap& heap) {
    if (size_bytes > kInlineBytes) {
      ChunkPlace place;
      if (size_bytes > max_message_bytes_ || !heap.try_loan(size_bytes, place)) [[unlikely]]
        return loan_slowly(size_bytes, loan, heap);
      fill_in(loan, place, size_bytes);
    } else {
      loan.place_.size_bytes = size_bytes;
      loan.place_.filled = true;
    }
    return Done{};
  }
  // The mapped slab for a reference that came out of a slot. Null: it is not mapped, or has no such
  // chunk.
  ForeignSlab* known_slab(const ChunkReference& reference) const noexcept {
    ForeignSlab* slab = slabs_.find(reference.segment);
    return slab != nullptr && slab->contains(reference) ? slab : nullptr;
  }
  // Maps it, or says why not.
  FullStatus meet_slab(const ChunkReference& reference);
  // Before a held message is pushed on: its owner must know where to look for it.
  FullStatus carry(ForeignSlab& slab, const PipeCore& pipe);
  void bump_forwards() noexcept { record_.bump_forwards(); }

  // True once the node has gone for good. What is in memory still works; nobody recovers any more.
  bool is_lost() const noexcept {
    // relaxed: whoever waits looks again.
    return lost_.load(std::memory_order_relaxed);
  }
  void note_refusal(const Error& error) noexcept {
    const std::lock_guard guard(refusal_lock_);
    refusal_ = error;
  }
  std::optional<Error> last_refusal() const {
    const std::lock_guard guard(refusal_lock_);
    return refusal_;
  }
  // For the public interface: throws when this process is a child of the one that connected.
  void require_ours(const char* attempted) const;

  // --- HeapHost ---
  Result<AddedSlab, Error> add_slab(std::uint64_t chunk_bytes, std::uint32_t chunks) override;
  Result<AddedSlab, Error> add_slab_for(std::uint32_t audience, std::uint64_t chunk_bytes,
                                        std::uint32_t chunks);
  void remove_slab(SegmentId id) noexcept override;
  std::uint64_t viewers_epoch() const noexcept override;
  std::shared_ptr<const ViewerSet> viewers() noexcept override { return viewers_.get(); }
  void wish_for_relief() noexcept override { call_housekeeper(); }

 private:
  FullStatus loan_slowly(std::size_t size_bytes, Loan& loan, Heap& heap);
  // All that there are now; they stay until the session ends.
  std::vector<Heap*> heaps();
  void fill_in(Loan& loan, const ChunkPlace& place, std::size_t size_bytes) noexcept {
    loan.place_.core = this;
    loan.place_.origin = place.slab;
    loan.place_.chunk = place.chunk;
    loan.place_.address = place.address();
    loan.place_.size_bytes = size_bytes;
    loan.place_.filled = true;
  }
  SessionCore(const wire::DomainKey& key, SessionRecord record, const wire::Welcome& welcome,
              Segment node);
  FullStatus begin_threads();
  void keep_house();
  void tell_of_leaving();
  // There is something to do before the next second.
  void call_housekeeper() noexcept;
  Result<layout::EndEntry*, Error> end_for(std::uint32_t pipe_id, std::string_view name);

  const std::uint64_t fork_generation_;
  const wire::DomainKey key_;
  const SessionId id_;
  const std::uint64_t max_message_bytes_;
  SessionRecord record_;
  std::mutex record_lock_;
  NodeTables tables_;
  ForeignSlabs slabs_;
  KnownViewers viewers_{*this, 0};
  std::mutex pipes_lock_;
  std::map<std::uint32_t, std::weak_ptr<PipeCore>> pipes_;
  // Pipes without a handle, of which the node has not heard yet: it adds up what their ends counted
  // before the entries are used again. The housekeeper tells it.
  struct Leaving {
    std::uint32_t pipe_id;
    layout::EndEntry* end;
  };
  std::vector<Leaving> leaving_;  // guarded by pipes_lock_
  std::atomic<bool> lost_{false};
  mutable std::mutex refusal_lock_;
  std::optional<Error> refusal_;
  Heap heap_;
  std::mutex audiences_lock_;
  std::vector<std::unique_ptr<AudienceHeap>> audiences_;  // guarded by audiences_lock_
  Readiness readiness_;
  std::unique_ptr<Connection> connection_;
  std::mutex house_lock_;
  std::condition_variable house_;
  bool ending_ = false;  // guarded by house_lock_
  bool errand_ = false;  // guarded by house_lock_
  std::thread housekeeper_;
};

}  // namespace tarn::detail
