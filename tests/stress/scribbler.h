// scribbler.h - a client that has real descriptors and writes garbage into everything that it may
// write: its session's and slabs' segments, the control segment of a pipe, and the socket.
#pragma once

#include <fcntl.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "tarn/value.h"
#include "testing/pattern.h"
#include "tests/e2e/raw_client.h"

namespace tarn::scribble {

class Scribbler {
 public:
  static constexpr std::int64_t kSlots = 16;
  static constexpr std::uint32_t kSlabChunks = 8;

  Scribbler(const std::string& socket, std::string pipe, std::uint64_t seed)
      : client_(socket),
        pipe_name_(std::move(pipe)),
        chance_(seed),
        slab_(kSlabChunks, seed),
        value_slab_(kSlabChunks, ~seed) {}

  // A session whose segment is ours to write, the pipe, and a slab. False when it was refused.
  bool begin() {
    if (!client_.is_connected()) return false;
    auto made = create_segment("scribbler", layout::kSessionBytes, kSessionPages, true);
    if (!made) return false;
    session_ = std::move(*made);
    auto* header = reinterpret_cast<layout::SessionHeader*>(session_.segment.base());
    begin_format(header->segment, layout::SegmentKind::session, layout::kSessionBytes);
    const auto self = os::identify(os::own_pid());
    header->pid = self->pid;
    header->start_ticks = self->start_ticks;
    finish_format(header->segment);
    const int fd = session_.fd.get();
    const auto packet = client_.ask(client_.hello(), std::span(&fd, 1));
    if (const auto welcome = packet.as<wire::Welcome>()) index_ = welcome->session_index;
    if (index_ == 0) return false;
    // Half of the time the slab's header is nonsense before anybody saw it.
    if (chance_.below(2) == 0) spoil(slab_.owned.segment.base(), sizeof(layout::SlabHeader));
    if (const auto added = slab_.add_to(client_).as<wire::SegmentAdded>()) {
      slab_id_ = {added->index, added->generation};
    }
    if (const auto added = value_slab_.add_to(client_).as<wire::SegmentAdded>()) {
      value_slab_id_ = {added->index, added->generation};
    }
    const auto opened = client_.open_pipe(pipe_name_, kSlots);
    if (opened.as<wire::PipeOpened>()) pipe_.emplace(opened);
    if (pipe_ && !opened.descriptors.empty()) {
      pipe_fd_ = os::UniqueFd(::fcntl(opened.descriptors[0].get(), F_DUPFD_CLOEXEC, 3));
    }
    return true;
  }

  bool has_pipe() const { return pipe_ && pipe_->view; }

  // A value, spoilt while others read it; in a pipe that nobody has spoilt yet.
  void act_on_values() {
    push_value();
    spoil_value();
  }
  // One piece of garbage.
  void act() {
    switch (chance_.below(16)) {
      case 8:
      case 9:
      case 10:
      case 11:
        return push_value();
      case 12:
      case 13:
        return spoil_value();
      case 0:
      case 1:
        return scribble_slots();
      case 2:
        return scribble_pipe_header();
      case 3:
        return scribble_session();
      case 4:
        return spoil(slab_.owned.segment.base(), layout::kFirstChunkOffset);
      case 5:
        return push_nonsense();
      default:
        return send_nonsense();
    }
  }

 private:
  static constexpr std::uint64_t kSessionPages = std::uint64_t{1} << 20;

