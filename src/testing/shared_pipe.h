// shared_pipe.h - a pipe in memory that fork()ed children share, with its bytes open to the test.
#pragma once

#include <string>
#include <string_view>

#include "shm/pipe/pipe.h"

namespace tarn::testing {

// Memory that children share with this process at the same address. No descriptor, no name.
Segment shared_memory(std::uint64_t size_bytes);

class SharedPipe {
 public:
  explicit SharedPipe(std::uint32_t slot_count, bool at_least_once = false);

  // Empties it and formats it afresh.
  void reset();
  PipeView& view() noexcept { return view_; }
  // A second view, as another process would have it.
  PipeView attach() const;
  const Segment& segment() const noexcept { return segment_; }
  layout::PipeHeader& header() noexcept;
  layout::Slot& slot(std::uint64_t index) noexcept;
  // The word of the slot at `index`.
  SlotWord word(std::uint64_t index) noexcept;
  void set_word(std::uint64_t index, SlotWord word) noexcept;
  // A push that stopped after its claim: its producer is at `position` and does not get on.
  void claim(std::uint64_t position, std::uint16_t producer) noexcept;
  // A whole push at `position`, whatever the slot was.
  void publish(std::uint64_t position, std::uint16_t producer, std::uint64_t number) noexcept;
  // Puts the pipe where `position` is the next to be pushed and to be popped: hints and words.
  void move_to(std::uint64_t position) noexcept;

 private:
  Segment segment_;
  std::uint32_t slot_count_;
  bool at_least_once_;
  PipeView view_;
};

// A message of at most 48 bytes, and back.
SlotPayload text_payload(std::string_view text) noexcept;
SlotPayload number_payload(std::uint64_t number) noexcept;
std::string text_of(const SlotPayload& payload);
std::uint64_t number_of(const SlotPayload& payload) noexcept;

// push() of one number, as the session `self`.
SlotPush push_number(PipeView& pipe, std::uint16_t self, std::uint64_t number) noexcept;
// A message with a copy of its payload, which its slot loses once it is taken.
struct Copied : Peeked {
  SlotPayload copy;
};
// peek() and take() of one message, again where another was faster; not acknowledged.
SlotPop pop_one(PipeView& pipe, std::uint16_t self, Copied& found) noexcept;
// pop_one() with acknowledgement: the number, or -1 for anything but a message.
std::int64_t pop_number(PipeView& pipe, std::uint16_t self) noexcept;
// What a peek says now.
SlotPop peek_outcome(PipeView& pipe) noexcept;

}  // namespace tarn::testing
