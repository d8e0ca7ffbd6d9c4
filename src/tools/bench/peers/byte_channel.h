// byte_channel.h - what the other systems have in common: one direction of messages that are copied
// in and copied out. Made by the coordinator and inherited by both processes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tools/bench/patterns/ends.h"

namespace tarn::bench {

class ByteChannel {
 public:
  ByteChannel() = default;
  virtual ~ByteChannel() = default;
  ByteChannel(const ByteChannel&) = delete;
  ByteChannel& operator=(const ByteChannel&) = delete;

  // Sends one message; waits while there is no room.
  virtual void send(std::span<const std::byte> message) = 0;
  // Receives one message of exactly this size; waits for it.
  virtual void receive(std::span<std::byte> message) = 0;
};

// One system that tarn is compared with.
class Peer {
 public:
  Peer() = default;
  virtual ~Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // The first column of its lines: "posix_mq".
  virtual std::string name() const = 0;
  // The largest message it can carry here.
  virtual std::size_t max_message_bytes() const = 0;
  // Throws BenchError when it cannot.
  virtual std::unique_ptr<ByteChannel> make_channel(Waiting waiting,
                                                    std::size_t message_bytes) const = 0;
};

// Every peer that this program was built with.
std::vector<std::unique_ptr<Peer>> byte_channel_peers();

// One function for each file of this folder.
std::unique_ptr<Peer> make_posix_mq_peer();
std::unique_ptr<Peer> make_unix_seqpacket_peer();
std::unique_ptr<Peer> make_unix_stream_peer();
std::unique_ptr<Peer> make_pipe_peer();
std::unique_ptr<Peer> make_boost_mq_peer();  // null when it was not there to build with

}  // namespace tarn::bench
