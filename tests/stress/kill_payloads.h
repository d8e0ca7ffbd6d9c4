// kill_payloads.h - what travels in the kill tests: bytes, or values that are built, grown and
// edited on the way. Each says whose it is, and whether it is whole.
#pragma once

#include <algorithm>
#include <cstring>

#include "tarn/tarn.h"
#include "testing/pattern.h"
#include "tests/stress/kill_board.h"

namespace tarn::kill {

inline constexpr std::size_t kMostBytes = 60'000;
// In one list of a value: it grows from one chunk into the next while it is built.
inline constexpr std::size_t kMostPieces = 12;

inline Loan bytes_to_send(Pipe& pipe, const Head& head, testkit::Chance& chance) {
  const bool fits = chance.below(2) == 0;
  Loan loan = pipe.loan(sizeof head + chance.below(fits ? 40 : kMostBytes));
  std::memcpy(loan.bytes().data(), &head, sizeof head);
  testkit::fill_pattern(loan.bytes().subspan(sizeof head), head.seed());
  return loan;
}

// Some of it is put in and taken out again; some lies in ordinary memory, and is copied in.
inline Value value_to_send(Session& session, Pipe& pipe, const Head& head,
                           testkit::Chance& chance) {
  const std::uint64_t where = chance.below(3);
  Value value = where == 0 ? pipe.value() : where == 1 ? session.value() : Value();
  value["life"] = head.life;
  value["number"] = head.number;
  const std::size_t pieces = 1 + chance.below(kMostPieces);
  value["pieces"].make_list();
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    const std::span<std::uint8_t> bytes =
        value["pieces"].append().array<std::uint8_t>(1 + chance.below(kMostBytes / kMostPieces));
    testkit::fill_pattern(std::as_writable_bytes(bytes), head.seed() + piece);
    if (piece % 4 == 3) value["scratch"].append(static_cast<std::uint64_t>(piece));
  }
  value.root().remove("scratch");
  value["count"] = static_cast<std::uint64_t>(pieces);
  return value;
}

inline PushStatus send_payload(Session& session, Pipe& pipe, const Head& head,
                               testkit::Chance& chance) {
  if (chance.below(3) != 0) return pipe.push(bytes_to_send(pipe, head, chance));
  return pipe.push(value_to_send(session, pipe, head, chance));
}

// As it is, or with one entry more: an edit leaves what was received as it was.
inline PushStatus pass_on(Session& session, Pipe& out, Message&& message, testkit::Chance& chance) {
  if (!message.try_value() || chance.below(2) == 0) return out.push(std::move(message));
  Value edited = session.edit(message);
  const auto hops = edited.view().find("hops");
  edited["hops"] = 1 + (hops ? hops->as_or(std::uint64_t{0}) : 0);
  message = Message();
  return out.push(std::move(edited));
}

inline Head head_of(const Message& message) {
  Head head{kMostLives, kMostMessages};
  if (const auto value = message.try_value()) {
    const auto life = value->find("life");
    const auto number = value->find("number");
    if (life && number) {
      head = {life->as_or(kMostLives), number->as_or(kMostMessages)};
    }
  } else if (message.size() >= sizeof head) {
    std::memcpy(&head, message.bytes().data(), sizeof head);
  }
  return head;
}

inline bool is_whole(const ValueView& value, const Head& head) {
  const ValueView pieces = value["pieces"];
  const auto count = value["count"].as_or(std::uint64_t{0});
  if (count == 0 || pieces.size() != count || value.contains("scratch")) return false;
  for (std::size_t piece = 0; piece < count; ++piece) {
    const auto bytes = pieces[piece].array<std::uint8_t>();
    if (bytes.empty() || !testkit::has_pattern(std::as_bytes(bytes), head.seed() + piece)) {
      return false;
    }
  }
  return true;
}

inline bool is_whole(const Message& message) {
  const Head head = head_of(message);
  if (head.life >= kMostLives || head.number >= kMostMessages) return false;
  try {
    if (const auto value = message.try_value()) {
      value->check();
      return is_whole(*value, head);
    }
  } catch (const Error&) {
    return false;
  }
  return testkit::has_pattern(message.bytes().subspan(sizeof head), head.seed());
}

}  // namespace tarn::kill
