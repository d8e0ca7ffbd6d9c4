// What another participant may have written into a pipe.
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "shm/pipe/pipe.h"
#include "testing/shared_pipe.h"

namespace tarn {
namespace {

using testing::peek_outcome;
using testing::push_number;
using testing::SharedPipe;

constexpr std::uint16_t kProducer = 3;
constexpr std::uint16_t kConsumer = 5;

TEST(HostilePipeTest, HeadersThatDoNotFitAreRefused) {
  const auto refused = [](auto&& spoil) {
    SharedPipe pipe(8);
    spoil(pipe.header());
    return !PipeView::attach(pipe.segment());
  };
  EXPECT_TRUE(refused([](auto& header) { header.slot_count = 0; }));
  EXPECT_TRUE(refused([](auto& header) { header.slot_count = 0xffff'ffff; }));
  EXPECT_TRUE(refused([](auto& header) { header.slot_count = layout::kMaxSlots + 1; }));
  EXPECT_TRUE(refused([](auto& header) { header.slot_count = 8000; }));
  EXPECT_TRUE(refused([](auto& header) { header.delivery = 2; }));
  EXPECT_TRUE(refused([](auto& header) { header.segment.magic = 0; }));
  EXPECT_TRUE(refused([](auto& header) { header.segment.size_bytes = 0; }));
  EXPECT_TRUE(refused([](auto& header) { header.segment.layout_version = 0; }));
  EXPECT_TRUE(refused([](auto& header) { header.segment.kind = layout::SegmentKind::slab; }));
  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_FALSE(PipeView::attach(Segment()));
}

TEST(HostilePipeTest, FormattingRefusesWhatCannotBe) {
  const Segment segment = testing::shared_memory(layout::pipe_bytes(8));
  EXPECT_FALSE(format_pipe(segment, 0, 0, 1));
  EXPECT_FALSE(format_pipe(segment, layout::kMaxSlots + 1, 0, 1));
  EXPECT_FALSE(format_pipe(segment, 0xffff'ffff, 0, 1));
  EXPECT_FALSE(format_pipe(segment, 8, 2, 1));
  EXPECT_FALSE(format_pipe(segment, 100, 0, 1));
  EXPECT_TRUE(format_pipe(segment, 8, 0, 1));
}

// Every operation, whatever it says.
void use_in_every_way(SharedPipe& pipe) {
  PipeView view = pipe.attach();
  Peeked found;
  for (int i = 0; i < 3; ++i) {
    push_number(view, kProducer, 1);
    if (view.peek(found) == SlotPop::ok) {
      view.take(kConsumer, found);
      view.acknowledge(kConsumer, found.position, found.word.redelivered());
      view.give_back(kConsumer, found.position, found.word.redelivered());
      EXPECT_LE(found.payload().size_bytes(), layout::kSlotPayloadBytes);
    }
    view.has_space();
    view.is_gone(found.position);
    std::vector<bool> named;
    view.mark_named({3, 2}, named);
    EXPECT_LE(named.size(), layout::kMaxChunks);
    view.snapshot();
    view.is_drained();
  }
  view.recover(kProducer);
  view.recover(kConsumer);
  view.recover(0);
  view.drain();
}

TEST(HostilePipeTest, NonsenseInTheSlotsNeitherCrashesNorLoops) {
  std::uint64_t random = 88172645463325252;
  const auto next = [&] {
    random ^= random << 13;
    random ^= random >> 7;
    return random ^= random << 17;
  };
  for (int round = 0; round < 3000; ++round) {
    SharedPipe pipe(1 + static_cast<std::uint32_t>(next() % 9), next() % 2 == 0);
    for (std::uint64_t i = 0; i < pipe.view().slot_count(); ++i) {
      // Mostly nearly right, for nonsense is easily told from sense.
      std::uint64_t word = next();
      if (round % 3 != 0) word &= 0x0000'0000'03ff'000f;
      pipe.slot(i).word.store(word);
      pipe.slot(i).descriptor.store(round % 2 == 0 ? next() : next() & 0xff03);
      for (auto& payload : pipe.slot(i).payload) payload.store(next());
    }
    pipe.header().head.store(round % 4 == 0 ? next() : next() % 64);
    pipe.header().tail.store(round % 4 == 1 ? next() : next() % 64);
    pipe.header().closed.store(static_cast<std::uint32_t>(next() % 5));
    pipe.header().items_bell.store(static_cast<std::uint32_t>(next()));
    pipe.header().space_bell.store(static_cast<std::uint32_t>(next()));
    use_in_every_way(pipe);
  }
}

TEST(HostilePipeTest, HintsFarAheadAreAnErrorAndNoLoop) {
  for (const std::uint64_t ahead : {9UL, 1000UL, 1UL << 41, 1UL << 62, UINT64_MAX}) {
    SharedPipe pipe(8);
    pipe.header().tail.store(ahead);
    pipe.header().head.store(ahead);
    const SlotPush pushed = push_number(pipe.view(), kProducer, 1);
    EXPECT_NE(pushed, SlotPush::closed) << ahead;
    use_in_every_way(pipe);
  }
}

TEST(HostilePipeTest, APhaseThatDoesNotExistIsCorrupt) {
  for (std::uint64_t phase = 4; phase < 8; ++phase) {
    SharedPipe pipe(2);
    pipe.slot(0).word.store(phase << 16);
    EXPECT_EQ(peek_outcome(pipe.view()), SlotPop::corrupt);
    EXPECT_EQ(pipe.view().recover(0).skipped, 0u);
    use_in_every_way(pipe);
  }
}

TEST(HostilePipeTest, SizesInDescriptorsAreCutToTheSlot) {
  SlotPayload payload;
  for (const std::uint64_t descriptor :
       {UINT64_MAX, std::uint64_t{0xff01}, std::uint64_t{0x3101}}) {
    payload.descriptor.bits = descriptor;
    EXPECT_EQ(payload.size_bytes(), layout::kSlotPayloadBytes);
  }
}

}  // namespace
}  // namespace tarn
