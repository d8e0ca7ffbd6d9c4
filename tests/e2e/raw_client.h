// raw_client.h - clients that speak the node's protocol byte by byte, so that they can say what no
// library would.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "os/memory.h"
#include "os/process.h"
#include "os/socket.h"
#include "shm/heap/slab_layout.h"
#include "shm/pipe/pipe.h"
#include "shm/session/session.h"
#include "wire/messages.h"

namespace tarn::raw {

// A message as it came.
struct Packet {
  os::ReceiveOutcome outcome = os::ReceiveOutcome::ended;
  std::vector<std::byte> bytes;
  std::vector<os::UniqueFd> descriptors;

  bool ended() const { return outcome == os::ReceiveOutcome::ended; }
  wire::Header header() const {
    const auto header = wire::decode_header(bytes);
    return header ? *header : wire::Header{};
  }
  wire::MessageType type() const { return header().type; }
  template <class T>
  std::optional<T> as() const {
    const auto record = wire::decode<T>(bytes);
    return record ? std::optional<T>(*record) : std::nullopt;
  }
  // The code of an error; none when it is something else.
  Error::Code code() const {
    const auto error = as<wire::ErrorReply>();
    return error ? static_cast<Error::Code>(error->code) : Error::none;
  }
  Error error() const {
    const auto reply = as<wire::ErrorReply>();
    return reply ? wire::to_error(*reply) : Error(Error::none, "nothing", "", "");
  }
};

// One connection, and the session on it, if any.
class Client {
 public:
  explicit Client(const std::string& socket_path) : path_(socket_path) { reconnect(); }

  void reconnect() {
    // The worker may be between two lives; the keeper's socket takes us all the same.
    auto socket = os::connect_to(path_);
    if (socket) socket_ = std::move(*socket);
  }
  bool is_connected() const { return static_cast<bool>(socket_); }
  void disconnect() { socket_.reset(); }
  int socket() const { return socket_.get(); }

  os::SendOutcome send_bytes(std::span<const std::byte> bytes,
                             std::span<const int> descriptors = {}) {
    return os::send_message(socket_.get(), bytes, descriptors, true);
  }
  template <class T>
  os::SendOutcome send(const T& message, std::span<const int> descriptors = {}) {
    return send_bytes(wire::bytes_of(message), descriptors);
  }
  // The next message, notice or answer; waits for it.
  Packet receive() {
    std::vector<std::byte> buffer(wire::kMaxMessageBytes);
    auto received = os::receive_message(socket_.get(), buffer, true);
    buffer.resize(received.size_bytes);
    return {received.outcome, std::move(buffer), std::move(received.descriptors)};
  }
  // Asks until it is answered, coming back to each new worker: the node recognises what it carried
  // out before.
  template <class T>
  Packet insist(T message, std::span<const int> descriptors = {}) {
    for (;;) {
      Packet packet = ask(message, descriptors);
      if (!packet.ended()) return packet;
      if (!come_back()) return packet;
    }
  }
  // The answer to a request; notices that come before it are kept.
  template <class T>
  Packet ask(T message, std::span<const int> descriptors = {}) {
    message.header.request = ++last_request_;
    if (send(message, descriptors) == os::SendOutcome::no_descriptors) {
      // The door lets none through before it has looked at us.
      Packet heard = knock();
      if (heard.type() != wire::MessageType::done) return heard;
      send(message, descriptors);
    }
    return await_answer();
  }
  Packet await_answer() {
    for (;;) {
      Packet packet = receive();
      if (packet.ended() || packet.header().request != 0 || packet.code() != Error::none) {
        return packet;
      }
      notices.push_back(std::move(packet));
    }
  }
  template <class T>
  Packet ask() {
    return ask(wire::make<T>(0));
  }

  wire::Hello hello(std::uint32_t flags = 0) const {
    auto hello = wire::make<wire::Hello>(0);
    hello.magic = wire::kHelloMagic;
    hello.protocol_version = wire::kProtocolVersion;
    hello.byte_order = wire::kByteOrderMark;
    hello.layout_version = layout::kLayoutVersion;
    hello.flags = flags;
    wire::put_text(hello.name, "raw");
    return hello;
  }
  // A session of this process. Makes its segment on the first call.
  Packet begin_session(std::uint64_t quota_bytes = 0) {
    if (!record) {
      auto made = SessionRecord::create(*os::identify(os::own_pid()));
      record.emplace(std::move(*made));
    }
    auto wish = hello();
    wish.quota_bytes = quota_bytes;
    const int fd = record->fd();
    return keep(ask(wish, std::span(&fd, 1)));
  }
  // Says hello until somebody hears it.
  Packet insist_on_session() {
    for (;;) {
      Packet packet = begin_session();
      if (!packet.ended()) return packet;
      reconnect();
    }
  }
  Packet knock() {
    send(wire::make<wire::Knock>(0));
    return receive();
  }
  Packet observe() { return keep(ask(hello(wire::kHelloObserver))); }
  Packet resume() {
    auto wish = hello(wire::kHelloResume);
    wish.session_index = welcome.session_index;
    wish.session_generation = welcome.session_generation;
    wish.token = welcome.token;
    wish.node_id = welcome.node_id;
    return keep(ask(wish));
  }
  // Connects until the session is resumed; false when it is refused.
  bool come_back() {
    for (;;) {
      disconnect();
      reconnect();
      if (!is_connected()) continue;
      const Packet packet = resume();
      if (!packet.ended()) return packet.type() == wire::MessageType::welcome;
    }
  }

