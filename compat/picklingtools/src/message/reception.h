// reception.h - one received message and what stands beside it: a single piece of memory, so that a
// reception that nobody looks into costs no allocation, and one that is looked into hardly any.
#pragma once

#include <array>
#include <atomic>
#include <new>

#include "oc/templates.h"
#include "tarn/tarn.h"
#include "val/proxy_body.h"

namespace OC {
namespace detail {

// A message, as long as somebody reads in it. It does not move: small ones are read in here.
class Hold {
 public:
  // A reception's first two references are the Proxy's and the root's.
  explicit Hold(tarn::Message&& received) noexcept
      : message(std::move(received)),
        cells_left(static_cast<std::int64_t>(message.size() / kCellBytes)),
        // relaxed: it changes in a new process only, before anything else runs there.
        forks(fork_count.load(std::memory_order_relaxed)) {}

  // Throws runtime_error in a process that did not receive it.
  void check_process() const;
  bool is_of_this_process() const noexcept;
  // So many are about to be made. A message has no more than fit in its bytes, so that one which
  // goes round in circles ends here. Throws runtime_error.
  void spend(std::size_t cells);
  // They were not made after all, or may be made once more.
  void give_back(std::size_t cells) noexcept;

  static constexpr std::size_t kCellBytes = 16;
  const tarn::Message message;
  std::atomic<std::int64_t> cells_left;
  const unsigned forks;
  std::atomic<int> references{2};
};

// A part of a message. The hold outlives it.
class Source {
 public:
  Source(Hold* in, const tarn::ValueView& part, int how_deep) noexcept
      : hold(in), view(part), depth(how_deep) {}
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  Hold* const hold;
  const tarn::ValueView view;
  const int depth;  // 0: the whole message
  mutable std::atomic<int> references{1};
};

// The container that the whole message is.
union Root {
  Root() {}
  ~Root() {}
  Tab table;
  OTab ordered;
  Arr list;
  Tup tuple;
  Array<int_8> numbers;  // of any type: all are alike
};

class Reception : public Hold {
 public:
  static Reception* make(tarn::Message&& received);
  static void end(Reception* reception) noexcept;

  // They begin when the message turns out to be a container. The entries of a small table stand
  // here too: what refers to them refers to the root.
  union {
    Source source;
  };
  union {
    ProxyBody body;
  };
  Root root;
  static constexpr std::size_t kEntries = 4;
  static constexpr std::size_t kBeforeEntries = 5 * sizeof(void*);  // what the table notes of them
  alignas(Entry) std::byte entries[kBeforeEntries + kEntries * sizeof(Entry)];
  // Whether the caller gets them; once for each reception, whatever is copied.
  bool takes_entries() noexcept {
    // relaxed: who gets them writes there first.
    return !entries_taken_.exchange(true, std::memory_order_relaxed);
  }

 private:
  std::atomic<bool> entries_taken_{false};
  explicit Reception(tarn::Message&& received) noexcept : Hold(std::move(received)) {}
  ~Reception() {}
};

}  // namespace detail
}  // namespace OC
