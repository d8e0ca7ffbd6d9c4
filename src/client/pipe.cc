#include "tarn/pipe.h"

#include "client/session_core.h"
#include "client/value/value_store.h"

namespace tarn {

using detail::Patience;

namespace {

const Patience kForEver{};
const Patience kAtOnce{false, Deadline::passed()};

Patience within(std::chrono::nanoseconds timeout) noexcept {
  return Patience{true, Deadline::in(timeout)};
}

detail::PipeCore& require_open(const std::shared_ptr<detail::PipeCore>& core,
                               const char* attempted) {
  if (core != nullptr) return *core;
  throw Error(Error::invalid_argument, attempted, "an empty Pipe", "open one with Session::pipe()");
}

PushStatus push_value(detail::PipeCore* core, detail::ValueStore* store,
                      const Patience& patience) noexcept {
  if (core == nullptr) return PushStatus::closed;
  // One that was moved away is none.
  if (store == nullptr) return core->push_bytes(detail::ValueStore().bytes(), patience);
  const std::uint64_t size_bytes = store->used_bytes();
  Loan* loan = store->finished_loan();
  const PushStatus status = loan != nullptr ? core->push_loan(*loan, patience)
                                            : core->push_bytes(store->bytes(), patience);
  if (status == PushStatus::ok) {
    store->begin_next(size_bytes);
  } else {
    store->keep_filling();
  }
  return status;
}

PushStatus push_message_on(detail::PipeCore* core, Message& message, const Patience& patience) {
  if (core == nullptr) return PushStatus::closed;
  const PushStatus status = core->push_message(message, patience);
  if (status != PushStatus::ok) return status;
  message.acknowledge();
  message.release();
  return status;
}

}  // namespace

std::string_view name_of(PushStatus status) noexcept {
  switch (status) {
    case PushStatus::ok:
      return "ok";
    case PushStatus::full:
      return "full";
    case PushStatus::timed_out:
      return "timed_out";
    case PushStatus::closed:
      return "closed";
    case PushStatus::too_large:
      return "too_large";
    case PushStatus::no_memory:
      return "no_memory";
    case PushStatus::corrupt:
      return "corrupt";
    case PushStatus::forked:
      return "forked";
    case PushStatus::node_lost:
      return "node_lost";
  }
  return "unknown";
}

std::string_view name_of(PopStatus status) noexcept {
  switch (status) {
    case PopStatus::ok:
      return "ok";
    case PopStatus::empty:
      return "empty";
    case PopStatus::timed_out:
      return "timed_out";
    case PopStatus::closed:
      return "closed";
    case PopStatus::no_memory:
      return "no_memory";
    case PopStatus::corrupt:
      return "corrupt";
    case PopStatus::forked:
      return "forked";
    case PopStatus::node_lost:
      return "node_lost";
  }
  return "unknown";
}

std::string_view name_of(Delivery delivery) noexcept {
  return delivery == Delivery::at_least_once ? "at_least_once" : "at_most_once";
}

const std::string& Pipe::name() const noexcept {
  static const std::string none;
  return core_ != nullptr ? core_->name() : none;
}

std::int64_t Pipe::capacity() const noexcept {
  return core_ != nullptr ? core_->view().slot_count() : 0;
}

Delivery Pipe::delivery() const noexcept {
  return core_ != nullptr ? core_->delivery() : Delivery::at_most_once;
}

Loan Pipe::loan(std::size_t size_bytes) {
  detail::PipeCore& core = require_open(core_, "loan memory");
  core.session().require_ours("loan memory");
  Loan loan;
  if (auto loaned = core.session().loan(size_bytes, loan, core.heap()); !loaned) {
    throw std::move(loaned).error();
  }
  return loan;
}

Value Pipe::value(std::size_t expected_bytes) {
  detail::PipeCore& core = require_open(core_, "make a value");
  core.session().require_ours("make a value");
  return Value(detail::ValueStore::create(core.shared_session(), core.heap(), expected_bytes));
}

PushStatus Pipe::push(Loan&& loan) noexcept {
  return core_ != nullptr ? core_->push_loan(loan, kForEver) : PushStatus::closed;
}
PushStatus Pipe::push(Loan&& loan, std::chrono::nanoseconds timeout) noexcept {
  return core_ != nullptr ? core_->push_loan(loan, within(timeout)) : PushStatus::closed;
}
PushStatus Pipe::try_push(Loan&& loan) noexcept {
  return core_ != nullptr ? core_->push_loan(loan, kAtOnce) : PushStatus::closed;
}

PushStatus Pipe::push(Value&& value) noexcept {
  return push_value(core_.get(), value.store_.get(), kForEver);
}
PushStatus Pipe::push(Value&& value, std::chrono::nanoseconds timeout) noexcept {
  return push_value(core_.get(), value.store_.get(), within(timeout));
}
PushStatus Pipe::try_push(Value&& value) noexcept {
  return push_value(core_.get(), value.store_.get(), kAtOnce);
}

PushStatus Pipe::push(Message&& message) noexcept {
  return push_message_on(core_.get(), message, kForEver);
}
PushStatus Pipe::push(Message&& message, std::chrono::nanoseconds timeout) noexcept {
  return push_message_on(core_.get(), message, within(timeout));
}
PushStatus Pipe::try_push(Message&& message) noexcept {
  return push_message_on(core_.get(), message, kAtOnce);
}
PushStatus Pipe::push(const Message& message) noexcept {
  return core_ != nullptr ? core_->push_message(message, kForEver) : PushStatus::closed;
}
PushStatus Pipe::push(const Message& message, std::chrono::nanoseconds timeout) noexcept {
  return core_ != nullptr ? core_->push_message(message, within(timeout)) : PushStatus::closed;
}

PushStatus Pipe::push(std::span<const std::byte> bytes) noexcept {
  return core_ != nullptr ? core_->push_bytes(bytes, kForEver) : PushStatus::closed;
}
PushStatus Pipe::push(std::span<const std::byte> bytes, std::chrono::nanoseconds timeout) noexcept {
  return core_ != nullptr ? core_->push_bytes(bytes, within(timeout)) : PushStatus::closed;
}
PushStatus Pipe::try_push(std::span<const std::byte> bytes) noexcept {
  return core_ != nullptr ? core_->push_bytes(bytes, kAtOnce) : PushStatus::closed;
}

Popped Pipe::pop() noexcept {
  Popped popped;
  popped.status = PopStatus::closed;
  if (core_ != nullptr) core_->pop(popped, kForEver);
  return popped;
}
Popped Pipe::pop(std::chrono::nanoseconds timeout) noexcept {
  Popped popped;
  popped.status = PopStatus::closed;
  if (core_ != nullptr) core_->pop(popped, within(timeout));
  return popped;
}
Popped Pipe::try_pop() noexcept {
  Popped popped;
  popped.status = PopStatus::closed;
  if (core_ != nullptr) core_->pop(popped, kAtOnce);
  return popped;
}

void Pipe::close() noexcept {
  if (core_ != nullptr && core_->session().is_ours()) core_->view().close();
}

bool Pipe::is_closed() const noexcept {
  return core_ == nullptr || !core_->session().is_ours() || core_->view().is_closed();
}

std::int64_t Pipe::depth() const noexcept {
  if (core_ == nullptr || !core_->session().is_ours()) return 0;
  return static_cast<std::int64_t>(core_->view().snapshot().depth);
}

int Pipe::readable_descriptor() {
  return require_open(core_, "make a descriptor").descriptor(true);
}

int Pipe::writable_descriptor() {
  return require_open(core_, "make a descriptor").descriptor(false);
}

}  // namespace tarn
