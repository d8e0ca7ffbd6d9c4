// survivors.h - two sessions, in a process of their own, that push to each other while another one
// dies, and that keep the books: what of the dead one's they got.
//
// The test that kills has no threads and no session: what it fork()s starts the same each time.
#pragma once

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>

#include "tarn/tarn.h"
#include "testing/process_fixture.h"

namespace tarn::step {

inline constexpr const char* kPipe = "work";
inline constexpr const char* kNextPipe = "next";
inline constexpr const char* kMadePipe = "made";
inline constexpr std::uint64_t kVictims = 100;      // numbers of the one that dies begin here
inline constexpr std::uint64_t kSurvivors = 1'000;  // and here those of the ones that do not
inline constexpr std::size_t kLargeBytes = 300;

// A message is its number, and above kInlineBytes bytes that follow from it.
inline void fill(std::span<std::byte> bytes, std::uint64_t number) {
  std::memset(bytes.data(), static_cast<int>(number & 0xff), bytes.size());
  std::memcpy(bytes.data(), &number, sizeof number);
}
inline constexpr std::size_t kValueDoubles = 100;

inline PushStatus push_number(Pipe& pipe, std::uint64_t number, std::size_t size_bytes) {
  Loan loan = pipe.loan(size_bytes);
  fill(loan.bytes(), number);
  return pipe.try_push(std::move(loan));
}
// Fills a value that grows on the way: numbers, a text, a table within, an array.
inline void fill(Value& value, std::uint64_t number) {
  value["number"] = number;
  value["text"] = std::string(100, 'x');
  value["within"]["number"] = number;
  for (double& element : value["array"].array<double>(kValueDoubles)) {
    element = static_cast<double>(number);
  }
}
inline std::uint64_t number_of(const ValueView& value) {
  try {
    value.check();
    const auto number = value["number"].as<std::uint64_t>();
    bool is_whole = value["text"].text() == std::string(100, 'x') &&
                    value["within"]["number"].as<std::uint64_t>() == number &&
                    value["array"].size() == kValueDoubles;
    for (const double element : value["array"].array<double>()) {
      is_whole = is_whole && element == static_cast<double>(number);
    }
    return is_whole ? number : 0;
  } catch (const Error&) {
    return 0;
  }
}

// The number, or 0 when the message is torn.
inline std::uint64_t number_of(const Message& message) {
  if (const auto value = message.try_value()) return number_of(*value);
  std::uint64_t number = 0;
  if (message.size() < sizeof number) return 0;
  std::memcpy(&number, message.bytes().data(), sizeof number);
  const std::byte filler = static_cast<std::byte>(number & 0xff);
  for (const std::byte each : message.bytes().subspan(sizeof number)) {
    if (each != filler) return 0;
  }
  return number;
}

// What the survivors found, since they were last asked.
struct Books {
  static constexpr std::size_t kMost = 64;
  std::uint32_t count = 0;
  std::uint32_t is_good = 1;  // every own message came once, nothing was refused
  std::array<std::uint64_t, kMost> numbers{};
  std::array<std::uint8_t, kMost> marked{};
  std::array<char, 120> story{};

  int times(std::uint64_t number) const {
    int found = 0;
    for (std::uint32_t i = 0; i < count; ++i) found += numbers[i] == number ? 1 : 0;
    return found;
  }
  bool is_marked(std::uint64_t number) const {
    for (std::uint32_t i = 0; i < count; ++i) {
      if (numbers[i] == number && marked[i] != 0) return true;
    }
    return false;
  }
  void add(const Books& more) {
    for (std::uint32_t i = 0; i < more.count && count < kMost; ++i, ++count) {
      numbers[count] = more.numbers[i];
      marked[count] = more.marked[i];
    }
    if (is_good != 0 && more.is_good == 0) {
      is_good = 0;
      story = more.story;
    }
  }
};

// What the test asks of them.
struct Wish {
  enum class Kind : std::uint32_t {
    exchange,  // one pushes, the other pops all there is
    push,      // `number` of `size_bytes`; nobody pops
    drain_next,
    use_made,    // opens the pipe that a victim may have made, uses it, removes it
    close_made,  // removes it, if it is there
  };
  Kind kind;
  std::uint32_t size_bytes;
  std::uint64_t number;
};

class SurvivorsLife {
 public:
  explicit SurvivorsLife(Delivery delivery)
      : one_(connect({.name = "one"})),
        other_(connect({.name = "other"})),
        in_(one_.pipe(kPipe, {.capacity = 8, .delivery = delivery})),
        out_(other_.pipe(kPipe)),
        next_(other_.pipe(kNextPipe, {.capacity = 8, .delivery = delivery})) {}

