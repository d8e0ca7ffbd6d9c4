// node_facts.h - what is decided when the node starts, and how the keeper hands it to each worker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/store/record_store.h"
#include "os/fd.h"
#include "shm/segment/segment.h"
#include "wire/access_messages.h"
#include "wire/names.h"

namespace tarn::daemon {

struct NodeFacts {
  std::string application;
  std::string user;
  std::string directory;
  wire::DoorPaths door;
  std::uint64_t node_id = 0;  // random: another node, another id
  std::uint64_t limit_bytes = 0;
  std::int64_t began_ns = 0;
  std::int32_t keeper_pid = 0;
  std::uint32_t worker_starts = 0;
  std::uint32_t service = 0;                 // wire::kService...
  std::int64_t alive_every_ns = 0;           // the worker says so often that it answers; 0: never
  std::optional<std::int64_t> idle_exit_ns;  // none: stays until it is told to end
};

// What a new worker finds in its memory: it is a fork of the keeper.
struct WorkerSeed {
  NodeFacts facts;
  os::UniqueFd listener;
  os::UniqueFd node_memory;
  Segment node_segment;  // mapped writable before it was sealed
  RecordStore store;
  os::UniqueFd channel;  // to the keeper
};

}  // namespace tarn::daemon
