// messages.h - what a client and its node say to each other, byte by byte.
//
// Carried by a Unix SEQPACKET socket: one record a packet, little-endian, no hidden padding; a
// descriptor travels beside the record that announces it. Requests carry a number, and their
// answer carries it back; notices carry 0. The same page for readers: docs/formats/wire.md.
//
// The first 32 bytes of Hello never change, so that any two versions can refuse each other by name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "wire/record.h"

namespace tarn::wire {

inline constexpr std::uint32_t kHelloMagic = 0x4e52'4154;  // "TARN"
inline constexpr std::uint32_t kProtocolVersion = 2;
inline constexpr std::uint32_t kByteOrderMark = 0x0102'0304;

inline constexpr std::uint32_t kHelloObserver = 1;  // asks only; brings no segment, is no session
inline constexpr std::uint32_t kHelloResume = 2;    // was here before: index, generation, token

// Client -> node, first. Beside it: the session's segment (kSessionBytes, sealed), unless it is an
// observer or resumes.
struct Hello {
  static constexpr MessageType kType = MessageType::hello;
  Header header;
  std::uint32_t magic;
  std::uint32_t protocol_version;
  std::uint32_t byte_order;
  std::uint32_t layout_version;
  // --- all above is for ever ---
  std::uint32_t flags;
  std::uint32_t session_index;       // resume
  std::uint32_t session_generation;  // resume
  std::uint32_t reserved;
  Token token;  // resume
  std::uint64_t quota_bytes;
  std::uint64_t node_id;  // resume: of the node that gave the token
  Name name;
};
static_assert(offsetof(Hello, flags) == 32 && sizeof(Hello) == 144);

// Node -> client. Beside it: the node table (kNodeBytes), read-only, unless observer.
struct Welcome {
  static constexpr MessageType kType = MessageType::welcome;
  Header header;
  std::uint32_t session_index;  // 0 for observers
  std::uint32_t session_generation;
  Token token;
  std::uint64_t node_id;
  std::uint64_t limit_bytes;        // of the domain
  std::uint64_t max_message_bytes;  // no segment may be larger
};

// Node -> client: why not.
struct ErrorReply {
  static constexpr MessageType kType = MessageType::error;
  Header header;
  std::uint32_t code;  // Error::Code
  std::int32_t system_error;
  std::array<char, 128> attempted;
  std::array<char, 512> object;
  std::array<char, 512> cure;
};

struct DoneReply {
  static constexpr MessageType kType = MessageType::done;
  Header header;
};

// Client -> node, at the door, before a hello that brings a descriptor: the kernel lets none
// through until the node has looked at who comes. Answered by done, or by an error, which ends the
// visit.
struct Knock {
  static constexpr MessageType kType = MessageType::knock;
  Header header;
};

enum class OpenMode : std::uint32_t { open_or_create = 0, open_only = 1, create_only = 2 };

struct PipeOpen {
  static constexpr MessageType kType = MessageType::pipe_open;
  Header header;
  Name name;
  OpenMode mode;
  std::uint32_t has_capacity;
  std::int64_t capacity;  // checked by the node
  std::uint32_t has_delivery;
  std::uint32_t delivery;
  std::uint64_t nonce;  // create_only asked again after a reconnect is not `exists`
};

// Beside it: the control segment, to be mapped writable (pipe_opened answering pipe_open) or
// read-only (answering pipe_get).
struct PipeOpened {
  static constexpr MessageType kType = MessageType::pipe_opened;
  Header header;
  std::uint32_t pipe_id;
  std::uint32_t slot_count;
  std::uint32_t delivery;
  std::uint32_t created;
  std::uint64_t size_bytes;  // of the control segment
  std::uint32_t audience;    // the pipe's id when other accounts may open it, else 0
  std::uint32_t reserved;
};

// The session no longer has the pipe open.
struct PipeLeave {
  static constexpr MessageType kType = MessageType::pipe_leave;
  Header header;
  std::uint32_t pipe_id;
  std::uint32_t reserved;
};

struct PipeRemove {
  static constexpr MessageType kType = MessageType::pipe_remove;
  Header header;
  Name name;
};

// All pipes in the order of their ids, a page at a time: those with an id above `after`; or the
// one called `name`, when it is not empty.
struct PipeList {
  static constexpr MessageType kType = MessageType::pipe_list;
  Header header;
  std::uint32_t after;
  std::uint32_t reserved;
  Name name;
};

struct PipeFacts {
  Name name;
  std::uint32_t id;
  std::uint32_t delivery;
  std::uint32_t closed;
  std::uint32_t producers;
  std::uint32_t consumers;
  std::uint32_t sessions;
  std::int64_t capacity;
  std::int64_t depth;
  std::int64_t depth_high_water;
  std::uint64_t pushed;
  std::uint64_t popped;
  std::uint64_t pushed_bytes;
  std::uint64_t popped_bytes;
  std::uint64_t push_waits;
  std::uint64_t pop_waits;
  std::uint64_t skipped;
  std::uint64_t redelivered;
  std::uint64_t copied_in;
};
static_assert(sizeof(PipeFacts) == 184);

struct PipePage {
  static constexpr MessageType kType = MessageType::pipe_page;
  Header header;
  std::uint32_t count;
  std::uint32_t more;  // 1: ask again, after the last id
  std::array<PipeFacts, 32> items;
};

struct SessionList {
  static constexpr MessageType kType = MessageType::session_list;
  Header header;
  std::uint32_t after;  // sessions with an index above this
  std::uint32_t reserved;
};

struct SessionFacts {
  Name name;
  std::uint32_t index;
  std::uint32_t generation;
  std::int32_t pid;
  std::uint32_t uid;
  std::uint32_t connected;
  std::uint32_t segments;
  std::uint32_t pipes;
  std::uint32_t holds;
  std::uint64_t age_ns;
  std::uint64_t segment_bytes;
  std::uint64_t quota_bytes;
  std::uint64_t pushed;
  std::uint64_t popped;
  std::uint64_t reserved;
};
static_assert(sizeof(SessionFacts) == 144);

struct SessionPage {
  static constexpr MessageType kType = MessageType::session_page;
  Header header;
  std::uint32_t count;
  std::uint32_t more;
  std::array<SessionFacts, 32> items;
};

// May this session own so much more? Answered by done, or by an error that says which limit was hit
// and who holds how much. Counted against the limits until segment_add or 30 s have passed.
struct SegmentReserve {
  static constexpr MessageType kType = MessageType::segment_reserve;
  Header header;
  std::uint64_t size_bytes;
};

// A slab, made and sealed by the client. Beside it: its memfd.
struct SegmentAdd {
  static constexpr MessageType kType = MessageType::segment_add;
  Header header;
  std::uint64_t size_bytes;
  std::uint64_t chunk_bytes;
  std::uint32_t chunk_count;
  std::uint32_t audience;  // for messages of this pipe alone, which others may open; 0: for any
  std::uint64_t nonce;     // the same slab sent again after a reconnect is not added twice
};

struct SegmentAdded {
  static constexpr MessageType kType = MessageType::segment_added;
  Header header;
  std::uint32_t index;
  std::uint32_t generation;
};

// The owner has no chunk of it in use any more. Viewers are told to unmap it.
struct SegmentRemove {
  static constexpr MessageType kType = MessageType::segment_remove;
  Header header;
  std::uint32_t index;
  std::uint32_t generation;
};

// A consumer met a reference into this segment. From the answer on it is one of the owner's
// viewers. Beside the answer: the memfd, for reading.
struct SegmentGet {
  static constexpr MessageType kType = MessageType::segment_get;
  Header header;
  std::uint32_t index;
  std::uint32_t generation;
};

struct SegmentGot {
  static constexpr MessageType kType = MessageType::segment_got;
  Header header;
  std::uint64_t size_bytes;
  std::uint64_t chunk_bytes;
  std::uint32_t chunk_count;
  std::uint32_t owner_index;  // 0: its owner is dead
  std::uint32_t audience;     // as in SegmentAdd
  std::uint32_t reserved;
};

// The viewer unmapped it and has no row for it any more.
struct SegmentLeave {
  static constexpr MessageType kType = MessageType::segment_leave;
  Header header;
  std::uint32_t index;
  std::uint32_t generation;
};

// The session is about to push a chunk of a segment that it does not own, or that it pushed before,
// into this pipe: the owner has to look there too before it uses a chunk again.
struct SegmentCarry {
  static constexpr MessageType kType = MessageType::segment_carry;
  Header header;
  std::uint32_t index;
  std::uint32_t generation;
  std::uint32_t pipe_id;
  std::uint32_t reserved;
};

// An owner asks who may hold chunks of its slabs for one audience, and which pipes carry them by
// another's hand.
struct ViewersGet {
  static constexpr MessageType kType = MessageType::viewers_get;
  Header header;
  std::uint32_t audience;  // as in SegmentAdd
  std::uint32_t reserved;
  std::uint32_t after_viewer;   // sessions with an index above this
  std::uint32_t after_carrier;  // pipes with an id above this
};

struct ViewerFacts {
  std::uint32_t index;
  std::uint32_t generation;
};

struct Viewers {
  static constexpr MessageType kType = MessageType::viewers;
  Header header;
  std::uint64_t epoch;  // the list is complete up to this viewers_epoch
  std::uint32_t viewer_count;
  std::uint32_t carrier_count;
  std::uint32_t more;  // 1: ask again, after the last of each
  std::uint32_t reserved;
  std::array<ViewerFacts, 256> viewers;
  std::array<std::uint32_t, 256> carriers;  // pipe ids
};

// An owner asks for a viewer's session segment. Beside the answer: its memfd, for reading.
struct SessionGet {
  static constexpr MessageType kType = MessageType::session_get;
  Header header;
  std::uint32_t index;
  std::uint32_t generation;
};

struct SessionGot {
  static constexpr MessageType kType = MessageType::session_got;
  Header header;
};

// An owner asks for the control segment of a pipe that carries its chunks. Answered by pipe_opened,
// with a read-only descriptor.
struct PipeGet {
  static constexpr MessageType kType = MessageType::pipe_get;
  Header header;
  std::uint32_t pipe_id;
  std::uint32_t reserved;
};

struct StatusGet {
  static constexpr MessageType kType = MessageType::status;
  Header header;
};

// An object that is left alone, and why.
struct VerdictFacts {
  std::array<char, 96> object;  // "pipe 'spectra'"
  std::array<char, 256> text;
  std::uint64_t age_ns;
};

inline constexpr std::uint32_t kServiceNotified = 1;  // it is told of the node's state
inline constexpr std::uint32_t kServiceWatched =
    2;  // it restarts a node that gives no sign of life
inline constexpr std::uint32_t kServiceActivated = 4;  // it made the listening socket
inline constexpr std::uint32_t kServiceKeeps = 8;  // the node goes on when its keeper was killed

struct StatusReply {
  static constexpr MessageType kType = MessageType::status_reply;
  Header header;
  Name application;
  Name user;
  std::array<char, 128> directory;
  std::array<char, 32> version;
  std::int32_t keeper_pid;
  std::int32_t worker_pid;
  std::uint32_t worker_starts;
  std::uint32_t ends_when_idle;
  std::uint64_t age_ns;
  std::uint64_t limit_bytes;
  std::uint64_t used_bytes;
  std::uint32_t sessions;
  std::uint32_t pipes;
  std::uint32_t segments;
  std::uint32_t orphan_segments;
  std::uint64_t recovered_sessions;
  std::int32_t recover_pid;  // of the tarn-recover that stands by; 0 while it is being started
  std::uint32_t recover_starts;
  std::uint32_t quarantined;  // how many objects in all
  std::uint32_t verdict_count;
  std::array<VerdictFacts, 8> verdicts;  // the first of them
  std::uint32_t clients;                 // supervised
  std::uint32_t service;                 // kService...: how a service manager looks after the node
  std::uint64_t longest_stop_ns;         // how long the slowest of them may take to end
};

// Ends the node. Answered by done, or busy when sessions are attached and `force` is 0. The node
// ends after it has answered.
struct Shutdown {
  static constexpr MessageType kType = MessageType::shutdown;
  Header header;
  std::uint32_t force;
  std::uint32_t reserved;
};

// The session ends in order: nothing of its memory is in use by it any more.
struct Goodbye {
  static constexpr MessageType kType = MessageType::goodbye;
  Header header;
};

// Node -> viewer: the owner took the segment back; unmap it.
struct NoticeSegmentGone {
  static constexpr MessageType kType = MessageType::notice_segment_gone;
  Header header;
  std::uint32_t index;
  std::uint32_t generation;
};

struct NoticeShutdown {
  static constexpr MessageType kType = MessageType::notice_shutdown;
  Header header;
};

ErrorReply make_error(std::uint64_t request, const Error& error) noexcept;
Error to_error(const ErrorReply& reply);

}  // namespace tarn::wire
