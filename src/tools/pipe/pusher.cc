#include "tools/pipe/pusher.h"

#include <poll.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "tools/failure.h"
#include "tools/print/format.h"

namespace tarn::tools {
namespace {

// A consumer at work makes room within this time, and sleeping on the pipe itself is cheaper than
// a descriptor; but only the latter notices a signal.
constexpr std::chrono::milliseconds kShortWait(20);

struct Advice {
  const char* code;
  const char* cure;
};

Advice advice_for(PushStatus status) {
  switch (status) {
    case PushStatus::timed_out:
      return {"timed_out", "the pipe is full: start a consumer, or allow a longer --timeout"};
    case PushStatus::closed:
      return {"closed", "it takes nothing more: remove it with 'tarn pipe rm' and create it anew"};
    case PushStatus::too_large:
      return {"too_large", "push it in pieces: --block 1MiB"};
    case PushStatus::no_memory:
      return {"no_memory", "let consumers release messages; 'tarn session ls' shows who has them"};
    case PushStatus::corrupt:
      return {"corrupt", "a program spoilt this pipe: remove it with 'tarn pipe rm'"};
    case PushStatus::node_lost:
      return {"node_lost", "the node has ended: run the command again, with a node"};
    default:
      return {"forked", "this is a bug of tarn: please report it"};
  }
}

}  // namespace

void Pusher::push(std::span<const std::byte> bytes) {
  Loan loan = target_.pipe.loan(bytes.size());
  if (!bytes.empty()) std::memcpy(loan.bytes().data(), bytes.data(), bytes.size());
  push(std::move(loan));
}

void Pusher::push(Loan loan) { push_what(loan, loan.size()); }

void Pusher::push(Value value) { push_what(value, value.bytes().size()); }

template <class What>
void Pusher::push_what(What& what, std::size_t size_bytes) {
  signals_.check();
  PushStatus status = target_.pipe.try_push(std::move(what));
  if (status == PushStatus::full) status = push_waiting(what);
  if (status != PushStatus::ok) refuse(status, size_bytes);
  progress_.add(size_bytes);
}

// A loan or value is untouched on every status but ok, hence may be tried again.
template <class What>
PushStatus Pusher::push_waiting(What& what) {
  const WaitUntil deadline = until(target_.timeout);
  const auto first =
      std::min<std::chrono::nanoseconds>(kShortWait, target_.timeout.value_or(kShortWait));
  PushStatus status = target_.pipe.push(std::move(what), first);
  while (status == PushStatus::timed_out || status == PushStatus::full) {
    const WaitFor room{.descriptor = target_.pipe.writable_descriptor(), .events = POLLIN};
    const Wake wake = wait_for(room, signals_, deadline);
    status = target_.pipe.try_push(std::move(what));
    if (wake == Wake::timed_out && status == PushStatus::full) return PushStatus::timed_out;
  }
  return status;
}

void Pusher::refuse(PushStatus status, std::size_t size_bytes) {
  if (status == PushStatus::too_large || status == PushStatus::no_memory) {
    if (const auto refusal = target_.session.last_refusal()) throw *refusal;
  }
  const Advice advice = advice_for(status);
  throw Failure(exit_code_of(status), advice.code,
                "push message " + format_count(progress_.count().messages + 1) + " (" +
                    format_size(size_bytes) + ")",
                "pipe '" + target_.pipe.name() + "'", advice.cure);
}

}  // namespace tarn::tools
