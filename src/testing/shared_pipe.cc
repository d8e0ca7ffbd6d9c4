#include "testing/shared_pipe.h"

#include <sys/mman.h>

#include <cstring>

#include "base/assert.h"

namespace tarn::testing {

Segment shared_memory(std::uint64_t size_bytes) {
  void* base =
      ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  TARN_ASSERT(base != MAP_FAILED, size_bytes);
  return Segment(os::Mapping(static_cast<std::byte*>(base), size_bytes));
}

SharedPipe::SharedPipe(std::uint32_t slot_count, bool at_least_once)
    : segment_(shared_memory(layout::pipe_bytes(slot_count))),
      slot_count_(slot_count),
      at_least_once_(at_least_once) {
  reset();
}

void SharedPipe::reset() {
  std::memset(segment_.base(), 0, segment_.size());
  const auto done = format_pipe(segment_, slot_count_, at_least_once_ ? 1 : 0, 7);
  TARN_ASSERT(done.has_value());
  view_ = attach();
}

PipeView SharedPipe::attach() const {
  const auto view = PipeView::attach(segment_);
  TARN_ASSERT(view.has_value());
  return *view;
}

layout::PipeHeader& SharedPipe::header() noexcept { return **segment_.at<layout::PipeHeader>(0); }

layout::Slot& SharedPipe::slot(std::uint64_t index) noexcept {
  return **segment_.at<layout::Slot>(layout::kSlotsOffset + index * sizeof(layout::Slot));
}

SlotWord SharedPipe::word(std::uint64_t index) noexcept {
  return SlotWord(slot(index).word.load());
}

void SharedPipe::set_word(std::uint64_t index, SlotWord word) noexcept {
  slot(index).word.store(word.bits());
}

void SharedPipe::claim(std::uint64_t position, std::uint16_t producer) noexcept {
  set_word(position % slot_count_,
           SlotWord(position / slot_count_, layout::SlotPhase::claimed, producer));
}

void SharedPipe::publish(std::uint64_t position, std::uint16_t producer,
                         std::uint64_t number) noexcept {
  store_payload(slot(position % slot_count_), number_payload(number));
  set_word(position % slot_count_,
           SlotWord(position / slot_count_, layout::SlotPhase::ready, producer));
}

void SharedPipe::move_to(std::uint64_t position) noexcept {
  for (std::uint64_t i = 0; i < slot_count_; ++i) {
    const std::uint64_t lap = position / slot_count_ + (i < position % slot_count_ ? 1 : 0);
    set_word(i, SlotWord(lap, layout::SlotPhase::free, 0));
  }
  header().tail.store(position);
  header().head.store(position);
  view_ = attach();
}

SlotPayload text_payload(std::string_view text) noexcept {
  return SlotPayload::copy_of(std::as_bytes(std::span(text)));
}

SlotPayload number_payload(std::uint64_t number) noexcept {
  return SlotPayload::copy_of(std::as_bytes(std::span(&number, 1)));
}

std::string text_of(const SlotPayload& payload) {
  return {reinterpret_cast<const char*>(payload.words.data()), payload.size_bytes()};
}

std::uint64_t number_of(const SlotPayload& payload) noexcept { return payload.words[0]; }

SlotPush push_number(PipeView& pipe, std::uint16_t self, std::uint64_t number) noexcept {
  std::uint64_t position = 0;
  return pipe.push(self, number_payload(number), position);
}

SlotPop pop_one(PipeView& pipe, std::uint16_t self, Copied& found) noexcept {
  for (;;) {
    const SlotPop outcome = pipe.peek(found);
    if (outcome != SlotPop::ok) return outcome;
    found.copy = found.payload();
    if (pipe.take(self, found)) return outcome;
  }
}

std::int64_t pop_number(PipeView& pipe, std::uint16_t self) noexcept {
  Copied found;
  if (pop_one(pipe, self, found) != SlotPop::ok) return -1;
  if (pipe.at_least_once()) pipe.acknowledge(self, found.position, found.word.redelivered());
  return static_cast<std::int64_t>(number_of(found.copy));
}

SlotPop peek_outcome(PipeView& pipe) noexcept {
  Peeked found;
  return pipe.peek(found);
}

}  // namespace tarn::testing
