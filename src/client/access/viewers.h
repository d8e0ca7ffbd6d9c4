// viewers.h - who may hold chunks of this session's slabs for one audience, as the node says.
//
// Each heap asks about its own audience alone: who shares one pipe with us can say what it likes of
// the slabs that it was handed, and nothing of any others.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "base/result.h"
#include "shm/heap/hold_scan.h"

namespace tarn::detail {

class SessionCore;

// Thread safe.
class KnownViewers {
 public:
  // `session` outlives this. `audience` is a pipe's id, or 0.
  KnownViewers(SessionCore& session, std::uint32_t audience) noexcept
      : session_(session), audience_(audience) {}

  // As of the present viewers_epoch; null when they cannot be learnt now. A viewer whose segment
  // makes no sense is taken to hold everything.
  std::shared_ptr<const ViewerSet> get() noexcept;

 private:
  std::shared_ptr<const ViewerSet> ask(const ViewerSet& before);
  Result<Viewer, Error> fetch_viewer(SessionId id, const ViewerSet& before);
  Result<Carrier, Error> fetch_carrier(std::uint32_t pipe_id, const ViewerSet& before);

  SessionCore& session_;
  const std::uint32_t audience_;
  std::mutex lock_;
  std::shared_ptr<const ViewerSet> known_ = std::make_shared<ViewerSet>();  // guarded by lock_
};

}  // namespace tarn::detail