  Packet open_pipe(std::string_view name, std::int64_t capacity = 0,
                   wire::OpenMode mode = wire::OpenMode::open_or_create) {
    auto wish = wire::make<wire::PipeOpen>(0);
    wire::put_text(wish.name, name);
    wish.mode = mode;
    wish.has_capacity = capacity != 0 ? 1 : 0;
    wish.capacity = capacity;
    return ask(wish);
  }
  Packet leave_pipe(std::uint32_t id) {
    auto wish = wire::make<wire::PipeLeave>(0);
    wish.pipe_id = id;
    return ask(wish);
  }
  Packet remove_pipe(std::string_view name) {
    auto wish = wire::make<wire::PipeRemove>(0);
    wire::put_text(wish.name, name);
    return ask(wish);
  }
  std::vector<wire::PipeFacts> pipes() {
    std::vector<wire::PipeFacts> all;
    auto wish = wire::make<wire::PipeList>(0);
    for (;;) {
      const auto page = ask(wish).template as<wire::PipePage>();
      if (!page) return all;
      all.insert(all.end(), page->items.begin(), page->items.begin() + page->count);
      if (page->more == 0) return all;
      wish.after = all.back().id;
    }
  }
  std::vector<wire::SessionFacts> sessions() {
    std::vector<wire::SessionFacts> all;
    auto wish = wire::make<wire::SessionList>(0);
    for (;;) {
      const auto page = ask(wish).template as<wire::SessionPage>();
      if (!page) return all;
      all.insert(all.end(), page->items.begin(), page->items.begin() + page->count);
      if (page->more == 0) return all;
      wish.after = all.back().index;
    }
  }
  wire::StatusReply status() {
    const auto reply = ask<wire::StatusGet>().as<wire::StatusReply>();
    return reply ? *reply : wire::StatusReply{};
  }

  std::optional<SessionRecord> record;
  wire::Welcome welcome{};
  os::UniqueFd node_table;
  std::vector<Packet> notices;

 private:
  Packet keep(Packet packet) {
    if (const auto got = packet.as<wire::Welcome>()) {
      welcome = *got;
      if (!packet.descriptors.empty()) node_table = std::move(packet.descriptors[0]);
    }
    return packet;
  }

  std::string path_;
  os::UniqueFd socket_;
  std::uint64_t last_request_ = 0;
};

// A slab as a client makes one.
struct Slab {
  static constexpr std::uint64_t kChunkBytes = 4096;
  OwnedSegment owned;
  wire::SegmentAdd add{};

  explicit Slab(std::uint32_t chunks, std::uint64_t nonce = 0) {
    const std::uint64_t size = layout::kFirstChunkOffset + chunks * kChunkBytes;
    auto made = create_segment("test-slab", size, size, true);
    owned = std::move(*made);
    const auto header = owned.segment.at<layout::SlabHeader>(0);
    begin_format((*header)->segment, layout::SegmentKind::slab, size);
    (*header)->chunk_bytes = kChunkBytes;
    (*header)->chunk_count = chunks;
    finish_format((*header)->segment);
    add = wire::make<wire::SegmentAdd>(0);
    add.size_bytes = size;
    add.chunk_bytes = kChunkBytes;
    add.chunk_count = chunks;
    add.nonce = nonce;
  }
  Packet add_to(Client& client) const {
    const int fd = owned.fd.get();
    return client.ask(add, std::span(&fd, 1));
  }
};

// A pipe's control segment as a participant maps it.
struct MappedPipe {
  Segment segment;
  PipeView view;
  std::uint32_t id = 0;

  explicit MappedPipe(const Packet& opened) {
    const auto record = opened.as<wire::PipeOpened>();
    if (!record || opened.descriptors.empty()) return;
    id = record->pipe_id;
    auto mapped = map_foreign(opened.descriptors[0].get(), record->size_bytes, false, true);
    if (!mapped) return;
    segment = std::move(*mapped);
    const auto attached = PipeView::attach(segment);
    if (attached) view = *attached;
  }
  SlotPush push_text(std::uint32_t session, std::string_view text) {
    std::uint64_t position = 0;
    return view.push(static_cast<std::uint16_t>(session),
                     SlotPayload::copy_of(std::as_bytes(std::span(text))), position);
  }
  SlotPush push_chunk(std::uint32_t session, SegmentId segment_id, std::uint32_t chunk) {
    std::uint64_t position = 0;
    return view.push(static_cast<std::uint16_t>(session),
                     SlotPayload::reference_to({segment_id, chunk, 16}), position);
  }
};

}  // namespace tarn::raw
