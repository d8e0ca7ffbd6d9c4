#include "tools/stop_signals.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "tools/failure.h"

namespace tarn::tools {
namespace {

// A signal handler has nothing but statics to work with.
std::atomic<int> arrived_signal{0};
std::atomic<int> wake_descriptor{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void note(int signal_number) {
  const int saved_errno = errno;
  arrived_signal.store(signal_number);
  const std::uint64_t one = 1;
  // Nothing can be done here when this fails; the flag is set all the same.
  [[maybe_unused]] const auto written = ::write(wake_descriptor.load(), &one, sizeof(one));
  errno = saved_errno;
}

}  // namespace

StopSignals::StopSignals() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) {
    throw Failure(ExitCode::limit, "no_descriptors", "make an eventfd", "this process",
                  "raise the limit with 'ulimit -n'", errno);
  }
  arrived_signal.store(0);
  wake_descriptor.store(descriptor_);
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second one ends the process
  ::sigaction(SIGINT, &action, &former_interrupt_);
  ::sigaction(SIGTERM, &action, &former_terminate_);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &former_pipe_);
}

StopSignals::~StopSignals() {
  ::sigaction(SIGINT, &former_interrupt_, nullptr);
  ::sigaction(SIGTERM, &former_terminate_, nullptr);
  ::sigaction(SIGPIPE, &former_pipe_, nullptr);
  wake_descriptor.store(-1);
  ::close(descriptor_);
}

int StopSignals::arrived() const noexcept { return arrived_signal.load(); }

void StopSignals::check() const {
  const int signal_number = arrived();
  if (signal_number != 0) throw Interrupted(signal_number);
}

}  // namespace tarn::tools
