#include "tools/bench/peers/peers.h"

#include <algorithm>
#include <array>

#include "tools/bench/flood.h"
#include "tools/bench/patterns/patterns.h"
#include "tools/bench/peers/byte_channel.h"
#include "tools/bench/peers/iceoryx.h"

namespace tarn::bench {
namespace {

constexpr std::size_t kSmallBytes = kInlineBytes;
// What tarn hands over by reference, a copying system copies twice.
constexpr std::array kTouchedSizes{std::size_t{4096}, std::size_t{64 * 1024}};

class ChannelEnd {
 public:
  ChannelEnd(ByteChannel& out, ByteChannel& in, std::size_t message_bytes)
      : out_(&out), in_(&in), buffer_(message_bytes) {}

  void send(std::uint64_t i) {
    write_payload(buffer_, i, Touch::all);
    out_->send(buffer_);
  }
  void receive(std::uint64_t i) {
    in_->receive(buffer_);
    check_payload(buffer_, buffer_.size(), i, Touch::all);
  }

 private:
  ByteChannel* out_;
  ByteChannel* in_;
  std::vector<std::byte> buffer_;
};

class ChannelFloodEnd {
 public:
  ChannelFloodEnd(ByteChannel& channel, std::size_t message_bytes)
      : channel_(&channel), buffer_(message_bytes) {}

  void send(std::uint64_t word) {
    write_number(buffer_, word);
    channel_->send(buffer_);
  }
  std::uint64_t receive() {
    channel_->receive(buffer_);
    return read_number(buffer_);
  }

 private:
  ByteChannel* channel_;
  std::vector<std::byte> buffer_;
};

void run_latency(Stage& stage, const Peer& peer, const Subject& subject, Waiting waiting) {
  if (!is_chosen(stage.settings(), subject.pattern)) return;
  const std::size_t size = subject.payload_bytes;
  if (size > peer.max_message_bytes()) {
    stage.report().note(peer.name() + " carries no messages of " + format_size(size) + " here");
    return;
  }
  measure_latency(stage, subject, [&](const PingPongPlan& plan) {
    const auto there = peer.make_channel(waiting, size);
    const auto back = peer.make_channel(waiting, size);
    return ping_pong(plan, [&](Side side) {
      return side == Side::ping ? ChannelEnd(*there, *back, size) : ChannelEnd(*back, *there, size);
    });
  });
}

void run_throughput(Stage& stage, const Peer& peer) {
  const Subject subject{.system = peer.name(),
                        .pattern = "one-to-one-blocking",
                        .payload_bytes = kSmallBytes,
                        .floor = Floor::one_line};
  if (!is_chosen(stage.settings(), subject.pattern)) return;
  measure_rate(stage, subject, [&](std::uint64_t messages) {
    const auto channel = peer.make_channel(Waiting::blocking, kSmallBytes);
    const auto make_end = [&] { return ChannelFloodEnd(*channel, kSmallBytes); };
    return flood(stage, {1, 1, messages + messages / 10, messages / 10}, make_end, make_end);
  });
}

void run_peer(Stage& stage, const Peer& peer) {
  const Subject polling{.system = peer.name(),
                        .pattern = "polling",
                        .payload_bytes = kSmallBytes,
                        .floor = Floor::one_line};
  run_latency(stage, peer, polling, Waiting::polling);
  for (const std::size_t size : kTouchedSizes) {
    const Subject touched{.system = peer.name(),
                          .pattern = "touched",
                          .payload_bytes = size,
                          .floor = Floor::two_lines,
                          .floor_payload_bytes = size};
    run_latency(stage, peer, touched, Waiting::polling);
  }
  const Subject blocking{.system = peer.name(),
                         .pattern = "blocking",
                         .payload_bytes = kSmallBytes,
                         .floor = Floor::futex};
  run_latency(stage, peer, blocking, Waiting::blocking);
  run_throughput(stage, peer);
}

}  // namespace

std::vector<std::unique_ptr<Peer>> byte_channel_peers() {
  std::vector<std::unique_ptr<Peer>> peers;
  peers.push_back(make_boost_mq_peer());
  peers.push_back(make_posix_mq_peer());
  peers.push_back(make_unix_seqpacket_peer());
  peers.push_back(make_unix_stream_peer());
  peers.push_back(make_pipe_peer());
  std::erase(peers, nullptr);
  return peers;
}

void run_peers(Stage& stage) {
  for (const auto& peer : byte_channel_peers()) {
    try {
      run_peer(stage, *peer);
    } catch (const BenchError& failure) {
      // One peer that cannot be had says nothing about the others.
      stage.report().note(peer->name() + " was not measured: " + failure.what());
    }
  }
  run_iceoryx(stage);
}

}  // namespace tarn::bench
