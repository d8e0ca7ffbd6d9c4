#include "daemon/store/channel.h"

#include <array>
#include <cstring>
#include <utility>

#include "base/crash_point.h"
#include "os/socket.h"

namespace tarn::daemon {
namespace {

enum class Operation : std::uint32_t { put = 1, drop = 2, stop = 3, alive = 4 };

struct ChannelHeader {
  Operation operation;
  RecordKind kind;
  std::uint64_t number;
  std::uint32_t byte_count;        // of the metadata that follows
  std::uint32_t descriptor_count;  // that came along
};
static_assert(sizeof(ChannelHeader) == 24);

using Packet = std::array<std::byte, sizeof(ChannelHeader) + kMaxRecordBytes>;

void send(int socket, const ChannelHeader& header, std::span<const std::byte> bytes,
          std::span<const int> descriptors) {
  TARN_ASSERT(bytes.size() <= kMaxRecordBytes && descriptors.size() <= kMaxRecordDescriptors,
              bytes.size(), descriptors.size());
  Packet packet;
  std::memcpy(packet.data(), &header, sizeof header);
  if (!bytes.empty()) std::memcpy(packet.data() + sizeof header, bytes.data(), bytes.size());
  os::send_message(socket, std::span(packet).first(sizeof header + bytes.size()), descriptors,
                   true);
}

ChannelEvent apply(RecordStore& store, Safekeeping& safe, std::span<const std::byte> packet,
                   std::vector<os::UniqueFd> descriptors) {
  ChannelHeader header;
  if (packet.size() < sizeof header) return ChannelEvent::refused;
  std::memcpy(&header, packet.data(), sizeof header);
  const auto bytes = packet.subspan(sizeof header);
  if (header.byte_count != bytes.size() || header.descriptor_count != descriptors.size() ||
      descriptors.size() > kMaxRecordDescriptors) {
    return ChannelEvent::refused;
  }
  const RecordKey key{header.kind, header.number};
  switch (header.operation) {
    case Operation::put:
      safe.put(key, bytes, descriptors);
      store.put(key, bytes, std::move(descriptors));
      return ChannelEvent::applied;
    case Operation::drop:
      safe.drop(key);
      store.drop(key);
      return ChannelEvent::applied;
    case Operation::stop:
      safe.close();
      return ChannelEvent::stop;
    case Operation::alive:
      return ChannelEvent::alive;
  }
  return ChannelEvent::refused;
}

ChannelEvent take(RecordStore& store, Safekeeping& safe, std::span<const std::byte> packet,
                  os::Received received) {
  switch (received.outcome) {
    case os::ReceiveOutcome::would_block:
      return ChannelEvent::nothing;
    case os::ReceiveOutcome::ended:
      return ChannelEvent::ended;
    case os::ReceiveOutcome::too_long:
    case os::ReceiveOutcome::descriptors_dropped:
      return ChannelEvent::refused;
    case os::ReceiveOutcome::ok:
      break;
  }
  return apply(store, safe, packet.first(received.size_bytes), std::move(received.descriptors));
}

}  // namespace

void ChannelSender::put_bytes(const RecordKey& key, std::span<const std::byte> bytes,
                              std::span<const int> descriptors) {
  send(socket_,
       {Operation::put, key.kind, key.number, static_cast<std::uint32_t>(bytes.size()),
        static_cast<std::uint32_t>(descriptors.size())},
       bytes, descriptors);
}

void ChannelSender::drop_key(const RecordKey& key) {
  send(socket_, {Operation::drop, key.kind, key.number, 0, 0}, {}, {});
}

void ChannelSender::say_alive() { send(socket_, {Operation::alive, {}, 0, 0, 0}, {}, {}); }

void ChannelSender::stop() { send(socket_, {Operation::stop, {}, 0, 0, 0}, {}, {}); }

ChannelEvent receive_into(RecordStore& store, int socket, Safekeeping& safe) {
  Packet packet;
  if (!safe) return take(store, safe, packet, os::receive_message(socket, packet, false));
  const ChannelEvent event = take(store, safe, packet, os::peek_message(socket, packet));
  TARN_CRASH_POINT("keeper.channel.carried_out");
  if (event != ChannelEvent::nothing && event != ChannelEvent::ended) {
    os::receive_message(socket, packet, false);
  }
  return event;
}

}  // namespace tarn::daemon
