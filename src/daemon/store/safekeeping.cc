#include "daemon/store/safekeeping.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "base/crash_point.h"
#include "base/log.h"

namespace tarn::daemon {
namespace {

constexpr int kBase = 36;
constexpr std::size_t kOwnDescriptors = 2;  // book and channel

// How many of a record's descriptors are kept.
constexpr std::size_t kept_of(RecordKind kind) noexcept {
  switch (kind) {
    case RecordKind::session:  // its pidfd can be opened anew
    case RecordKind::pipe:
    case RecordKind::segment:
    case RecordKind::board:
    case RecordKind::door:
      return 1;
    case RecordKind::client:
      return 2;
    default:
      return 0;
  }
}

// Where one of these is missing, the rest is no whole.
constexpr bool is_vital(RecordKind kind) noexcept {
  return kind == RecordKind::session || kind == RecordKind::pipe || kind == RecordKind::segment;
}

bool has_all(RecordKind kind, const KeptPair& kept) noexcept {
  return std::all_of(kept.begin(), kept.begin() + kept_of(kind),
                     [](const KeptAs& each) { return each.serial != 0; });
}

using KeptBySerial = std::map<std::uint64_t, os::UniqueFd>;

// The descriptors of one record; empty when one is missing, or leads elsewhere.
std::vector<os::UniqueFd> take_descriptors(RecordKind kind, const KeptPair& kept,
                                           KeptBySerial& from) {
  std::vector<os::UniqueFd> taken;
  for (std::size_t i = 0; i < kept_of(kind); ++i) {
    const auto found = from.find(kept[i].serial);
    if (found == from.end() || os::identify_object(found->second.get()) != kept[i].object) {
      return {};
    }
    taken.push_back(std::move(found->second));
    from.erase(found);
  }
  return taken;
}

}  // namespace

std::string name_of_serial(std::uint64_t serial) {
  std::array<char, 16> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), serial, kBase);
  return {digits.data(), end};
}

std::uint64_t serial_of_name(const std::string& name) {
  std::uint64_t serial = 0;
  std::from_chars(name.data(), name.data() + name.size(), serial, kBase);
  return name_of_serial(serial) == name ? serial : 0;
}

Result<Safekeeping, Error> Safekeeping::begin(const os::ServiceManager& service,
                                              const BookFacts& facts) {
  auto book = Book::create(facts);
  if (!book) return std::move(book).error();
  if (!service.keep(kBookName, book->fd())) {
    return Error(Error::os, "keep the node's descriptors", "the service manager takes none",
                 "look at FileDescriptorStoreMax= of the unit");
  }
  TARN_CRASH_POINT("keeper.safe.begun");
  return Safekeeping(service, std::move(*book));
}

Result<Safekeeping, Error> Safekeeping::resume(const os::ServiceManager& service, Book book,
                                               std::vector<os::KeptDescriptor> kept,
                                               RecordStore& store) {
  Safekeeping safe(service, std::move(book));
  KeptBySerial by_serial;
  for (os::KeptDescriptor& each : kept) {
    if (const auto serial = serial_of_name(each.name)) by_serial[serial] = std::move(each.fd);
  }
  std::vector<RecordKey> useless;
  const char* missing = nullptr;
  safe.book_.for_each([&](const RecordKey& key, const BookEntry& entry) {
    auto descriptors = take_descriptors(key.kind, entry.kept, by_serial);
    if (descriptors.size() != kept_of(key.kind)) {
      if (is_vital(key.kind)) missing = "a descriptor of a session, a pipe or a segment";
      useless.push_back(key);
      return;
    }
    safe.count(key.kind, entry.kept, 1);
    store.put(key, entry.bytes, std::move(descriptors));
  });
  if (missing != nullptr) {
    return Error(Error::corrupt, "take over what the last keeper left", missing,
                 "nothing: a new node begins");
  }
  for (const RecordKey& key : useless) safe.book_.drop(key);
  // Those of records that were never written, or are dropped.
  for (const auto& [serial, fd] : by_serial) service.forget(name_of_serial(serial));
  return safe;
}

void Safekeeping::count(RecordKind kind, const KeptPair& kept, int step) {
  for (const KeptAs& each : kept) {
    if (each.serial != 0) kept_ += static_cast<std::size_t>(step);
  }
  if (is_vital(kind) && !has_all(kind, kept)) unkept_ += static_cast<std::size_t>(step);
}

KeptAs Safekeeping::keep(int fd) {
  if (kept_ + kOwnDescriptors >= service_->keeps()) return {};
  KeptAs kept{book_.next_serial(), os::identify_object(fd)};
  if (!service_->keep(name_of_serial(kept.serial), fd)) return {};
  return kept;
}

// What leads to the same as before goes on under its former name: of two that are alike the manager
// keeps one.
KeptPair Safekeeping::keep_all(RecordKind kind, const KeptPair& before,
                               std::span<const os::UniqueFd> descriptors) {
  KeptPair kept;
  for (std::size_t i = 0; i < std::min(kept_of(kind), descriptors.size()); ++i) {
    const bool same =
        before[i].serial != 0 && before[i].object == os::identify_object(descriptors[i].get());
    kept[i] = same ? before[i] : keep(descriptors[i].get());
  }
  return kept;
}

void Safekeeping::forget(const KeptAs& kept) {
  if (kept.serial != 0) service_->forget(name_of_serial(kept.serial));
}

// Crash: [1] is for the next keeper to let go of while the book does not name it; [2] commits;
//        after it what [3] would have let go of is named by no record.
void Safekeeping::put(const RecordKey& key, std::span<const std::byte> bytes,
                      std::span<const os::UniqueFd> descriptors) {
  if (!book_ || key.kind == RecordKind::shepherd) return;
  const bool is_known = book_.has(key);
  const KeptPair before = book_.kept(key);
  const KeptPair kept =
      descriptors.empty() ? before : keep_all(key.kind, before, descriptors);  // [1]
  TARN_CRASH_POINT("keeper.safe.kept");
  if (!book_.put(key, bytes, kept)) {  // [2]
    log_error("the book of records is full: the node will not outlive its keeper");
    return close();
  }
  if (is_known) count(key.kind, before, -1);
  count(key.kind, kept, 1);
  if (unkept_ > 0) complain();
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (before[i].serial != kept[i].serial) forget(before[i]);  // [3]
  }
  TARN_CRASH_POINT("keeper.safe.put");
}

// Crash: [1] commits; what [2] would have let go of is named by no record then.
void Safekeeping::drop(const RecordKey& key) {
  if (!book_ || !book_.has(key)) return;
  const KeptPair kept = book_.kept(key);
  book_.drop(key);  // [1]
  TARN_CRASH_POINT("keeper.safe.dropped");
  count(key.kind, kept, -1);
  for (const KeptAs& each : kept) forget(each);  // [2]
}

void Safekeeping::keep_channel(int fd) {
  if (!book_ || service_->keep(kChannelName, fd)) return;
  log_error("the channel to the worker is not kept: the node will not outlive its keeper");
  close();
}

void Safekeeping::forget_channel() {
  if (book_) service_->forget(kChannelName);
}

void Safekeeping::close() noexcept {
  if (book_) book_.close();
}

void Safekeeping::complain() {
  if (std::exchange(complained_, true)) return;
  log_warning("the service manager keeps " + std::to_string(service_->keeps()) +
              " descriptors, and this node has more: until it has fewer, its sessions end with the "
              "keeper; raise FileDescriptorStoreMax= of the unit");
}

}  // namespace tarn::daemon
