#include "daemon/worker/worker.h"

#include <array>
#include <csignal>
#include <string>
#include <utility>

#include "base/crash_point.h"
#include "base/log.h"
#include "daemon/store/channel.h"
#include "daemon/worker/registry/node_state.h"
#include "daemon/worker/registry/rebuild.h"
#include "daemon/worker/server.h"
#include "os/memory.h"

namespace tarn::daemon {
namespace {

constexpr std::array kSignalsTaken = {SIGTERM, SIGINT, SIGHUP};

FullStatus serve_until_end(WorkerSeed& seed, ChannelSender& keeper) {
  const auto table = NodeTable::attach(seed.node_segment);
  if (!table) return Error(table.error(), "attach the node's table", "node", {});
  auto reader = os::reopen_readable(seed.node_memory.get());
  if (!reader) return std::move(reader).error();
  auto signals = os::signals_as_descriptor(kSignalsTaken);
  if (!signals) return std::move(signals).error();
  auto poller = os::Poller::create();
  if (!poller) return std::move(poller).error();
  NodeState node(std::move(seed.facts), *table, reader->get(), keeper);
  if (auto rebuilt = rebuild(node, seed.store); !rebuilt) return rebuilt;
  seed.store = RecordStore();
  table->note_worker(node.facts().worker_starts);
  auto deaths = DeathWatch::create();
  if (!deaths) return std::move(deaths).error();
  Server server(node, std::move(*poller), **deaths,
                {seed.listener.get(), seed.channel.get(), signals->get()});
  return server.run();
}

}  // namespace

int serve(WorkerSeed seed) {
#ifdef TARN_CRASH_POINTS
  // Armed from outside, the first worker dies; those after it have to finish what it left.
  if (seed.facts.worker_starts > 1) arm_crash_point(0);
#endif
  ChannelSender keeper(seed.channel.get());
  log_info("worker " + std::to_string(seed.facts.worker_starts) + " begins, with " +
           std::to_string(seed.store.size()) + " records");
  const auto done = serve_until_end(seed, keeper);
  if (!done) {
    log_error(done.error().what());
    return 1;
  }
  // The keeper ends the node in order; a worker that just ended would be replaced.
  keeper.stop();
  return 0;
}

}  // namespace tarn::daemon