  Books grant(const Wish& wish) {
    books_ = Books();
    switch (wish.kind) {
      case Wish::Kind::exchange:
        exchange();
        break;
      case Wish::Kind::push:
        expect(push_number(in_, wish.number, wish.size_bytes) == PushStatus::ok, "a push failed");
        break;
      case Wish::Kind::drain_next:
        drain(next_);
        break;
      case Wish::Kind::use_made:
        use_made();
        break;
      case Wish::Kind::close_made:
        try {
          one_.remove_pipe(kMadePipe);
        } catch (const Error& error) {
          expect(error.code() == Error::not_found, error.what());
        }
        break;
    }
    return books_;
  }

 private:
  void expect(bool is_so, const std::string& story) {
    if (is_so || books_.is_good == 0) return;
    books_.is_good = 0;
    std::strncpy(books_.story.data(), story.c_str(), books_.story.size() - 1);
  }
  void drain(Pipe& pipe) {
    for (;;) {
      Popped popped = pipe.try_pop();
      if (!popped) {
        expect(popped.status == PopStatus::empty, std::string(name_of(popped.status)));
        return;
      }
      const std::uint64_t number = number_of(*popped);
      expect(number != 0, "a torn message");
      if (books_.count < Books::kMost) {
        books_.numbers[books_.count] = number;
        books_.marked[books_.count++] = popped->redelivered() ? 1 : 0;
      }
      popped->acknowledge();
    }
  }
  void exchange() {
    const std::uint64_t number = ++last_;
    PushStatus pushed = push_number(in_, number, sizeof number);
    if (pushed == PushStatus::full) {
      drain(out_);
      pushed = push_number(in_, number, sizeof number);
    }
    expect(pushed == PushStatus::ok, std::string("push: ") + std::string(name_of(pushed)));
    drain(out_);
    expect(books_.times(number) == 1, "a survivor's message did not come once");
  }
  // Whole or not at all: a pipe that is there can be used.
  void use_made() {
    try {
      Pipe made = one_.pipe(kMadePipe);
      if (!made.is_closed()) {
        drain(made);
        expect(push_number(made, ++last_, sizeof last_) == PushStatus::ok, "the made pipe is dead");
        drain(made);
        expect(books_.times(last_) == 1, "the made pipe lost a message");
      }
      one_.remove_pipe(kMadePipe);
    } catch (const Error& error) {
      // Closed by the victim, it ends when its last user leaves: between the two calls.
      expect(error.code() == Error::not_found, error.what());
    }
  }

  Session one_;
  Session other_;
  Pipe in_;
  Pipe out_;
  Pipe next_;
  Books books_;
  std::uint64_t last_ = kSurvivors;
};

// The other end: a process that does what it is asked to.
class Survivors {
 public:
  // `enter` runs in it first.
  Survivors(Delivery delivery, const std::function<void()>& enter) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(ends[0]);
      enter();
      live(delivery, ends[1]);
    }
    ::close(ends[1]);
    line_ = ends[0];
    grant({Wish::Kind::exchange, 0, 0});
  }
  ~Survivors() {
    ::close(line_);
    int status = 0;
    ::waitpid(pid_, &status, 0);
  }
  Survivors(const Survivors&) = delete;
  Survivors& operator=(const Survivors&) = delete;

  Books grant(const Wish& wish) {
    Books books;
    if (::send(line_, &wish, sizeof wish, MSG_NOSIGNAL) != sizeof wish ||
        ::recv(line_, &books, sizeof books, 0) != sizeof books) {
      books.is_good = 0;
      std::strcpy(books.story.data(), "the survivors are gone");
    }
    return books;
  }
  Books exchange() { return grant({Wish::Kind::exchange, 0, 0}); }

 private:
  [[noreturn]] static void live(Delivery delivery, int line) {
    try {
      SurvivorsLife life(delivery);
      Wish wish{};
      while (::recv(line, &wish, sizeof wish, 0) == sizeof wish) {
        const Books books = life.grant(wish);
        if (::send(line, &books, sizeof books, MSG_NOSIGNAL) != sizeof books) break;
      }
    } catch (const Error& error) {
      std::fprintf(stderr, "survivors: %s\n", error.what());
    }
    ::_exit(0);
  }

  pid_t pid_ = -1;
  int line_ = -1;
};

}  // namespace tarn::step
