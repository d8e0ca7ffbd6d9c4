// server_tags.h - what an event of the worker's poller is about, in 64 bits: the kind in the upper
// eight, then a connection's number, or a session's generation and index.
#pragma once

#include <cstdint>

#include "shm/segment/segment_layout.h"

namespace tarn::daemon {

enum class TagKind : std::uint8_t {
  listener = 1,
  keeper,
  signals,
  connection,
  process,           // of a session
  deaths,            // news of the death watch
  recovery,          // an answer of tarn-recover
  recovery_process,  // its end
  shepherd_control,
  shepherd_process,
  door,    // of other accounts
  mapped,  // what sessions that seem to die have mapped
};

using Tag = std::uint64_t;

constexpr Tag make_tag(TagKind kind, std::uint64_t number) noexcept {
  return (std::uint64_t{static_cast<std::uint8_t>(kind)} << 56) | number;
}
constexpr Tag make_tag(SessionId id) noexcept {
  return make_tag(TagKind::process, (std::uint64_t{id.generation} << 16) | id.index);
}
constexpr TagKind kind_of(Tag tag) noexcept { return static_cast<TagKind>(tag >> 56); }
constexpr std::uint64_t number_of(Tag tag) noexcept { return tag & ((Tag{1} << 56) - 1); }
constexpr SessionId session_of(Tag tag) noexcept {
  return {static_cast<std::uint32_t>(tag & 0xffff), static_cast<std::uint32_t>(tag >> 16)};
}
static_assert(layout::kMaxSessions <= 0x10000);

}  // namespace tarn::daemon
