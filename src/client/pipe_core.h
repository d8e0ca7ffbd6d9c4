// pipe_core.h - one pipe that this session has open; all handles to it share this.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/deadline.h"
#include "client/pipe_control.h"
#include "shm/heap/heap.h"
#include "shm/pipe/pipe.h"
#include "shm/segment/segment.h"
#include "shm/session/session.h"
#include "tarn/pipe.h"

namespace tarn {

struct ForeignSlab;

namespace detail {

// Whether an operation may wait, and until when.
struct Patience {
  bool may_wait = true;
  Deadline deadline = Deadline::never();
};

class PipeCore : public std::enable_shared_from_this<PipeCore> {
 public:
  PipeCore(std::shared_ptr<SessionCore> session, std::string name, Delivery delivery,
           std::shared_ptr<PipeControl> control, layout::EndEntry* end, std::uint32_t audience);
  PipeCore(const PipeCore&) = delete;
  PipeCore& operator=(const PipeCore&) = delete;
  ~PipeCore();

  const std::string& name() const noexcept { return name_; }
  Delivery delivery() const noexcept { return delivery_; }
  PipeView& view() noexcept { return control_->view; }
  const PipeView& view() const noexcept { return control_->view; }
  std::shared_ptr<PipeControl> control() const noexcept { return control_; }
  SessionCore& session() noexcept { return *session_; }
  const std::shared_ptr<SessionCore>& shared_session() const noexcept { return session_; }
  layout::EndEntry* end() const noexcept { return end_; }
  // Where the memory of its messages comes from.
  Heap& heap() const noexcept { return heap_; }

  PushStatus push_loan(Loan& loan, const Patience& patience) noexcept;
  PushStatus push_message(const Message& message, const Patience& patience) noexcept;
  PushStatus push_bytes(std::span<const std::byte> bytes, const Patience& patience) noexcept;
  void pop(Popped& out, const Patience& patience) noexcept;
  void acknowledge(std::uint64_t position, bool redelivered) noexcept;
  void give_back(std::uint64_t position, bool redelivered) noexcept;

  // The descriptor that is readable while there are items (or space). Throws Error.
  int descriptor(bool for_items);

 private:
  enum class Step : std::uint8_t { done, again, nothing };

  PushStatus push(const SlotPayload& payload, std::uint64_t size_bytes, const Patience& patience,
                  std::uint64_t& position) noexcept;
  // One attempt: `nothing` when there is nothing to take, with the reason in out.status.
  Step pop_once(Popped& out) noexcept;
  Step pop_reference(Popped& out, const Peeked& found) noexcept;
  Step meet_slab(Popped& out, const Peeked& found, const ChunkReference& reference) noexcept;
  Step drop_nonsense(Popped& out, const Peeked& found) noexcept;
  void finish_pop(Popped& out, const Peeked& found) noexcept;
  template <class Attempt>
  bool spin(std::atomic<std::int32_t>& budget, Attempt&& attempt) noexcept;

  const std::shared_ptr<SessionCore> session_;
  const std::string name_;
  const Delivery delivery_;
  const std::shared_ptr<PipeControl> control_;
  layout::EndEntry* const end_;
  const std::uint32_t audience_;  // not 0: other accounts may open it
  Heap& heap_;
  std::atomic<std::uintptr_t> push_home_{0};
  std::atomic<std::uintptr_t> pop_home_{0};
  std::atomic<std::int32_t> push_spins_;
  std::atomic<std::int32_t> pop_spins_;
  std::atomic<int> items_descriptor_{-1};
  std::atomic<int> space_descriptor_{-1};
  std::mutex descriptors_;
};

}  // namespace detail
}  // namespace tarn
