// safekeeping.h - what outlives the keeper: its records in a book, and their descriptors, both with
// the service manager. A keeper that has none is the same without it.
//
// Kept are the book, the keeper's end of the channel with all that a worker sent and nobody took
// yet, and a descriptor of each session, pipe and segment, client, board and door. What the kernel
// can find anew is not: processes. Shepherds are not: they end with the keeper.
//
// Crash     a record's descriptors are kept before the book names them, and let go of after it has
//           forgotten them: what no record names is let go of by the next keeper. A message of the
//           worker stays in the channel until the book has it: it may be carried out twice.
// Bounds    os::ServiceManager::keeps() descriptors. One session, pipe or segment beyond that, and
//           nobody can follow, until it is gone.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "daemon/store/book.h"
#include "daemon/store/record_store.h"
#include "os/run/service.h"

namespace tarn::daemon {

class Safekeeping {
 public:
  // None.
  Safekeeping() noexcept = default;
  // An empty one. Borrows `service`.
  static Result<Safekeeping, Error> begin(const os::ServiceManager& service,
                                          const BookFacts& facts);
  // Takes over a book, and into `store` its records with the descriptors of theirs that are among
  // `kept`; those that no record names are let go of. corrupt when a session, a pipe or a segment
  // lacks one: without it the others would not fit together.
  static Result<Safekeeping, Error> resume(const os::ServiceManager& service, Book book,
                                           std::vector<os::KeptDescriptor> kept,
                                           RecordStore& store);

  explicit operator bool() const noexcept { return static_cast<bool>(book_); }
  Book& book() noexcept { return book_; }

  // Before the store gets the record: `descriptors` are those that came with it; without any it
  // keeps those that it has.
  void put(const RecordKey& key, std::span<const std::byte> bytes,
           std::span<const os::UniqueFd> descriptors);
  void drop(const RecordKey& key);
  // The keeper's end of the channel, from before the worker is started until it has ended.
  void keep_channel(int fd);
  void forget_channel();
  // Nobody shall follow. Harmless where there is nothing.
  void close() noexcept;
  // Sessions, pipes and segments that are not kept: while there are any, nobody can follow.
  std::size_t unkept() const noexcept { return unkept_; }
  std::size_t kept() const noexcept { return kept_; }

 private:
  Safekeeping(const os::ServiceManager& service, Book book) noexcept
      : service_(&service), book_(std::move(book)) {}
  KeptAs keep(int fd);
  KeptPair keep_all(RecordKind kind, const KeptPair& before,
                    std::span<const os::UniqueFd> descriptors);
  void forget(const KeptAs& kept);
  void count(RecordKind kind, const KeptPair& kept, int step);
  void complain();

  const os::ServiceManager* service_ = nullptr;
  Book book_;
  std::size_t kept_ = 0;
  std::size_t unkept_ = 0;
  bool complained_ = false;
};

inline constexpr const char* kBookName = "BOOK";
inline constexpr const char* kChannelName = "CHANNEL";
// The name under which the descriptor of that serial number is kept, and back; 0: it is none.
std::string name_of_serial(std::uint64_t serial);
std::uint64_t serial_of_name(const std::string& name);

}  // namespace tarn::daemon
