#include "daemon/recovery/recover.h"

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <thread>

#include "base/crash_point.h"
#include "os/child.h"
#include "os/limits.h"
#include "os/process.h"
#include "os/socket.h"
#include "shm/pipe/pipe.h"

namespace tarn::daemon {
namespace {

// For one job: the longest ring takes a hundredth of it. The kernel counts the processor's time, so
// that a busy machine or a debugger is no reason.
constexpr std::uint64_t kProcessorSeconds = 2;

#ifdef TARN_CRASH_POINTS
std::uint32_t g_fails_on = 0;

// The first one dies where a test wants it; those after it finish what it left.
void arm(std::uint32_t start) {
  // Each of them fails by itself, on that pipe.
  if (const char* pipe = std::getenv("TARN_RECOVER_FAILS_ON")) {
    g_fails_on = static_cast<std::uint32_t>(std::strtoul(pipe, nullptr, 10));
  }
  const char* wish = std::getenv("TARN_RECOVER_CRASH_AT");
  arm_crash_point(wish != nullptr && start == 1 ? std::strtoull(wish, nullptr, 10) : 0);
}
#endif

}  // namespace

// Crash: PipeView::recover() is idempotent; the answer is only sent once it is complete.
RecoveryAnswer carry_out(const RecoveryJob& job, int memory) noexcept {
  RecoveryAnswer answer{job.number, RecoveryOutcome::unmapped, 0, 0, 0};
  if (job.slot_count == 0 || job.slot_count > layout::kMaxSlots) return answer;
  const auto segment = map_foreign(memory, layout::pipe_bytes(job.slot_count), false, true);
  if (!segment) {
    if (segment.error().code() == Error::corrupt) answer.outcome = RecoveryOutcome::spoilt;
    return answer;
  }
  answer.outcome = RecoveryOutcome::spoilt;
  auto view = PipeView::attach(*segment);
  if (!view || view->slot_count() != job.slot_count || view->pipe_id() != job.pipe) return answer;
  TARN_CRASH_POINT("recover.job.mapped");
#ifdef TARN_CRASH_POINTS
  if (job.pipe == g_fails_on) std::abort();
#endif
  const auto counts = view->recover(static_cast<std::uint16_t>(job.dead));
  TARN_CRASH_POINT("recover.job.resolved");
  answer.outcome = RecoveryOutcome::resolved;
  answer.skipped = counts.skipped;
  answer.redelivered = counts.redelivered;
  return answer;
}

int serve_recovery(int socket, std::int32_t parent, [[maybe_unused]] std::uint32_t start) {
  os::name_thread(kRecoverProgram);
  if (!os::end_with_parent(parent)) return 0;
#ifdef TARN_CRASH_POINTS
  arm(start);
  if (std::getenv("TARN_RECOVER_NEVER_READY") != nullptr) return 127;
  if (std::getenv("TARN_RECOVER_FIRST_HANGS") != nullptr && start == 1) {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
#endif
  TARN_CRASH_POINT("recover.begun");
  const RecoveryAnswer ready{kReadyNumber, RecoveryOutcome::resolved, 0, 0, 0};
  const auto said = os::send_message(socket, std::as_bytes(std::span(&ready, 1)), {}, true);
  if (said != os::SendOutcome::ok) return 0;
  for (;;) {
    RecoveryJob job{};
    auto received = os::receive_message(socket, std::as_writable_bytes(std::span(&job, 1)), true);
    if (received.outcome == os::ReceiveOutcome::ended) return 0;
    if (received.size_bytes != sizeof job || received.descriptors.size() != 1) return 1;
    os::limit_processor_time(kProcessorSeconds);
    TARN_CRASH_POINT("recover.job.taken");
    const RecoveryAnswer answer = carry_out(job, received.descriptors[0].get());
    received.descriptors.clear();
    const auto sent = os::send_message(socket, std::as_bytes(std::span(&answer, 1)), {}, true);
    if (sent != os::SendOutcome::ok) return 0;
    TARN_CRASH_POINT("recover.job.answered");
  }
}

}  // namespace tarn::daemon
