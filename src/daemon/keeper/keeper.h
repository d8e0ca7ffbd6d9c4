// keeper.h - the process that must not fail: it holds the lock, the listening socket, the node's
// table and every descriptor that a new worker needs, and keeps a worker running.
//
// It reads nothing that a client wrote and never waits for anybody but, for moments, the service
// manager. When it ends, however it ends, the worker ends too. Where a service manager keeps its
// descriptors, the next keeper goes on with the node (store/safekeeping.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "daemon/keeper/inheritance.h"
#include "daemon/keeper/restart_pace.h"
#include "daemon/node_facts.h"
#include "daemon/run_directory.h"
#include "os/child.h"
#include "os/events.h"
#include "os/life/robust.h"
#include "os/run/service.h"

namespace tarn::daemon {

class Keeper {
 public:
  // Takes `directory` over when it succeeds. Listens, and makes the node's table.
  // A service manager may have made the socket, wants to be told, and may keep what the node of a
  // keeper that died had: then that node goes on. `access`: the rules that a new one begins with.
  static Result<Keeper, Error> create(RunDirectory& directory, NodeFacts facts,
                                      os::ServiceManager service,
                                      const std::vector<wire::AccessRule>& access);

  enum class Role : std::uint8_t {
    ended,   // the node has ended in order, and left nothing behind
    worker,  // this process is a new worker: take_seed() and serve
  };
  // Starts the first worker. Returns in the keeper once the node has ended, and in each worker.
  Role run();
  // In a worker. Closes all that is the keeper's alone.
  WorkerSeed take_seed();

 private:
  Keeper(RunDirectory directory, WorkerSeed seed, os::Poller poller, os::UniqueFd signals,
         std::unique_ptr<os::ServiceManager> service, Safekeeping safe) noexcept
      : directory_(std::move(directory)),
        seed_(std::move(seed)),
        poller_(std::move(poller)),
        signals_(std::move(signals)),
        service_(std::move(service)),
        safe_(std::move(safe)) {}

  void mark_table(os::RobustHold& life);
  // False in the child.
  bool start_worker();
  void adopt_worker(std::int32_t pid, os::UniqueFd channel);
  bool has_worker() const noexcept { return worker_pid_ != 0; }
  void take_messages();
  void on_worker_end();
  void on_first_thread_end();
  // Whether the worker has ended but for threads that the kernel does not let go.
  void look_at_worker();
  void end_worker(std::int32_t pid, const std::string& how, bool killed);
  void on_signal();
  void reap_orphans();
  void tell_service();
  std::string status_text();
  std::chrono::nanoseconds patience_with_clients();
  void begin_end();
  void enforce_end() noexcept;

  RunDirectory directory_;
  WorkerSeed seed_;  // the store is filled here while the worker lives
  os::Poller poller_;
  os::UniqueFd signals_;
  std::unique_ptr<os::ServiceManager> service_;
  Safekeeping safe_;  // borrows service_
  bool told_ready_ = false;
  os::UniqueFd channel_;
  os::UniqueFd worker_;                   // pidfd
  os::UniqueFd first_thread_;             // pidfd
  Deadline look_at_ = Deadline::never();  // at the worker
  bool was_doomed_ = false;               // when it was looked at last
  std::int32_t worker_pid_ = 0;
  std::int64_t worker_began_ns_ = 0;
  Deadline start_at_ = Deadline::passed();
  Deadline kill_at_ = Deadline::never();
  RestartPace pace_;
  bool ending_ = false;
  bool keep_log_ = false;  // a worker failed by itself: its last lines are of use
};

}  // namespace tarn::daemon