  // A word that is likely to be taken for something: near a real one, or far out of range.
  std::uint64_t bad_word(std::uint64_t seen) {
    switch (chance_.below(7)) {
      case 0:
        return seen ^ (std::uint64_t{1} << chance_.below(64));
      case 1:
        return seen + chance_.below(5) - 2;
      case 2:
        return chance_.next();
      case 3:  // a slot's word some laps on, in any phase, of any session
        return SlotWord((seen >> 24) + chance_.below(4), phase(), claimant()).bits();
      case 4:  // far ahead, about the sign of the distance between laps
        return (seen & 0xff'ffff) | ((std::uint64_t{1} << (24 + chance_.below(40))));
      case 5:
        return SegmentId{static_cast<std::uint32_t>(chance_.below(64)),
                         static_cast<std::uint32_t>(chance_.below(64))}
            .packed();
      default:
        return chance_.below(2) == 0 ? 0 : ~std::uint64_t{0};
    }
  }
  layout::SlotPhase phase() { return static_cast<layout::SlotPhase>(chance_.below(8)); }
  std::uint16_t claimant() {
    return static_cast<std::uint16_t>(chance_.below(2) == 0 ? index_ : chance_.below(16));
  }
  // A word somewhere in these bytes. Atomic, since others read it.
  void spoil(std::byte* base, std::uint64_t size_bytes) {
    auto* words = reinterpret_cast<std::atomic<std::uint64_t>*>(base);
    auto& word = words[chance_.below(size_bytes / sizeof(std::uint64_t))];
    word.store(bad_word(word.load()));
  }

  void scribble_slots() {
    if (!pipe_) return;
    std::byte* slots = pipe_->segment.base() + layout::kSlotsOffset;
    auto* slot = slots + chance_.below(kSlots) * sizeof(layout::Slot);
    // The word itself as often as all that stands beside it.
    if (chance_.below(2) == 0) return spoil(slot, sizeof(std::uint64_t));
    spoil(slot, sizeof(layout::Slot));
  }
  void scribble_pipe_header() {
    if (!pipe_) return;
    // Mostly the hints and bells; sometimes what attach() looks at, and `closed`.
    std::byte* base = pipe_->segment.base();
    if (chance_.below(64) == 0) return spoil(base, sizeof(layout::PipeHeader));
    spoil(base + kCacheLine, sizeof(layout::PipeHeader) - kCacheLine);
  }
  void scribble_session() {
    std::byte* base = session_.segment.base();
    switch (chance_.below(5)) {
      case 0:
        return spoil(base, sizeof(layout::SessionHeader));
      case 4: {  // the life word: plays dead, and wakes whoever watches
        auto& life = reinterpret_cast<layout::SessionHeader*>(base)->life;
        life = chance_.below(2) == 0 ? os::kOwnerDied : static_cast<std::uint32_t>(chance_.next());
        os::futex_wake(life, 1);
        return;
      }
      case 1:  // the first rows
        return spoil(base + layout::kRowTableOffset, 8 * sizeof(layout::RowEntry));
      case 2:  // the first ends
        return spoil(base + layout::kEndTableOffset, 8 * sizeof(layout::EndEntry));
      default:
        return spoil(base, kSessionPages);
    }
  }
  // A reference to anything, in the proper way.
  void push_nonsense() {
    if (!pipe_ || !pipe_->view) return;
    const SegmentId any{static_cast<std::uint32_t>(chance_.below(64)),
                        static_cast<std::uint32_t>(chance_.below(64))};
    const auto chunk =
        static_cast<std::uint32_t>(chance_.below(2) == 0 ? chance_.below(8) : chance_.next());
    std::uint64_t position = 0;
    const std::uint64_t size = chance_.below(2) == 0 ? chance_.below(5000) : chance_.next();
    pipe_->view.push(
        static_cast<std::uint16_t>(index_),
        SlotPayload::reference_to({chance_.below(2) == 0 ? slab_id_ : any, chunk, size}), position);
  }

  // A value as a producer would build it, in a slab whose header stays whole.
  void push_value() {
    if (!pipe_ || !pipe_->view || value_slab_id_.index == 0) return;
    value_chunk_ = static_cast<std::uint32_t>(chance_.below(kSlabChunks));
    const std::span<const std::byte> bytes = value_.bytes();
    std::memcpy(value_base(), bytes.data(), bytes.size());
    std::uint64_t position = 0;
    pipe_->view.push(static_cast<std::uint16_t>(index_),
                     SlotPayload::reference_to({value_slab_id_, value_chunk_, bytes.size()}),
                     position);
  }
  // While others read it.
  void spoil_value() {
    for (int i = 0; i < 8; ++i) spoil(value_base(), value_.bytes().size());
  }
  std::byte* value_base() {
    return value_slab_.owned.segment.base() + layout::kFirstChunkOffset +
           value_chunk_ * raw::Slab::kChunkBytes;
  }
  static Value some_value() {
    Value value;
    value["name"] = "a value";
    for (int i = 0; i < 20; ++i) value["table"].entry_of_number(i) = i * 0.5;
    value["list"].append("text");
    value["list"].append().make_table();
    value["list"][1]["deep"].append(true);
    const std::span<float> array = value["array"].array<float>({4, 8});
    std::ranges::fill(array, 1.0f);
    return value;
  }

  // A packet of any type but the one that may end the node, with any length and descriptors.
  void send_nonsense() {
    std::vector<std::byte> packet(chance_.below(4) == 0 ? chance_.below(wire::kMaxMessageBytes)
                                                        : 16 + 8 * chance_.below(24));
    for (std::byte& byte : packet) {
      byte = chance_.below(2) == 0 ? std::byte{0} : static_cast<std::byte>(chance_.next());
    }
    if (packet.size() >= sizeof(wire::Header)) {
      wire::Header header{};
      auto type = static_cast<wire::MessageType>(chance_.below(96));
      if (type == wire::MessageType::shutdown) type = wire::MessageType::segment_get;
      header.type = type;
      header.size_bytes = static_cast<decltype(header.size_bytes)>(
          chance_.below(8) == 0 ? chance_.next() : packet.size());
      header.request = chance_.next();
      std::memcpy(packet.data(), &header, sizeof header);
    }
    const os::UniqueFd event(::eventfd(0, EFD_CLOEXEC));
    const std::array<int, 4> any{slab_.owned.fd.get(), session_.fd.get(),
                                 pipe_fd_ ? pipe_fd_.get() : event.get(), event.get()};
    const std::size_t count = chance_.below(3) == 0 ? 1 + chance_.below(4) : 0;
    os::send_message(client_.socket(), packet, std::span(any).first(count), false);
    drain_answers();
  }
  // Mostly; sometimes it does not read what it is sent.
  void drain_answers() {
    if (chance_.below(8) == 0) return;
    std::array<std::byte, wire::kMaxMessageBytes> buffer{};
    for (int i = 0; i < 8; ++i) {
      const auto got = os::receive_message(client_.socket(), buffer, false);
      if (got.outcome == os::ReceiveOutcome::ended) return client_.reconnect();
      if (got.outcome == os::ReceiveOutcome::would_block) return;
    }
  }

  raw::Client client_;
  std::string pipe_name_;
  testkit::Chance chance_;
  raw::Slab slab_;
  OwnedSegment session_;
  SegmentId slab_id_;
  std::uint32_t index_ = 0;
  std::optional<raw::MappedPipe> pipe_;
  os::UniqueFd pipe_fd_;
  raw::Slab value_slab_;
  SegmentId value_slab_id_;
  const Value value_ = some_value();
  std::uint32_t value_chunk_ = 0;
};

}  // namespace tarn::scribble
