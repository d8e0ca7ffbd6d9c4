// heap_world.h - a heap without a node, and those who use it: what the tests of deaths around
// messages by reference begin with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "shm/heap/heap.h"
#include "testing/fake_heap_host.h"
#include "testing/shared_pipe.h"

namespace tarn::testing {

// One owner with one slab, two pipes, a session that dies and one that does not.
struct HeapWorld {
  static constexpr std::uint32_t kSlots = 4;
  static constexpr std::uint64_t kMessageBytes = 20'000;

  explicit HeapWorld(bool at_least_once)
      : first(std::make_shared<SharedPipe>(kSlots, at_least_once)),
        second(std::make_shared<SharedPipe>(kSlots, at_least_once)) {
    // The second pipe carries messages that others pass on.
    host.add_carrier(std::shared_ptr<const SlotWatch>(second, &second->view()));
    chunks = loan_all();
    slab = chunks.front().slab;
    for (const ChunkPlace& place : chunks) {
      victim.hold(place);
      survivor.hold(place);
      heap.give_back(place);
    }
    host.most_slab_bytes = 0;
  }
  std::vector<ChunkPlace> loan_all() {
    std::vector<ChunkPlace> all;
    for (auto got = heap.loan(kMessageBytes); got; got = heap.loan(kMessageBytes)) {
      all.push_back(*got);
      if (all.size() == got->slab->chunk_count) host.most_slab_bytes = 0;
    }
    return all;
  }

  FakeHeapHost host;
  FakeViewer& victim = host.add_viewer();
  FakeViewer& survivor = host.add_viewer();
  Heap heap{host};
  std::shared_ptr<SharedPipe> first;
  std::shared_ptr<SharedPipe> second;
  std::vector<ChunkPlace> chunks;
  Slab* slab = nullptr;
  bool victim_is_buried = false;
};

// What message number `number` is filled with.
inline std::byte mark_of(std::uint64_t number) { return static_cast<std::byte>(0x40 + number); }

}  // namespace tarn::testing
