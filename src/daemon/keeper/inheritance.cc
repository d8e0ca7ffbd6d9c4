#include "daemon/keeper/inheritance.h"

#include <chrono>
#include <optional>
#include <utility>

#include "base/crash_point.h"
#include "base/log.h"
#include "daemon/store/channel.h"
#include "os/socket.h"

namespace tarn::daemon {
namespace {

using namespace std::chrono_literals;

// It was killed with its keeper.
constexpr auto kPatienceWithWorker = 10s;

Error no_heir(const char* why) {
  return Error(Error::corrupt, "go on with the last keeper's node", why,
               "nothing: a new node begins");
}

std::optional<os::UniqueFd> take_named(std::vector<os::KeptDescriptor>& kept, const char* name) {
  for (os::KeptDescriptor& each : kept) {
    if (each.name == name && each.fd) return std::move(each.fd);
  }
  return std::nullopt;
}

FullStatus check_book(Book& book, const BookFacts& ours) {
  const BookFacts facts = book.facts();
  if (facts.application != ours.application || facts.user != ours.user) {
    return no_heir("it was another domain's");
  }
  if (book.is_closed()) return no_heir("it has ended, or its book was full");
  if (!book.begin_keeper()) return no_heir("no worker served after several attempts");
  return Done{};
}

// What the last worker sent is durable, whoever takes it. Its end of the channel closes with it:
// from then on nobody writes the old table, and nobody is let in by it.
FullStatus take_the_rest(Inheritance& left, int channel) {
  const Deadline patience = Deadline::in(kPatienceWithWorker);
  for (;;) {
    switch (receive_into(left.store, channel, left.safe)) {
      case ChannelEvent::ended:
        return Done{};
      case ChannelEvent::stop:
        return no_heir("it was told to end");
      case ChannelEvent::nothing:
        if (os::wait_readable(channel, patience)) continue;
        return Error(Error::busy, "go on with the last keeper's node", "its worker does not end",
                     "look at what that process waits for");
      default:
        continue;
    }
  }
}

// They end with their keeper.
void forget_shepherds(RecordStore& store) {
  std::vector<RecordKey> shepherds;
  store.for_each(RecordKind::shepherd,
                 [&](const RecordKey& key, const StoredRecord&) { shepherds.push_back(key); });
  for (const RecordKey& key : shepherds) store.drop(key);
}

// Crash: whatever it did, the next keeper comes to the same end.
Result<Inheritance, Error> go_on(const os::ServiceManager& service,
                                 std::vector<os::KeptDescriptor> kept, const BookFacts& ours) {
  auto memory = take_named(kept, kBookName);
  if (!memory) return no_heir("it left no book");
  auto book = Book::attach(std::move(*memory));
  if (!book) return std::move(book).error();
  if (auto good = check_book(*book, ours); !good) return std::move(good).error();
  TARN_CRASH_POINT("keeper.inherit.begun");
  auto channel = take_named(kept, kChannelName);
  Inheritance left;
  auto safe = Safekeeping::resume(service, std::move(*book), std::move(kept), left.store);
  if (!safe) return std::move(safe).error();
  left.safe = std::move(*safe);
  TARN_CRASH_POINT("keeper.inherit.read");
  if (channel) {
    if (auto done = take_the_rest(left, channel->get()); !done) return std::move(done).error();
    TARN_CRASH_POINT("keeper.inherit.drained");
    left.safe.forget_channel();
  }
  forget_shepherds(left.store);
  left.goes_on = true;
  return left;
}

}  // namespace

Result<Inheritance, Error> inherit(os::ServiceManager& service, const BookFacts& anew) {
  std::vector<os::KeptDescriptor> kept = service.take_kept();
  if (service.keeps() == 0) return Inheritance{};
  std::vector<std::string> names;
  for (const os::KeptDescriptor& each : kept) names.push_back(each.name);
  if (!kept.empty()) {
    auto left = go_on(service, std::move(kept), anew);
    if (left || left.error().code() == Error::busy) return left;
    log_warning(left.error().what());
  }
  // The book goes last: while it is there, the next keeper comes to the same end.
  for (const std::string& name : names) {
    if (name != kBookName) service.forget(name);
  }
  service.forget(kBookName);
  TARN_CRASH_POINT("keeper.inherit.forgotten");
  Inheritance fresh;
  auto safe = Safekeeping::begin(service, anew);
  if (safe) fresh.safe = std::move(*safe);
  if (!safe) log_warning(safe.error().what());
  return fresh;
}

}  // namespace tarn::daemon
