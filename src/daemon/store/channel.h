// channel.h - one way from the worker to the keeper: put this record, drop that one, I serve, end
// the node.
//
// Carried by a SEQPACKET socket pair. A message is durable once it is sent: when the worker dies
// the keeper first takes everything that is still on the way, then starts the next worker.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "daemon/store/record.h"
#include "daemon/store/record_store.h"
#include "daemon/store/safekeeping.h"
#include "os/fd.h"

namespace tarn::daemon {

// Where the worker's registries send what must survive the worker.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual void put_bytes(const RecordKey& key, std::span<const std::byte> bytes,
                         std::span<const int> descriptors) = 0;
  virtual void drop_key(const RecordKey& key) = 0;
  // The worker serves, or still serves.
  virtual void say_alive() {}
  // The node shall end, in order: from here on no worker is replaced.
  virtual void stop() {}

  template <class T>
  void put(const T& record, std::span<const int> descriptors = {}) {
    put_bytes(key_of(record), encode_record(record), descriptors);
  }
  template <class T>
  void drop(const T& record) {
    drop_key(key_of(record));
  }
};

// The worker's end. A keeper that is gone is noticed by the worker's loop, not here.
class ChannelSender final : public RecordSink {
 public:
  // Borrows the socket.
  explicit ChannelSender(int socket) noexcept : socket_(socket) {}
  void put_bytes(const RecordKey& key, std::span<const std::byte> bytes,
                 std::span<const int> descriptors) override;
  void drop_key(const RecordKey& key) override;
  void say_alive() override;
  void stop() override;

 private:
  int socket_;
};

enum class ChannelEvent : std::uint8_t {
  nothing,  // no message waits
  applied,  // one was carried out
  stop,     // the worker asks for the node's end
  alive,    // the worker gives a sign of life
  refused,  // it made no sense, or came without its descriptors
  ended,    // the worker's end is closed
};
// Takes one message, if one waits, and carries it out on the store, and before that on `safe`. It
// stays in the channel until `safe` has it, if there is one.
// Crash: then it is taken once more. A put or a drop that is repeated changes nothing.
ChannelEvent receive_into(RecordStore& store, int socket, Safekeeping& safe);

}  // namespace tarn::daemon
