#include "oc/pool.h"

#include <algorithm>
#include <memory>

namespace OC {
namespace {

// Where GetStreamingPool() looks.
struct Pools {
  std::mutex mutex;
  std::map<const char*, StreamingPool*> by_memory;
};
Pools& pools() {
  // Never ended: a pool may be asked for while the program ends.
  static Pools* all = new Pools;
  return *all;
}

}  // namespace

StreamingPool::StreamingPool(char* memory, int_ptr bytes, int alignment)
    : memory_(memory), size_(bytes), alignment_(alignment) {
  if (alignment != 4 && alignment != 8 && alignment != 16) {
    throw logic_error("A pool's alignment is 4, 8 or 16, not " + std::to_string(alignment));
  }
  // What the caller has may begin anywhere.
  const auto skipped =
      static_cast<int_ptr>(-reinterpret_cast<AVLP>(memory) & static_cast<AVLP>(alignment - 1));
  if (memory == nullptr || bytes <= skipped + alignment) {
    throw logic_error("A pool needs memory, not " + std::to_string(bytes) + " bytes");
  }
  free_[skipped] = (bytes - skipped) & -alignment_;
}

StreamingPool* StreamingPool::CreateStreamingPool(char* memory, int_ptr bytes, int alignment,
                                                  bool) {
  auto pool = std::make_unique<StreamingPool>(memory, bytes, alignment);
  const std::scoped_lock lock(pools().mutex);
  StreamingPool*& place = pools().by_memory[memory];
  delete place;  // the block is used anew
  return place = pool.release();
}

StreamingPool* StreamingPool::GetStreamingPool(char* memory) {
  const std::scoped_lock lock(pools().mutex);
  const auto found = pools().by_memory.find(memory);
  if (found == pools().by_memory.end()) throw logic_error("No pool of this process begins there");
  return found->second;
}

void StreamingPool::Clean(StreamingPool* pool) {
  const std::scoped_lock lock(pools().mutex);
  const auto found =
      pool != nullptr ? pools().by_memory.find(pool->memory_) : pools().by_memory.end();
  if (found == pools().by_memory.end() || found->second != pool) {
    throw logic_error("Not a pool of CreateStreamingPool()");
  }
  pools().by_memory.erase(found);
  delete pool;
}

char* StreamingPool::allocate(int_ptr bytes) {
  const std::scoped_lock lock(mutex_);
  const bool is_possible = bytes >= 0 && bytes <= size_;
  const int_ptr wanted = is_possible ? std::max(rounded(bytes), alignment_) : 0;
  const auto piece = std::find_if(free_.begin(), free_.end(),
                                  [&](const auto& each) { return each.second >= wanted; });
  if (!is_possible || piece == free_.end()) {
    throw runtime_error("Not enough memory in pool to statisfy request");
  }
  const auto [offset, size] = *piece;
  free_.erase(piece);
  if (size > wanted) free_[offset + wanted] = size - wanted;
  used_[offset] = wanted;
  return memory_ + offset;
}

void StreamingPool::deallocate(char* piece) {
  if (piece == nullptr) return;
  const std::scoped_lock lock(mutex_);
  const auto found = used_.find(piece - memory_);
  if (found == used_.end()) {
    throw logic_error("Not allocated from this pool, or deallocated before");
  }
  auto [offset, size] = *found;
  used_.erase(found);
  // The neighbours join in.
  auto after = free_.lower_bound(offset);
  if (after != free_.end() && after->first == offset + size) {
    size += after->second;
    after = free_.erase(after);
  }
  if (after != free_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == offset) {
      before->second += size;
      return;
    }
  }
  free_[offset] = size;
}

// The pool's end gives everything back anyway; this is to say that it is meant to.
void StreamingPool::scheduleForDeletion(char* piece) {
  const std::scoped_lock lock(mutex_);
  if (used_.find(piece - memory_) == used_.end()) {
    throw logic_error("Not allocated from this pool");
  }
}

bool StreamingPool::isPristine() const {
  const std::scoped_lock lock(mutex_);
  return used_.empty();
}

int_ptr StreamingPool::biggestFree() const {
  const std::scoped_lock lock(mutex_);
  int_ptr biggest = 0;
  for (const auto& [offset, size] : free_) biggest = std::max(biggest, size);
  return biggest;
}

}  // namespace OC
