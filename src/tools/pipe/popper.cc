#include "tools/pipe/popper.h"

#include <poll.h>

#include <algorithm>
#include <new>
#include <utility>

#include "tools/failure.h"
#include "tools/pipe/wait.h"

namespace tarn::tools {
namespace {

// A producer at work delivers within this time, and sleeping on the pipe itself is cheaper than a
// descriptor; but only the latter notices a signal, and a reader that left.
constexpr std::chrono::milliseconds kShortWait(20);

// Bounds what a crash would make the pipe deliver again.
constexpr std::size_t kMaxUnsettled = 256;

}  // namespace

PopStatus Popper::pass_one() {
  Popped popped = take();
  if (!popped) return popped.status;
  Message& message = popped.message;
  const MessageView view{message.bytes(), message.position(), message.redelivered()};
  try {
    writer_.check(view);
    writer_.write(view);
  } catch (const Interrupted&) {
    throw;  // nobody reads the output
  } catch (const Error& error) {
    settle();  // those before it
    Failure failure(error);
    failure.attempted = "write message " + std::to_string(view.position);
    failure.object = "pipe '" + source_.pipe.name() + "': " + failure.object;
    refuse(std::move(failure));
  } catch (const Failure& failure) {
    settle();
    refuse(failure);
  } catch (const std::bad_alloc&) {
    settle();
    refuse(Failure(Error(Error::no_memory, "write message " + std::to_string(view.position),
                         "pipe '" + source_.pipe.name() + "': it needs more memory than there is",
                         "free memory, or take it with --raw")));
  } catch (const std::exception&) {
    settle();
    throw;
  }
  if (source_.pipe.delivery() == Delivery::at_least_once) {
    unsettled_.push_back(std::move(message));
    if (unsettled_.size() >= kMaxUnsettled) settle();
  }
  return PopStatus::ok;
}

// Says besides where the message is now. What the system refuses is about the output.
void Popper::refuse(Failure failure) const {
  if (failure.system_error == 0) {
    const bool stays = source_.pipe.delivery() == Delivery::at_least_once;
    failure.object +=
        stays ? "; the message stays in the pipe" : "; the message was taken out of the pipe";
  }
  throw failure;
}

void Popper::settle() {
  output_.flush();
  for (Message& message : unsettled_) message.acknowledge();
  unsettled_.clear();
}

Popped Popper::take() {
  signals_.check();
  Popped popped = source_.pipe.try_pop();
  if (popped.status != PopStatus::empty || !source_.wait) return popped;
  settle();
  return take_waiting();
}

Popped Popper::take_waiting() {
  const WaitUntil deadline = until(source_.timeout);
  // A reader that has left already must not cost a message.
  const WaitFor reader{.descriptor = -1, .events = 0, .output = output_.descriptor()};
  if (wait_for(reader, signals_, Clock::now()) == Wake::reader_gone) throw Interrupted(SIGPIPE);
  Popped popped = source_.pipe.pop(
      std::min<std::chrono::nanoseconds>(kShortWait, source_.timeout.value_or(kShortWait)));
  while (popped.status == PopStatus::timed_out || popped.status == PopStatus::empty) {
    const WaitFor message{.descriptor = source_.pipe.readable_descriptor(),
                          .events = POLLIN,
                          .output = output_.descriptor()};
    const Wake wake = wait_for(message, signals_, deadline);
    if (wake == Wake::reader_gone) throw Interrupted(SIGPIPE);
    popped = source_.pipe.try_pop();
    if (wake == Wake::timed_out && popped.status == PopStatus::empty) {
      popped.status = PopStatus::timed_out;
      return popped;
    }
  }
  return popped;
}

}  // namespace tarn::tools
