#include "client/pipe_core.h"

#include <algorithm>
#include <cstring>

#include "base/crash_point.h"
#include "client/session_core.h"
#include "os/cpu.h"

namespace tarn::detail {
namespace {

using namespace std::chrono_literals;

// Everybody looks again after this long, so that a spoilt bell costs time, never life.
constexpr auto kLookAgain = 1s;
// How often a waiter looks before it sleeps: between these, more where looking was worth it.
constexpr std::int32_t kFewestSpins = 8;
constexpr std::int32_t kMostSpins = 512;

inline void count(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
  // relaxed: a number for people.
  counter.fetch_add(by, std::memory_order_relaxed);
}

// For a counter that the calling thread alone writes: no locked instruction.
inline void count_alone(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
  // relaxed: as above; one writer.
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

// The first thread that uses this side of a pipe gets the counters that need no locked instruction.
// A later thread that stands at the same address only after that one ended may go on with them.
inline bool is_home(std::atomic<std::uintptr_t>& home) noexcept {
  const auto self = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
  // relaxed: nothing but the identity of a thread.
  std::uintptr_t seen = home.load(std::memory_order_relaxed);
  if (seen == self) [[likely]]
    return true;
  // relaxed: as above.
  return seen == 0 && home.compare_exchange_strong(seen, self, std::memory_order_relaxed);
}

}  // namespace

PipeCore::PipeCore(std::shared_ptr<SessionCore> session, std::string name, Delivery delivery,
                   std::shared_ptr<PipeControl> control, layout::EndEntry* end,
                   std::uint32_t audience)
    : session_(std::move(session)),
      name_(std::move(name)),
      delivery_(delivery),
      control_(std::move(control)),
      end_(end),
      audience_(audience),
      heap_(session_->heap_for(audience)),
      push_spins_(kMostSpins / 4),
      pop_spins_(kMostSpins / 4) {}

PipeCore::~PipeCore() {
  if (!session_->is_ours()) return;
  // relaxed: no other thread has the handle any more.
  for (const int descriptor : {items_descriptor_.load(std::memory_order_relaxed),
                               space_descriptor_.load(std::memory_order_relaxed)}) {
    if (descriptor >= 0) session_->readiness().remove(descriptor);
  }
  session_->leave_pipe(*this);
}

// Tries for a while before the caller sleeps; true when an attempt succeeded. Looks longer where
// that helped last time: on a busy machine with nothing to gain it soon sleeps at once.
template <class Attempt>
bool PipeCore::spin(std::atomic<std::int32_t>& budget, Attempt&& attempt) noexcept {
  // relaxed: a private habit of this process.
  const std::int32_t spins = budget.load(std::memory_order_relaxed);
  for (std::int32_t i = 0; i < spins; ++i) {
    os::pause();
    if (attempt()) {
      // relaxed: as above.
      budget.store(std::min(spins * 2, kMostSpins), std::memory_order_relaxed);
      return true;
    }
  }
  // relaxed: as above.
  budget.store(std::max(spins / 2, kFewestSpins), std::memory_order_relaxed);
  return false;
}

PushStatus PipeCore::push(const SlotPayload& payload, std::uint64_t size_bytes,
                          const Patience& patience, std::uint64_t& position) noexcept {
  SlotPush outcome = view().push(session_->self(), payload, position);
  const auto attempt = [&] {
    outcome = view().push(session_->self(), payload, position);
    return outcome != SlotPush::full;
  };
  bool slept = false;
  while (outcome == SlotPush::full && patience.may_wait) {
    if (spin(push_spins_, attempt)) break;
    const std::uint32_t announced = announce_sleep(view().space_bell());
    if (attempt()) break;
    // First, for who only ever polls would not hear of it.
    if (session_->is_lost()) return PushStatus::node_lost;
    if (patience.deadline.has_passed()) return PushStatus::timed_out;
    count(end_->push_waits);
    sleep_on(view().space_bell(), announced, patience.deadline.earlier(Deadline::in(kLookAgain)));
    slept = true;
    attempt();
  }
  if (slept) view().pass_space_on();
  switch (outcome) {
    case SlotPush::ok:
      if (is_home(push_home_)) {
        count_alone(end_->pushed);
        count_alone(end_->pushed_bytes, size_bytes);
      } else {
        count(end_->pushed_elsewhere);
        count(end_->pushed_bytes_elsewhere, size_bytes);
      }
      return PushStatus::ok;
    case SlotPush::closed:
      return PushStatus::closed;
    case SlotPush::corrupt:
      return PushStatus::corrupt;
    case SlotPush::full:
      break;
  }
  // relaxed: set once; a descriptor that is made right now starts armed.
  const int descriptor = space_descriptor_.load(std::memory_order_relaxed);
  if (descriptor >= 0) session_->readiness().rearm(descriptor);
  return session_->is_lost() ? PushStatus::node_lost : PushStatus::full;
}

PushStatus PipeCore::push_bytes(std::span<const std::byte> bytes,
                                const Patience& patience) noexcept {
  if (!session_->is_ours()) return PushStatus::forked;
  std::uint64_t position = 0;
  if (bytes.size() <= kInlineBytes) {
    return push(SlotPayload::copy_of(bytes), bytes.size(), patience, position);
  }
  Loan loan;
  if (auto loaned = session_->loan(bytes.size(), loan, heap_); !loaned) {
    session_->note_refusal(loaned.error());
    return loaned.error().code() == Error::too_large ? PushStatus::too_large
                                                     : PushStatus::no_memory;
  }
  std::memcpy(loan.bytes().data(), bytes.data(), bytes.size());
  const PushStatus status = push_loan(loan, patience);
  if (status == PushStatus::ok) count(end_->copied_in);
  return status;
}

// Crash: the slot's publication inside push() commits. Before it the loan dies with us; after it
//        the node finds the chunk named by the slot and keeps the slab until it was consumed.
PushStatus PipeCore::push_loan(Loan& loan, const Patience& patience) noexcept {
  if (!session_->is_ours()) return PushStatus::forked;
  std::uint64_t position = 0;
  PayloadPlace& place = loan.place_;
  if (place.address == nullptr) {
    const auto bytes = std::span<const std::byte>(place.small, place.size_bytes);
    const PushStatus status =
        push(SlotPayload::copy_of(bytes), place.size_bytes, patience, position);
    if (status == PushStatus::ok) place.filled = false;
    return status;
  }
  auto* slab = static_cast<Slab*>(place.origin);
  if (place.core != session_.get() || slab->home != &heap_) [[unlikely]] {
    // Another session's memory: its owner does not look into this pipe. Or memory of another
    // audience, which could read there what is not for it.
    const PushStatus status = push_bytes(loan.bytes(), patience);
    if (status == PushStatus::ok) loan.give_back();
    return status;
  }
  const ChunkReference reference{slab->id, place.chunk, place.size_bytes};
  const PushStatus status =
      push(SlotPayload::reference_to(reference), place.size_bytes, patience, position);
  if (status != PushStatus::ok) return status;
  TARN_CRASH_POINT("push.loan.published");  // model: hold_rows.pml, label loan
  heap_.pushed({slab, place.chunk}, &control_->view, position);
  place.address = nullptr;
  place.filled = false;
  return status;
}

// Crash: our hold lasts until the slot names the chunk, so that there is no instant in which
// neither
//        does. The bump tells an owner that looks at just this moment to look again.
// model: hold_rows.pml, labels pass_on, pass_carried, pass_published, pass_bumped
PushStatus PipeCore::push_message(const Message& message, const Patience& patience) noexcept {
  if (!session_->is_ours()) return PushStatus::forked;
  const PayloadPlace& place = message.place_;
  // Another session's hold says nothing of what this one passes on.
  const bool is_own = place.address != nullptr && place.core == session_.get();
  // Between accounts nothing is passed on by reference: the slab has other messages in it.
  if (!is_own || audience_ != 0) return push_bytes(message.bytes(), patience);
  auto& slab = *static_cast<ForeignSlab*>(place.origin);
  if (auto carried = session_->carry(slab, *this); !carried) {
    if (carried.error().code() == Error::access_denied) {
      return push_bytes(message.bytes(), patience);
    }
    session_->note_refusal(carried.error());
    return PushStatus::no_memory;
  }
  std::uint64_t position = 0;
  const ChunkReference reference{slab.id, place.chunk, place.size_bytes};
  const PushStatus status =
      push(SlotPayload::reference_to(reference), place.size_bytes, patience, position);
  if (status == PushStatus::ok) session_->bump_forwards();
  return status;
}

void PipeCore::pop(Popped& out, const Patience& patience) noexcept {
  if (!session_->is_ours()) {
    out.status = PopStatus::forked;
    return;
  }
  Step step = Step::again;
  const auto attempt = [&] {
    do {
      step = pop_once(out);
    } while (step == Step::again);
    return step == Step::done || out.status != PopStatus::empty;
  };
  if (attempt()) return;
  while (patience.may_wait) {
    if (spin(pop_spins_, attempt)) return;
    const std::uint32_t announced = announce_sleep(view().items_bell());
    if (attempt()) return;
    // First, for who only ever polls would not hear of it.
    if (session_->is_lost()) {
      out.status = PopStatus::node_lost;
      return;
    }
    if (patience.deadline.has_passed()) {
      out.status = PopStatus::timed_out;
      return;
    }
    count(end_->pop_waits);
    sleep_on(view().items_bell(), announced, patience.deadline.earlier(Deadline::in(kLookAgain)));
    if (attempt()) return;
  }
  // relaxed: set once; a descriptor that is made right now starts armed.
  const int descriptor = items_descriptor_.load(std::memory_order_relaxed);
  if (descriptor >= 0) session_->readiness().rearm(descriptor);
  if (session_->is_lost()) out.status = PopStatus::node_lost;
}

PipeCore::Step PipeCore::pop_once(Popped& out) noexcept {
  Peeked found;
  switch (view().peek(found)) {
    case SlotPop::ok:
      break;
    case SlotPop::empty:
      out.status = PopStatus::empty;
      return Step::nothing;
    case SlotPop::closed:
      out.status = PopStatus::closed;
      return Step::nothing;
    case SlotPop::corrupt:
      out.status = PopStatus::corrupt;
      return Step::nothing;
  }
  const SlotDescriptor descriptor = load_descriptor(*found.slot);
  if (descriptor.kind() == layout::PayloadKind::by_reference) return pop_reference(out, found);
  if (descriptor.kind() != layout::PayloadKind::in_slot) return drop_nonsense(out, found);
  PayloadPlace& place = out.message.place_;
  static_assert(sizeof place.small == layout::kSlotPayloadBytes);
  load_words(*found.slot, place.small);
  if (!view().take(session_->self(), found)) return Step::again;
  place.size_bytes = descriptor.size_bytes();
  finish_pop(out, found);
  return Step::done;
}

// Crash: our row counts the chunk before the slot lets go of it, so that there is no instant in
//        which neither does; a death drops the row, and with at_least_once the slot still has it.
// model: hold_rows.pml, labels pop_begin, pop_count, pop_taken
PipeCore::Step PipeCore::pop_reference(Popped& out, const Peeked& found) noexcept {
  const ChunkReference reference = load_reference(*found.slot);
  ForeignSlab* slab = session_->known_slab(reference);
  if (slab == nullptr) [[unlikely]] {
    const Step met = meet_slab(out, found, reference);
    if (met != Step::done) return met;
    slab = session_->known_slab(reference);
    if (slab == nullptr) return Step::again;
  }
  // Who may write into the pipe but not see that slab has no business to name it: passed on by a
  // program that may, it would give away what stands there.
  if (audience_ != 0 && slab->audience != audience_) [[unlikely]] {
    return drop_nonsense(out, found);
  }
  layout::HoldCount& hold = slab->holds[reference.chunk];
  // All that is touched next, asked for at once: the trips to the other core overlap.
  const std::byte* bytes = slab->chunk(reference.chunk);
  os::fetch_for_writing(&hold);
  os::fetch_for_reading(bytes);
  os::fetch_for_reading(bytes + (reference.size_bytes > 0 ? reference.size_bytes - 1 : 0));
  if (!count_hold(hold)) {
    out.status = PopStatus::no_memory;
    return Step::nothing;
  }
  TARN_CRASH_POINT("pop.reference.counted");  // model: hold_rows.pml, label pop_counted
  if (!view().take(session_->self(), found)) {
    // sync(hold-ended): nothing of the chunk was looked at.
    hold.fetch_sub(1, std::memory_order_release);
    return Step::again;
  }
  PayloadPlace& place = out.message.place_;
  place.core = session_.get();
  place.origin = slab;
  place.address = bytes;
  place.chunk = reference.chunk;
  place.size_bytes = reference.size_bytes;
  finish_pop(out, found);
  return Step::done;
}

// A slab that this process has not mapped yet, or that cannot be. `done`: it is mapped now.
// model: hold_rows.pml, labels meet_slab, meet_row
PipeCore::Step PipeCore::meet_slab(Popped& out, const Peeked& found,
                                   const ChunkReference& reference) noexcept {
  const auto met = session_->meet_slab(reference);
  if (met) return Step::done;
  // The slot may be long past what we saw in it.
  Peeked now;
  const bool moved = view().peek(now) != SlotPop::ok || now.position != found.position ||
                     now.word.bits() != found.word.bits();
  if (moved) return Step::again;
  if (met.error().code() == Error::not_found || met.error().code() == Error::corrupt) {
    return drop_nonsense(out, found);
  }
  session_->note_refusal(met.error());
  out.status = PopStatus::no_memory;
  return Step::nothing;
}

// A slot that names what cannot be: it goes, so that the pipe can go on, and the caller is told.
PipeCore::Step PipeCore::drop_nonsense(Popped& out, const Peeked& found) noexcept {
  if (!view().take(session_->self(), found)) return Step::again;
  if (view().at_least_once()) {
    view().acknowledge(session_->self(), found.position, found.word.redelivered());
  }
  out.status = PopStatus::corrupt;
  return Step::nothing;
}

void PipeCore::finish_pop(Popped& out, const Peeked& found) noexcept {
  out.status = PopStatus::ok;
  out.message.place_.filled = true;
  out.message.position_ = found.position;
  out.message.redelivered_ = found.word.redelivered();
  if (view().at_least_once()) out.message.unacknowledged_ = shared_from_this();
  if (is_home(pop_home_)) {
    count_alone(end_->popped);
    count_alone(end_->popped_bytes, out.message.size());
  } else {
    count(end_->popped_elsewhere);
    count(end_->popped_bytes_elsewhere, out.message.size());
  }
}

void PipeCore::acknowledge(std::uint64_t position, bool redelivered) noexcept {
  if (session_->is_ours()) view().acknowledge(session_->self(), position, redelivered);
}

void PipeCore::give_back(std::uint64_t position, bool redelivered) noexcept {
  if (session_->is_ours()) view().give_back(session_->self(), position, redelivered);
}

int PipeCore::descriptor(bool for_items) {
  session_->require_ours("make a descriptor");
  std::atomic<int>& cell = for_items ? items_descriptor_ : space_descriptor_;
  const std::lock_guard guard(descriptors_);
  // relaxed: the lock orders it.
  if (const int made = cell.load(std::memory_order_relaxed); made >= 0) return made;
  const auto made = session_->readiness().add(control_, for_items);
  if (!made) throw made.error();
  // relaxed: the lock orders it; a try that misses it finds the descriptor armed anyway.
  cell.store(*made, std::memory_order_relaxed);
  return *made;
}

}  // namespace tarn::detail
