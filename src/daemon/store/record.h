// record.h - what the worker asks the keeper to remember, so that the next worker can go on.
//
// Lives in  the keeper's memory, and as one packet on the way from the worker; never in shared
//           memory. Both ends are the same program, so the bytes have no version.
// Writers   the worker alone; the keeper only stores.
// Readers   the next worker, which checks them: what wrote them may have crashed for a reason.
// Bounds    kMaxRecordBytes of metadata and two descriptors each.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

#include "wire/access_messages.h"
#include "wire/messages.h"

namespace tarn::daemon {

inline constexpr std::size_t kMaxRecordBytes = 512;
inline constexpr std::size_t kMaxRecordDescriptors = 2;

enum class RecordKind : std::uint32_t {
  counters = 1,       // key 0
  session = 2,        // key: index; descriptors: its segment, its pidfd
  pipe = 3,           // key: id; descriptor: its control segment
  segment = 4,        // key: index; descriptor: its memory
  opening = 5,        // key: session index, pipe id
  viewing = 6,        // key: session index, segment index
  carrying = 7,       // key: segment index, pipe id
  verdict = 8,        // key: what kind of object, its index or id
  client = 10,        // key: id; descriptors: its description, its working directory
  shepherd = 11,      // key: client id; descriptors: the socket to it, its pidfd
  board = 12,         // key: client id; descriptor: its segment
  access_rule = 13,   // key: a number of its own
  access_quota = 14,  // key: uid, or wire::kEveryUid
  door = 15,          // key 0; descriptor: the listening socket for other accounts
  recovery = 16,      // key 0
};

struct RecordKey {
  RecordKind kind{};
  std::uint64_t number = 0;
  auto operator<=>(const RecordKey&) const noexcept = default;
};

constexpr std::uint64_t pair_key(std::uint32_t first, std::uint32_t second) noexcept {
  return (std::uint64_t{first} << 32) | second;
}

// Numbers that are never given twice, whatever was dropped meanwhile.
struct StoredCounters {
  static constexpr RecordKind kKind = RecordKind::counters;
  std::uint32_t last_pipe_id;
  std::uint32_t last_session_generation;
  std::uint32_t last_segment_generation;
  std::uint32_t last_client_id;
  std::uint64_t last_opening;
  std::uint64_t recovered_sessions;
};

struct StoredSession {
  static constexpr RecordKind kKind = RecordKind::session;
  std::uint32_t index;
  std::uint32_t generation;
  std::int32_t pid;
  std::uint32_t uid;
  std::uint64_t start_ticks;
  std::uint64_t memory_identity;  // of its segment: a hello that is sent again brings the same
  std::uint64_t quota_bytes;
  std::int64_t began_ns;
  wire::Token token;
  wire::Name name;
};

// What sessions that left a pipe had done there.
struct StoredTotals {
  std::uint64_t pushed;
  std::uint64_t pushed_bytes;
  std::uint64_t push_waits;
  std::uint64_t copied_in;
  std::uint64_t popped;
  std::uint64_t popped_bytes;
  std::uint64_t pop_waits;
};

struct StoredPipe {
  static constexpr RecordKind kKind = RecordKind::pipe;
  std::uint32_t id;
  std::uint32_t slot_count;
  std::uint32_t delivery;
  std::uint32_t nameless;  // 1: removed; stays for those who have it open
  std::uint32_t uid;       // of who created it
  std::uint32_t shared;    // 1: other accounts may open it; what goes in is kept apart
  std::uint64_t nonce;     // of the create_only that made it
  StoredTotals retired;
  std::uint64_t retired_opening;  // the newest opening that `retired` counts
  wire::Name name;
};

struct StoredSegment {
  static constexpr RecordKind kKind = RecordKind::segment;
  std::uint32_t index;
  std::uint32_t generation;
  std::uint32_t owner;  // session index; 0: the owner is dead, somebody may still hold a chunk
  std::uint32_t chunk_count;
  std::uint32_t uid;       // of the session that made it, which may be gone
  std::uint32_t audience;  // a pipe's id: for its messages alone; 0: for any, of one account
  std::uint64_t size_bytes;
  std::uint64_t chunk_bytes;
  std::uint64_t nonce;
};

struct StoredOpening {
  static constexpr RecordKind kKind = RecordKind::opening;
  std::uint32_t session;
  std::uint32_t pipe;
  std::uint64_t serial;
};

struct StoredViewing {
  static constexpr RecordKind kKind = RecordKind::viewing;
  std::uint32_t session;
  std::uint32_t segment;
};

struct StoredCarrying {
  static constexpr RecordKind kKind = RecordKind::carrying;
  std::uint32_t segment;
  std::uint32_t pipe;
};

enum class ObjectKind : std::uint32_t { pipe = 1, session = 2 };

// Why a structure is left alone: it made no sense, or recovery crashed on it.
struct StoredVerdict {
  static constexpr RecordKind kKind = RecordKind::verdict;
  ObjectKind object;
  std::uint32_t id;  // a pipe's id, a session's index
  std::int64_t at_ns;
  std::array<char, 256> text;
};

// A supervised client, and what was ordered last.
struct StoredClient {
  static constexpr RecordKind kKind = RecordKind::client;
  std::uint32_t id;
  std::uint32_t order;    // OrderKind: run, stop, restart; end: it is being removed
  std::uint64_t serial;   // of the order
  std::uint64_t nonce;    // of the request that gave the order
  std::uint64_t edition;  // of the description: higher after it was replaced
  std::int64_t stop_ns;   // how long its command may take to end; the keeper waits so long, too
  wire::Name name;
};

struct StoredShepherd {
  static constexpr RecordKind kKind = RecordKind::shepherd;
  std::uint32_t client;
  std::int32_t pid;       // 0: it is about to be started, or has not said who it is
  std::uint64_t edition;  // of the description that it was given
};

struct StoredBoard {
  static constexpr RecordKind kKind = RecordKind::board;
  std::uint32_t client;
  std::uint32_t reserved;
};

// The program that resolves claims, so that the next worker can wait for its end: it may be in the
// middle of a pipe when the worker that started it dies.
struct StoredRecovery {
  static constexpr RecordKind kKind = RecordKind::recovery;
  std::int32_t pid;
  std::uint32_t reserved;
  std::uint64_t start_ticks;
};

inline RecordKey key_of(const StoredRecovery& r) noexcept { return {r.kKind, 0}; }
inline RecordKey key_of(const StoredClient& c) noexcept { return {c.kKind, c.id}; }
inline RecordKey key_of(const StoredShepherd& s) noexcept { return {s.kKind, s.client}; }
inline RecordKey key_of(const StoredBoard& b) noexcept { return {b.kKind, b.client}; }
struct StoredAccessRule {
  static constexpr RecordKind kKind = RecordKind::access_rule;
  std::uint32_t number;
  std::uint32_t reserved;
  wire::AccessRule rule;
};

struct StoredAccessQuota {
  static constexpr RecordKind kKind = RecordKind::access_quota;
  std::uint32_t uid;
  std::uint32_t reserved;
  wire::AccessQuota quota;
};

struct StoredDoor {
  static constexpr RecordKind kKind = RecordKind::door;
  std::uint32_t has_group;
  std::uint32_t group;
};

inline RecordKey key_of(const StoredAccessRule& r) noexcept { return {r.kKind, r.number}; }
inline RecordKey key_of(const StoredAccessQuota& q) noexcept { return {q.kKind, q.uid}; }
inline RecordKey key_of(const StoredDoor& d) noexcept { return {d.kKind, 0}; }
inline RecordKey key_of(const StoredCounters&) noexcept { return {RecordKind::counters, 0}; }
inline RecordKey key_of(const StoredSession& s) noexcept { return {s.kKind, s.index}; }
inline RecordKey key_of(const StoredPipe& p) noexcept { return {p.kKind, p.id}; }
inline RecordKey key_of(const StoredSegment& s) noexcept { return {s.kKind, s.index}; }
inline RecordKey key_of(const StoredOpening& o) noexcept {
  return {o.kKind, pair_key(o.session, o.pipe)};
}
inline RecordKey key_of(const StoredViewing& v) noexcept {
  return {v.kKind, pair_key(v.session, v.segment)};
}
inline RecordKey key_of(const StoredCarrying& c) noexcept {
  return {c.kKind, pair_key(c.segment, c.pipe)};
}

inline RecordKey key_of(const StoredVerdict& v) noexcept {
  return {v.kKind, pair_key(static_cast<std::uint32_t>(v.object), v.id)};
}

template <class T>
std::span<const std::byte> encode_record(const T& record) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= kMaxRecordBytes);
  static_assert(std::has_unique_object_representations_v<T>, "no hidden padding");
  return std::as_bytes(std::span(&record, 1));
}

// Nothing when the size is another record's, or the key is not its own.
template <class T>
std::optional<T> decode_record(const RecordKey& key, std::span<const std::byte> bytes) noexcept {
  if (key.kind != T::kKind || bytes.size() != sizeof(T)) return std::nullopt;
  T record;
  std::memcpy(&record, bytes.data(), sizeof record);
  if (key_of(record) != key) return std::nullopt;
  return record;
}

}  // namespace tarn::daemon
