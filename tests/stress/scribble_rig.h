// scribble_rig.h - scribblers beside honest programs: those that have nothing to do with them lose
// nothing, those that share a pipe with them go on, and the worker lives.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/shared_board.h"
#include "tests/stress/scribbler.h"

namespace tarn::scribble {

using namespace std::chrono_literals;
using testkit::Arguments;
using testkit::Child;

struct Board {
  std::atomic<std::uint32_t> stop;
  std::atomic<std::uint64_t> sent;
  std::atomic<std::uint64_t> arrived;
  std::atomic<std::uint64_t> faults;  // of honest ones: lost, twice, torn, refused
  std::atomic<std::uint64_t> garbage;
  std::atomic<std::uint64_t> pipes_reached;  // by scribblers
  std::atomic<std::uint64_t> companion_operations;
  std::atomic<std::uint64_t> values;  // spoilt ones that companions read
  std::atomic<std::uint64_t> spoilt;  // operations that were told so, pipes that were refused
  std::atomic<std::int64_t> slowest_answer_ns;  // of the node to an honest one
};
using SharedBoard = testkit::SharedBoard<Board>;

inline constexpr std::size_t kMostBytes = 20'000;

inline std::filesystem::path board_in(const Arguments& arguments) {
  return std::filesystem::path(arguments.at(0)) / "board";
}
inline int fault(SharedBoard& board, const char* who, const std::string& what) {
  ++board->faults;
  std::fprintf(stderr, "%s %d: %s\n", who, ::getpid(), what.c_str());
  return 1;
}

// Arguments: folder, pipe, seed. Numbers its messages, and closes the pipe in the end.
inline int produce(const Arguments& arguments) {
  SharedBoard board(board_in(arguments));
  testkit::Chance chance(std::stoull(arguments.at(2)));
  try {
    Session session = connect({.name = "honest producer"});
    Pipe pipe = session.pipe(arguments.at(1), {.capacity = 32});
    std::vector<std::byte> bytes;
    for (std::uint64_t number = 0; board->stop == 0; ++number) {
      bytes.resize(sizeof number + chance.below(chance.below(2) == 0 ? 40 : kMostBytes));
      std::memcpy(bytes.data(), &number, sizeof number);
      testkit::fill_pattern(std::span(bytes).subspan(sizeof number), number);
      const PushStatus status = pipe.push(std::span<const std::byte>(bytes));
      if (status != PushStatus::ok) return fault(board, "producer", std::string(name_of(status)));
      ++board->sent;
      if (number % 256 != 0) continue;
      const std::int64_t began = monotonic_ns();
      session.status();
      const std::int64_t took = monotonic_ns() - began;
      if (took > board->slowest_answer_ns) board->slowest_answer_ns = took;
    }
    pipe.close();
  } catch (const Error& error) {
    return fault(board, "producer", error.what());
  }
  return 0;
}

// Arguments: folder, pipe. All of them, in order, whole.
inline int consume(const Arguments& arguments) {
  SharedBoard board(board_in(arguments));
  try {
    Session session = connect({.name = "honest consumer"});
    Pipe pipe = session.pipe(arguments.at(1), {.capacity = 32});
    for (std::uint64_t expected = 0;; ++expected) {
      Popped popped = pipe.pop();
      if (popped.status == PopStatus::closed) return 0;
      if (!popped) return fault(board, "consumer", std::string(name_of(popped.status)));
      const auto bytes = popped.message.bytes();
      std::uint64_t number = 0;
      if (bytes.size() >= sizeof number) std::memcpy(&number, bytes.data(), sizeof number);
      if (number != expected) {
        return fault(board, "consumer",
                     std::to_string(number) + " instead of " + std::to_string(expected));
      }
      if (!testkit::has_pattern(bytes.subspan(sizeof number), number)) {
        return fault(board, "consumer", "torn: " + std::to_string(number));
      }
      ++board->arrived;
    }
  } catch (const Error& error) {
    return fault(board, "consumer", error.what());
  }
}

// Everything in it, as far as it can be read: each answer is a value or an error.
inline std::size_t read_as_value(SharedBoard& board, Session& session, const Message& message) {
  const auto value = message.try_value();
  if (!value) return 0;
  ++board->values;
  std::size_t sum = 0;
  try {
    sum += value->find("table") ? (*value)["table"].size() : 0;
    if (const auto array = value->find("array")) sum += array->array<float>().size();
    const Value edited = session.edit(message);
    sum += edited.view().size();
    value->check();
  } catch (const Error&) {
    ++sum;
  }
  return sum;
}

// Arguments: folder, pipe. Shares its pipe with a scribbler: each operation returns, and reading
// what it was given does no harm.
inline int accompany(const Arguments& arguments) {
  SharedBoard board(board_in(arguments));
  const std::vector<std::byte> bytes(3000, std::byte{7});
  std::size_t sum = 0;
  while (board->stop == 0) {
    try {
      Session session = connect({.name = "companion"});
      // As the scribbler asks for it, whoever comes first.
      Pipe pipe = session.pipe(arguments.at(1), {.capacity = Scribbler::kSlots});
      const std::uint64_t told_before = board->spoilt;
      for (int i = 0; i < 200 && board->stop == 0; ++i) {
        const std::size_t size = i % 2 == 0 ? 20 : bytes.size();
        const PushStatus pushed = pipe.push(std::span(bytes).first(size), 2ms);
        Popped popped = pipe.pop(2ms);
        if (pushed == PushStatus::corrupt || popped.status == PopStatus::corrupt) ++board->spoilt;
        if (popped) {
          for (const std::byte byte : popped.message.bytes())
            sum += std::to_integer<unsigned>(byte);
          sum += read_as_value(board, session, popped.message);
        }
        ++board->companion_operations;
        if (pipe.is_closed()) break;
      }
      // The next one begins anew, and lets values through until it is spoilt.
      if (board->spoilt != told_before) session.remove_pipe(arguments.at(1));
    } catch (const Error&) {
      ++board->spoilt;
      // Refused with a verdict: a spoilt pipe is removed, and the next one begins anew.
      try {
        Session(connect({.name = "companion"})).remove_pipe(arguments.at(1));
      } catch (const Error&) {
        // Somebody else did.
      }
    }
  }
  return sum == 1 ? 2 : 0;
}

// Arguments: folder, pipe, seed, socket. Begins anew a few times, and may be killed.
inline int scribble(const Arguments& arguments) {
  SharedBoard board(board_in(arguments));
  testkit::Chance chance(std::stoull(arguments.at(2)));
  Scribbler scribbler(arguments.at(3), arguments.at(1), chance.next());
  if (!scribbler.begin()) return 0;
  if (scribbler.has_pipe()) ++board->pipes_reached;
  // Soon nothing gets through any more.
  for (int i = 0; i < 200 && board->stop == 0; ++i) {
    scribbler.act_on_values();
    if (i % 16 == 0) std::this_thread::sleep_for(1ms);
  }
  for (std::uint64_t left = 2000 + chance.below(20'000); left > 0 && board->stop == 0; --left) {
    scribbler.act();
    ++board->garbage;
    if (left % 16 == 0) std::this_thread::sleep_for(1ms);  // and see what becomes of it
  }
  return 0;
}

class ScribbleRig : public testkit::NodeTest {
 protected:
  void scribble_for(std::chrono::milliseconds time) {
    const std::uint64_t seed = testkit::announce_seed();
    testkit::Chance chance(seed);
    ASSERT_NO_FATAL_FAILURE(start_node());
    SharedBoard board(board_file());
    std::vector<Child> honest;
    for (const char* name : {"honest-1", "honest-2"}) {
      honest.push_back(play("consume", {name}));
      honest.push_back(play("produce", {name, std::to_string(chance.next())}));
    }
    std::vector<Child> companions;
    std::vector<Child> scribblers;
    for (const char* name : kSpoilt) {
      companions.push_back(play("accompany", {name}));
      scribblers.push_back(start_scribbler(name, chance));
    }
    const Deadline end = Deadline::in(time);
    while (!end.has_passed()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20 + chance.below(100)));
      const std::size_t which = chance.below(scribblers.size());
      // It dies in the middle of it, or has ended by itself.
      if (chance.below(3) == 0) scribblers[which].kill();
      if (!scribblers[which].has_ended()) continue;
      scribblers[which] = start_scribbler(kSpoilt[which], chance);
    }
    EXPECT_EQ(connect_and_see().worker_starts, 1U) << "the worker died of it";
    board->stop = 1;
    for (Child& child : honest) expect_success(child);
    for (Child& child : companions) expect_success(child);
    for (Child& child : scribblers) child.kill();
    EXPECT_EQ(board->faults, 0U);
    EXPECT_EQ(board->sent, board->arrived);
    EXPECT_GT(board->sent, 0U);
    EXPECT_GT(board->garbage, 0U);
    EXPECT_GT(board->companion_operations, 0U);
    EXPECT_GT(board->values, 0U) << "no companion got a value";
    EXPECT_GT(board->pipes_reached, 0U) << "no scribbler got as far as a pipe";
    EXPECT_EQ(connect_and_see().worker_starts, 1U) << "the worker died of it";
    std::printf(
        "%lu messages beside %lu pieces of garbage, %lu operations in spoilt pipes (%lu told so), "
        "%lu "
        "values, slowest answer of the node %.1f ms\n",
        board->sent.load(), board->garbage.load(), board->companion_operations.load(),
        board->spoilt.load(), board->values.load(),
        static_cast<double>(board->slowest_answer_ns.load()) / 1e6);
  }

 private:
  static constexpr std::array kSpoilt = {"spoilt-1", "spoilt-2", "spoilt-3"};

  Child start_scribbler(const char* pipe, testkit::Chance& chance) {
    return play("scribble", {pipe, std::to_string(chance.next()),
                             (domain_.run_directory() / "socket").string()});
  }
  static NodeStatus connect_and_see() {
    try {
      return connect({.name = "observer"}).status();
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
      return {};
    }
  }
};

inline testkit::Roles all_roles() {
  return {
      {"produce", produce}, {"consume", consume}, {"accompany", accompany}, {"scribble", scribble}};
}

}  // namespace tarn::scribble
