// pool.h - StreamingPool: memory given out piece by piece from a block that the caller has.
//
// The pool's book is kept beside the block, in ordinary memory of this process: what somebody
// scribbles into the block cannot damage it, and another process that maps the block makes no use
// of it. Values that pass between processes need no pool: see shmboot.h. Safe for several threads.
#pragma once

#include <map>
#include <mutex>

#include "ocport.h"

namespace OC {

class StreamingPool {
 public:
  // Over `bytes` of memory that the caller keeps, and outlives the pool. Throws logic_error unless
  // the alignment is 4, 8 or 16 and there are bytes. `small` is accepted and not needed.
  static StreamingPool* CreateStreamingPool(char* memory, int_ptr bytes, int alignment = 4,
                                            bool small = false);
  // The pool of the block that begins there; throws logic_error when there is none.
  static StreamingPool* GetStreamingPool(char* memory);
  // Ends a pool of CreateStreamingPool(), not its memory.
  static void Clean(StreamingPool* pool);

  // Throws runtime_error when no piece is large enough.
  char* allocate(int_ptr bytes);
  // Throws logic_error for what was not allocated here, or was given back before.
  void deallocate(char* piece);
  void deallocate(void* piece) { deallocate(static_cast<char*>(piece)); }
  // The piece goes back when the pool ends.
  void scheduleForDeletion(char* piece);

  bool isPristine() const;  // nothing is allocated
  bool isFull() const { return biggestFree() == 0; }
  int_ptr biggestFree() const;
  int_ptr bytes() const { return size_; }
  char* memory() const { return memory_; }

  StreamingPool(char* memory, int_ptr bytes, int alignment);
  ~StreamingPool() = default;
  StreamingPool(const StreamingPool&) = delete;
  StreamingPool& operator=(const StreamingPool&) = delete;

 private:
  int_ptr rounded(int_ptr bytes) const { return (bytes + alignment_ - 1) & -alignment_; }

  char* memory_;
  int_ptr size_;
  int_ptr alignment_;
  mutable std::mutex mutex_;
  std::map<int_ptr, int_ptr> free_;  // offset -> size; neighbours are one piece
  std::map<int_ptr, int_ptr> used_;
};

}  // namespace OC
