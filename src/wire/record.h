// record.h - one record of the local protocol: its header, and putting records into packets and
// taking them out again. What the records are: messages.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/result.h"

namespace tarn::wire {

inline constexpr std::size_t kMaxMessageBytes = 8192;

enum class MessageType : std::uint16_t {
  hello = 1,
  welcome = 2,
  error = 3,
  done = 4,  // the request was carried out; nothing to add
  knock = 5,
  pipe_open = 10,
  pipe_opened = 11,
  pipe_leave = 12,
  pipe_remove = 13,
  pipe_list = 14,
  pipe_page = 15,
  session_list = 16,
  session_page = 17,
  segment_reserve = 20,
  segment_add = 21,
  segment_added = 22,
  segment_remove = 23,
  segment_get = 24,
  segment_got = 25,
  segment_leave = 26,
  segment_carry = 27,
  viewers_get = 28,
  viewers = 29,
  session_get = 30,
  session_got = 31,
  pipe_get = 32,
  status = 40,
  status_reply = 41,
  shutdown = 42,
  goodbye = 43,
  notice_segment_gone = 50,
  notice_shutdown = 51,
  audit_list = 60,
  audit_sessions = 61,
  audit_pipes = 62,
  audit_slabs = 63,
  audit_links = 64,
  audit_get = 65,
  audit_repair = 66,
  audit_node = 67,
  audit_figures = 68,
  audit_repaired = 69,
  client_run = 70,  // supervision: client_messages.h
  client_accepted = 71,
  client_order = 72,
  client_list = 73,
  client_page = 74,
  client_get = 75,
  client_got = 76,
  audit_clients = 77,
  access_get = 80,
  access_page = 81,
  access_set = 82,
  access_quota_set = 83,
};

struct Header {
  MessageType type;
  std::uint16_t reserved;
  std::uint32_t size_bytes;  // of the whole record
  std::uint64_t request;     // chosen by the asker, repeated in the answer; 0 in notices
};
static_assert(sizeof(Header) == 16);

using Name = std::array<char, 64>;  // NUL-terminated, padded with NULs
using Token = std::array<std::uint8_t, 16>;

// A record ready to be filled: all zero but for its header.
template <class T>
T make(std::uint64_t request) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>);
  static_assert(sizeof(T) <= kMaxMessageBytes);
  T record;
  std::memset(static_cast<void*>(&record), 0, sizeof record);
  record.header.type = T::kType;
  record.header.size_bytes = sizeof(T);
  record.header.request = request;
  return record;
}

template <class T>
std::span<const std::byte> bytes_of(const T& record) noexcept {
  return std::as_bytes(std::span(&record, 1));
}

// The header of a packet from elsewhere; corrupt when it is too short or its size is not its own.
Result<Header> decode_header(std::span<const std::byte> packet) noexcept;

// The packet as a T, copied; corrupt when its type or size is another.
template <class T>
Result<T> decode(std::span<const std::byte> packet) noexcept {
  const auto header = decode_header(packet);
  if (!header || header->type != T::kType || packet.size() != sizeof(T)) return Error::corrupt;
  T record;
  std::memcpy(static_cast<void*>(&record), packet.data(), sizeof record);
  return record;
}

// Text into a fixed field, cut to fit, always NUL-terminated.
template <std::size_t N>
void put_text(std::array<char, N>& field, std::string_view text) noexcept {
  field.fill('\0');
  text.copy(field.data(), N - 1);
}

// Text from a fixed field that may lack its NUL. Borrowed.
template <std::size_t N>
std::string_view get_text(const std::array<char, N>& field) noexcept {
  return {field.data(), ::strnlen(field.data(), N)};
}

}  // namespace tarn::wire
