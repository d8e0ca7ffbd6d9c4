#include "shm/heap/size_class.h"

#include <gtest/gtest.h>

#include "base/checked.h"
#include "shm/heap/heap.h"

namespace tarn {
namespace {

// Around every step of every class, and every size up to a megabyte.
template <class Check>
void for_many_sizes(Check&& check) {
  for (std::uint64_t size = 0; size <= (1 << 20); ++size) check(size);
  for (unsigned log = 20; log <= 47; ++log) {
    for (std::uint64_t sixteenth = 16; sixteenth < 32; ++sixteenth) {
      const std::uint64_t edge = (std::uint64_t{1} << log) / 16 * sixteenth;
      for (const std::uint64_t size : {edge - 1, edge, edge + 1}) {
        if (size <= kMaxChunkBytes) check(size);
      }
    }
  }
}

TEST(SizeClassTest, AChunkHoldsItsMessageAndIsAMultipleOfACacheLine) {
  for_many_sizes([](std::uint64_t size) {
    const SizeClass found = size_class_of(size);
    ASSERT_GE(found.chunk_bytes, size);
    ASSERT_EQ(found.chunk_bytes % kCacheLine, 0u) << size;
    ASSERT_LT(found.index, kSizeClasses) << size;
    ASSERT_LE(found.chunk_bytes, kMaxChunkBytes) << size;
  });
}

TEST(SizeClassTest, LittleIsWasted) {
  for_many_sizes([](std::uint64_t size) {
    const std::uint64_t waste = size_class_of(size).chunk_bytes - size;
    if (size <= 256) {
      ASSERT_LE(waste, 64u) << size;
    } else if (size <= (16 << 20)) {
      ASSERT_LE(waste * 4, size) << size;
    } else {
      ASSERT_LE(waste * 16, size) << size;
    }
  });
}

TEST(SizeClassTest, LargerMessagesHaveTheSameOrALaterClassAndNoneIsLeftOut) {
  SizeClass last = size_class_of(0);
  EXPECT_EQ(last.index, 0u);
  for_many_sizes([&](std::uint64_t size) {
    const SizeClass found = size_class_of(size);
    if (size == 0) return;
    ASSERT_TRUE(found.index == last.index || found.index == last.index + 1) << size;
    ASSERT_EQ(found.index == last.index, found.chunk_bytes == last.chunk_bytes) << size;
    ASSERT_GE(found.chunk_bytes, last.chunk_bytes) << size;
    last = found;
  });
}

TEST(SizeClassTest, AFullChunkIsOfItsOwnClass) {
  for_many_sizes([](std::uint64_t size) {
    const SizeClass found = size_class_of(size);
    ASSERT_EQ(size_class_of(found.chunk_bytes).index, found.index) << size;
    ASSERT_EQ(size_class_of(found.chunk_bytes).chunk_bytes, found.chunk_bytes) << size;
  });
}

TEST(SizeClassTest, SlabsGrowWithTheirClassAndStayWithinBounds) {
  for_many_sizes([](std::uint64_t size) {
    const std::uint64_t chunk = size_class_of(size).chunk_bytes;
    std::uint64_t chunks = 0;
    for (int slab = 0; slab < 12; ++slab) {
      const std::uint32_t next = next_slab_chunks(chunk, chunks);
      ASSERT_GE(next, 1u) << chunk;
      ASSERT_LE(next, layout::kMaxChunks) << chunk;
      ASSERT_TRUE(next == 1 || next * chunk <= (64 << 20)) << chunk;
      ASSERT_TRUE(slab_bytes(chunk, next)) << chunk;
      chunks += next;
      if (size > 4096) break;  // the first slab says enough of the large ones
    }
  });
}

TEST(SlabBytesTest, WhatCannotBeIsCorrupt) {
  EXPECT_FALSE(slab_bytes(0, 1));
  EXPECT_FALSE(slab_bytes(63, 1));
  EXPECT_FALSE(slab_bytes(64, 0));
  EXPECT_FALSE(slab_bytes(64, layout::kMaxChunks + 1));
  EXPECT_FALSE(slab_bytes(64, UINT64_MAX));
  EXPECT_FALSE(slab_bytes(UINT64_MAX - 63, 2));
  EXPECT_FALSE(slab_bytes(kMaxChunkBytes + 64, 1));
  EXPECT_EQ(*slab_bytes(64, 1), 2 * kPage);
  EXPECT_EQ(*slab_bytes(64, 64), 2 * kPage);
  EXPECT_EQ(*slab_bytes(64, 65), 3 * kPage);
  EXPECT_TRUE(slab_bytes(kMaxChunkBytes, layout::kMaxChunks));
}

}  // namespace
}  // namespace tarn
