// closer.h - closes descriptors that came from other accounts, in threads of their own.
//
// Closing can take as long as whoever made a descriptor likes: a socket that lingers, a file of a
// file system that is a program. Each account waits for its own: what one of them made slow to
// close keeps nobody else's, and never the caller.
//
// Thread safe. A thread that is in the middle of a close outlives this, and ends with the process.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "os/fd.h"

namespace tarn::os {

// Accounts that are closed for at the same time; the others wait for one of them.
inline constexpr std::size_t kMostClosingThreads = 64;
// Of these, so many are for accounts that have not made anybody wait of late.
inline constexpr std::size_t kClosingThreadsForTheQuick = 16;
// A close that takes longer is slow, and its account one that makes others wait, for so long.
inline constexpr auto kSlowClose = std::chrono::milliseconds(200);
inline constexpr auto kSlowFor = std::chrono::minutes(10);

class Closer {
 public:
  Closer();
  ~Closer();
  Closer(const Closer&) = delete;
  Closer& operator=(const Closer&) = delete;

  // Takes it, closes it as soon as can be, and returns at once.
  void close(std::uint32_t account, UniqueFd descriptor);
  void close(std::uint32_t account, std::vector<UniqueFd> descriptors);
  // Where something waits that no thread is at, though one could be: tries to have one. False when
  // there is none to be had now: to be asked again.
  bool serve();
  // Those that are not closed yet.
  std::size_t waiting() const noexcept;
  std::size_t waiting_of(std::uint32_t account) const noexcept;

 private:
  struct State;
  // Requires: the lock is held.
  bool start_thread(std::uint32_t account);
  static void work(const std::shared_ptr<State>& state, std::uint32_t account);

  std::shared_ptr<State> state_;
};

}  // namespace tarn::os
