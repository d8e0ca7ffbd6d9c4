// kill_roles.h - those who get killed: producers, relays and consumers that keep the ledger.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <deque>
#include <map>
#include <string>

#include "tarn/tarn.h"
#include "testing/pattern.h"
#include "testing/process_fixture.h"
#include "tests/stress/kill_board.h"
#include "tests/stress/kill_payloads.h"

namespace tarn::kill {

inline constexpr std::size_t kMostHeld = 4;

inline std::filesystem::path board_in(const testkit::Arguments& arguments) {
  return std::filesystem::path(arguments.at(0)) / "board";
}

// What an Error or a status says that nobody should meet.
inline int report(SharedBoard& board, const char* who, const std::string& what) {
  board->fail("%s %d: %s\n", who, ::getpid(), what.c_str());
  return 1;
}

inline std::string explain(const Session& session, std::string_view status) {
  const auto refusal = session.last_refusal();
  return std::string(status) + (refusal ? std::string(": ") + refusal->what() : "");
}

// Arguments: folder, pipe, number of its life, seed.
inline int produce(const testkit::Arguments& arguments) {
  SharedBoard board(board_in(arguments));
  Head head{static_cast<std::uint32_t>(std::stoul(arguments.at(2))), 0};
  Life& life = board->lives[head.life];
  testkit::Chance chance(std::stoull(arguments.at(3)));
  try {
    Session session = connect({.name = "producer"});
    Pipe pipe = session.pipe(arguments.at(1));
    for (; head.number < kMostMessages && board->producers_stop == 0; ++head.number) {
      life.intended = head.number + 1;
      const PushStatus status = send_payload(session, pipe, head, chance);
      if (status != PushStatus::ok) {
        return report(board, "producer", explain(session, name_of(status)));
      }
      life.committed = head.number + 1;
      ++board->sent;
    }
  } catch (const Error& error) {
    return report(board, "producer", error.what());
  }
  return 0;
}

// Arguments: folder, pipe, seed, next pipe.
inline int relay(const testkit::Arguments& arguments) {
  SharedBoard board(board_in(arguments));
  testkit::Chance chance(std::stoull(arguments.at(2)));
  try {
    Session session = connect({.name = "relay"});
    Pipe in = session.pipe(arguments.at(1));
    Pipe out = session.pipe(arguments.at(3));
    for (;;) {
      Popped popped = in.pop();
      if (popped.status == PopStatus::closed) return 0;
      if (!popped) return report(board, "relay", explain(session, name_of(popped.status)));
      const PushStatus status = pass_on(session, out, std::move(popped.message), chance);
      if (status != PushStatus::ok) {
        return report(board, "relay", explain(session, name_of(status)));
      }
    }
  } catch (const Error& error) {
    return report(board, "relay", error.what());
  }
}

// Checks each message against the ledger, and notes it there.
class Clerk {
 public:
  Clerk(SharedBoard& board, bool in_order) : board_(board), in_order_(in_order) {}

  void note_arrival(const Message& message) {
    const Head head = head_of(message);
    if (!is_whole(message)) {
      board_->fail("torn: %zu bytes at position %lu\n", message.size(), message.position());
      return;
    }
    const std::uint8_t bit = message.redelivered() ? kRedelivered : kDelivered;
    const std::uint8_t before = board_->lives[head.life].messages[head.number].fetch_or(bit);
    if ((before & kDelivered) != 0 && !message.redelivered()) {
      board_->fail("twice: %u of life %u, unmarked\n", head.number, head.life);
    }
    if ((before & kAcknowledged) != 0) {
      board_->fail("again after it was acknowledged: %u of life %u\n", head.number, head.life);
    }
    if (message.redelivered()) ++board_->redeliveries;
    check_order(head);
    if (const auto value = message.try_value()) {
      ++board_->values;
      if (value->contains("hops")) ++board_->edited;
    }
    ++board_->arrived;
  }
  void note_acknowledged(const Head& head) {
    board_->lives[head.life].messages[head.number].fetch_or(kAcknowledged);
  }

 private:
  void check_order(const Head& head) {
    std::uint32_t& next = next_[head.life];
    if (in_order_ && head.number < next) {
      board_->fail("out of order: %u of life %u after %u\n", head.number, head.life, next - 1);
    }
    next = std::max(next, head.number + 1);
  }
  SharedBoard& board_;
  const bool in_order_;
  std::map<std::uint32_t, std::uint32_t> next_;
};

// Arguments: folder, pipe, seed, "in_order" or "".
inline int consume(const testkit::Arguments& arguments) {
  SharedBoard board(board_in(arguments));
  testkit::Chance chance(std::stoull(arguments.at(2)));
  Clerk clerk(board, arguments.at(3) == "in_order");
  try {
    Session session = connect({.name = "consumer"});
    Pipe pipe = session.pipe(arguments.at(1));
    std::deque<Message> held;
    const auto finish_one = [&] {
      Message& message = held.front();
      if (!is_whole(message)) board->fail("overwritten while it was held\n");
      // Some are given back instead: at-least-once pipes deliver them again, marked.
      if (chance.below(10) != 0) {
        const Head head = head_of(message);
        message.acknowledge();
        clerk.note_acknowledged(head);
      }
      held.pop_front();
    };
    for (;;) {
      Popped popped = held.empty() ? pipe.pop() : pipe.try_pop();
      if (popped.status == PopStatus::closed) break;
      if (popped) {
        clerk.note_arrival(*popped);
        held.push_back(std::move(*popped));
        while (held.size() > chance.below(kMostHeld)) finish_one();
      } else if (popped.status == PopStatus::empty) {
        while (!held.empty()) finish_one();
      } else {
        return report(board, "consumer", explain(session, name_of(popped.status)));
      }
    }
    while (!held.empty()) finish_one();
  } catch (const Error& error) {
    return report(board, "consumer", error.what());
  }
  return 0;
}

// TARN_KILLS, or what the test has time for.
inline std::uint32_t kills_wished(std::uint32_t usual) {
  const char* wish = std::getenv("TARN_KILLS");
  return wish != nullptr ? static_cast<std::uint32_t>(std::strtoul(wish, nullptr, 10)) : usual;
}

inline testkit::Roles all_roles() {
  return {{"produce", produce}, {"relay", relay}, {"consume", consume}};
}

}  // namespace tarn::kill
