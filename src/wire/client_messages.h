// client_messages.h - supervised clients: what a program asks its node about them.
//
// A supervised client is a command that the node starts, and starts again when it dies. What is run
// travels in a memfd (client_description.h); how it fares stands in its board (shm/board), which
// whoever asks gets to read. So the node answers at once, and nobody waits in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "wire/record.h"

namespace tarn::wire {

// Registers the client and starts it. Beside it: the description, sealed against writing, and the
// working directory. Answered by client_accepted, or exists while a client of that name is there
// and `replace` is 0.
struct ClientRun {
  static constexpr MessageType kType = MessageType::client_run;
  Header header;
  Name name;
  std::uint64_t nonce;    // asked again after a reconnect, the same client is found
  std::uint32_t replace;  // 1: end the one that has the name, then start this one
  std::uint32_t reserved;
};
static_assert(sizeof(ClientRun) == 96);

// The order is on its way. It has been carried out when the client's board says so:
// BoardFacts.order is at least `serial`.
struct ClientAccepted {
  static constexpr MessageType kType = MessageType::client_accepted;
  Header header;
  std::uint64_t serial;
  std::uint32_t client;  // id
  std::uint32_t reserved;
};

enum class ClientWish : std::uint32_t { stop = 1, restart = 2, remove = 3 };

// Answered by client_accepted; not_found; busy when a client that is to be removed has not ended
// and `force` is 0.
struct ClientOrder {
  static constexpr MessageType kType = MessageType::client_order;
  Header header;
  Name name;
  std::uint64_t nonce;
  ClientWish wish;
  std::uint32_t force;
};
static_assert(sizeof(ClientOrder) == 96);

// All clients in the order of their ids, a page at a time: those with an id above `after`.
struct ClientList {
  static constexpr MessageType kType = MessageType::client_list;
  Header header;
  std::uint32_t after;
  std::uint32_t reserved;
};

struct ClientFacts {
  Name name;
  std::array<char, 128> command;  // its words, cut to fit
  std::uint32_t id;
  std::uint32_t state;  // layout::ClientState
  std::int32_t pid;     // 0: it does not run
  std::int32_t shepherd_pid;
  std::uint32_t starts;
  std::uint32_t ends;
  std::int32_t exit_status;
  std::int32_t exit_signal;
  std::int32_t exec_error;
  std::uint32_t restart;        // RestartWhen
  std::uint64_t up_ns;          // since it was started, while it runs
  std::uint64_t next_start_ns;  // until it is started again, while it waits
  std::int64_t started_unix_ns;
  std::int64_t ended_unix_ns;
};
static_assert(sizeof(ClientFacts) == 264);

struct ClientPage {
  static constexpr MessageType kType = MessageType::client_page;
  Header header;
  std::uint32_t count;
  std::uint32_t more;  // 1: ask again, after the last id
  std::array<ClientFacts, 24> items;
};

// The client of that name.
struct ClientGet {
  static constexpr MessageType kType = MessageType::client_get;
  Header header;
  Name name;
};

// Beside it: the client's board for reading, when `has_board` is 1. A client that was registered a
// moment ago has none yet.
struct ClientGot {
  static constexpr MessageType kType = MessageType::client_got;
  Header header;
  std::uint32_t has_board;
  std::uint32_t reserved;
  std::uint64_t serial;  // of the newest order
  ClientFacts facts;
};

}  // namespace tarn::wire
