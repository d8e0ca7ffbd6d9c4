// processes.h - a figure is measured by processes: how they are made, pinned, lined up and ended.
//
// The coordinator forks its children before any of them connects to a node, so every child has a
// session of its own, and the coordinator itself stays a process of one thread. No child outlives
// the coordinator, however that ends.
#pragma once

#include <sys/mman.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace tarn::bench {

// A figure could not be had: says what was tried and why it failed.
class BenchError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Somebody pressed Ctrl-C, or asked the coordinator to end.
class Interrupted : public std::exception {
 public:
  explicit Interrupted(int signal_number) noexcept : signal_number_(signal_number) {}
  int signal_number() const noexcept { return signal_number_; }
  const char* what() const noexcept override { return "interrupted"; }

 private:
  int signal_number_;
};

// While one exists, SIGINT, SIGTERM and SIGHUP only make run_children() throw Interrupted, so that
// everything is put away in order; SIGPIPE is ignored for the same reason. At most one at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  // The newest signal that arrived, or 0.
  static int raised() noexcept;
  static void throw_if_raised() {
    if (const int signal_number = raised()) throw Interrupted(signal_number);
  }

 private:
  struct Saved;
  std::unique_ptr<Saved> saved_;
};

// Anonymous memory that children forked later share with the coordinator. Mapped and touched.
class SharedPages {
 public:
  explicit SharedPages(std::size_t size_bytes);  // throws BenchError
  ~SharedPages() { ::munmap(base_, size_bytes_); }
  SharedPages(const SharedPages&) = delete;
  SharedPages& operator=(const SharedPages&) = delete;

  std::byte* data() const noexcept { return static_cast<std::byte*>(base_); }
  std::size_t size() const noexcept { return size_bytes_; }

 private:
  void* base_;
  std::size_t size_bytes_;
};

// One T in such memory, value-initialised. T must need no destruction.
template <class T>
class Shared {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  Shared() : pages_(sizeof(T)), object_(new (pages_.data()) T{}) {}
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }

 private:
  SharedPages pages_;
  T* object_;
};

// Where processes wait for each other, any number of times.
class StartLine {
 public:
  // Returns when `parties` processes have arrived, counting this one.
  void arrive(std::uint32_t parties) noexcept;

 private:
  std::atomic<std::uint32_t> arrived_{0};
};

struct Child {
  int cpu = 0;
  std::function<void()> body;
};

// Runs each body in a process of its own, pinned to its CPU, and returns when all have ended well.
// When one throws, dies or ends elsewhere than on its CPU, or `patience` is over, the others are
// killed and BenchError says what happened. Throws Interrupted after a Ctrl-C.
void run_children(const std::vector<Child>& children,
                  std::chrono::seconds patience = std::chrono::seconds(120));

// A program started for a while; ended with SIGTERM, then SIGKILL, at the latest on destruction.
class Program {
 public:
  // `output` is a descriptor for its standard output and error; -1 means none. Throws BenchError
  // when the program cannot be started.
  Program(const std::vector<std::string>& arguments, int output, int error_output);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const noexcept { return pid_; }
  bool is_running() noexcept;
  // Waits for its end; returns its wait status.
  int wait();
  void stop() noexcept;

 private:
  pid_t pid_ = -1;
  int status_ = 0;
};

}  // namespace tarn::bench
