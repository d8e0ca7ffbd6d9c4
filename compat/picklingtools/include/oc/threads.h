// threads.h - the small tools for threads that came with the originals.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "ocport.h"

namespace OC {

class Mutex {
 public:
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }
  bool tryLock() { return mutex_.try_lock(); }

 private:
  std::mutex mutex_;
};

// Locked from here to the end of the block.
class ProtectScope {
 public:
  explicit ProtectScope(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
  ~ProtectScope() { mutex_.unlock(); }
  ProtectScope(const ProtectScope&) = delete;
  ProtectScope& operator=(const ProtectScope&) = delete;

 private:
  Mutex& mutex_;
};

// A lock that its holder may take again.
class Synchronizer {
 public:
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  std::recursive_mutex mutex_;
};

class SynchronizerScope {
 public:
  explicit SynchronizerScope(Synchronizer& lock) : lock_(lock) { lock_.lock(); }
  ~SynchronizerScope() { lock_.unlock(); }
  SynchronizerScope(const SynchronizerScope&) = delete;
  SynchronizerScope& operator=(const SynchronizerScope&) = delete;

 private:
  Synchronizer& lock_;
};

// A thread with a name; joined at the end of its object unless it is detached.
class OCThread {
 public:
  explicit OCThread(const Str& name, bool detached = false, Allocator* = nullptr)
      : name_(name), is_detached_(detached) {}
  ~OCThread() { join(); }
  OCThread(const OCThread&) = delete;
  OCThread& operator=(const OCThread&) = delete;

  void start(void* (*main_loop)(void*), void* argument) {
    thread_ = std::thread([=] { main_loop(argument); });
    if (is_detached_) thread_.detach();
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  const Str& name() const { return name_; }

 private:
  Str name_;
  bool is_detached_;
  std::thread thread_;
};

// A ring of fixed capacity, or one that grows; not for several threads.
template <class T>
class CircularBuffer {
 public:
  explicit CircularBuffer(int length, bool infinite = false, Allocator* = nullptr)
      : slots_(length > 0 ? static_cast<size_t>(length) : 1), is_infinite_(infinite) {}

  // Throws runtime_error when it is full.
  void put(const T& element) {
    if (full()) throw runtime_error("Circular Buffer full");
    if (count_ == slots_.size()) grow();
    slots_[(first_ + count_++) % slots_.size()] = element;
  }
  // Throws runtime_error when it is empty.
  T get() {
    T element = peek();
    slots_[first_] = T();
    first_ = (first_ + 1) % slots_.size();
    --count_;
    return element;
  }
  const T& peek() const {
    if (empty()) throw runtime_error("Circular Buffer empty");
    return slots_[first_];
  }
  bool empty() const { return count_ == 0; }
  bool full() const { return !is_infinite_ && count_ == slots_.size(); }
  int_ptr entries() const { return static_cast<int_ptr>(count_); }
  int_ptr capacity() const { return static_cast<int_ptr>(slots_.size()); }
  bool infinite() const { return is_infinite_; }

 private:
  void grow() {
    std::vector<T> larger(2 * slots_.size());
    for (size_t i = 0; i < count_; ++i) larger[i] = slots_[(first_ + i) % slots_.size()];
    slots_.swap(larger);
    first_ = 0;
  }

  std::vector<T> slots_;
  size_t first_ = 0;
  size_t count_ = 0;
  bool is_infinite_;
};

}  // namespace OC
