// queue_and_pool_test.cc - CQ inside one process, StreamingPool, named shared memory.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "shmboot.h"

namespace {

TEST(LocalQueueTest, KeepsOrderAndBounds) {
  CQ queue(2);
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.enqueue(1, 0));
  EXPECT_TRUE(queue.enqueue("two"));
  EXPECT_FALSE(queue.enqueue(3, 0.01));
  Val out = "untouched";
  EXPECT_TRUE(queue.dequeue(1.0, out));
  EXPECT_EQ(out, 1);
  EXPECT_EQ(queue.deq(), "two");
  EXPECT_FALSE(queue.dequeue(0, out));
  EXPECT_EQ(out, 1);
  EXPECT_THROW(queue.dequeue(std::nan(""), out), invalid_argument);
}

TEST(LocalQueueTest, PassesBetweenThreads) {
  CQ queue(4);
  std::thread producer([&] {
    for (int i = 0; i < 2000; ++i) queue.enq(i);
  });
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(queue.deq(), i);
  producer.join();
}

TEST(LocalQueueTest, BadLengthsAndSharingAreRefused) {
  EXPECT_THROW(CQ(0), logic_error);
  EXPECT_THROW(CQ(-3), logic_error);
  EXPECT_THROW(CQ(4, nullptr, true), logic_error);
}

TEST(StreamingPoolTest, GivesOutAndTakesBack) {
  alignas(16) static char memory[1024];
  StreamingPool* pool = StreamingPool::CreateStreamingPool(memory, sizeof memory, 8);
  EXPECT_EQ(StreamingPool::GetStreamingPool(memory), pool);
  EXPECT_TRUE(pool->isPristine());
  EXPECT_EQ(pool->biggestFree(), 1024);
  char* first = pool->allocate(100);
  char* second = pool->allocate(100);
  EXPECT_EQ(reinterpret_cast<AVLP>(first) % 8, 0u);
  EXPECT_GE(second - first, 100);
  EXPECT_FALSE(pool->isPristine());
  pool->deallocate(first);
  EXPECT_THROW(pool->deallocate(first), logic_error);
  EXPECT_THROW(pool->deallocate(memory + 1), logic_error);
  pool->deallocate(second);
  EXPECT_TRUE(pool->isPristine());
  EXPECT_EQ(pool->biggestFree(), 1024);
  char* whole = pool->allocate(1024);
  EXPECT_TRUE(pool->isFull());
  EXPECT_THROW(pool->allocate(1), runtime_error);
  EXPECT_THROW(pool->allocate(-1), runtime_error);
  pool->deallocate(whole);
  StreamingPool::Clean(pool);
  EXPECT_THROW(StreamingPool::GetStreamingPool(memory), logic_error);
}

TEST(StreamingPoolTest, RefusesBadAlignmentsAndSizes) {
  char memory[64];
  for (const int alignment : {0, 2, 5, 12, 32}) {
    EXPECT_THROW(StreamingPool::CreateStreamingPool(memory, 64, alignment), logic_error);
  }
  EXPECT_THROW(StreamingPool::CreateStreamingPool(memory, 0), logic_error);
  EXPECT_THROW(StreamingPool::CreateStreamingPool(nullptr, 64), logic_error);
}

TEST(SharedMemoryTest, IsCreatedAttachedAndUnlinked) {
  const string name = "picklingtools_test_" + Stringize(getpid());
  char* mem = static_cast<char*>(SHMCreate(name.c_str(), 4096));
  EXPECT_FALSE(SHMInitialized(mem, 4096));
  strcpy(mem, "hello");
  SHMInitialize(mem, 4096);
  size_t bytes = 0;
  char* again = static_cast<char*>(SHMAttach(name.c_str(), 0, bytes));
  EXPECT_EQ(bytes, 4096u);
  EXPECT_TRUE(SHMInitialized(again, bytes));
  EXPECT_STREQ(again, "hello");
  EXPECT_NE(mem, again);
  SHMDetach(again, bytes);
  SHMDetach(mem, 4096);
  SHMUnlink(name.c_str());
  EXPECT_THROW(SHMAttach(name.c_str(), 0, bytes), runtime_error);
  EXPECT_THROW(SHMCreate(name.c_str(), 0), runtime_error);
  EXPECT_THROW(SHMCreate("", 10), runtime_error);
  EXPECT_THROW(SHMCreate("picklingtools_too_large", size_t{1} << 60), runtime_error);
}

TEST(CircularBufferTest, IsFullOrGrows) {
  CircularBuffer<int> ring(2);
  ring.put(1);
  ring.put(2);
  EXPECT_THROW(ring.put(3), runtime_error);
  EXPECT_EQ(ring.get(), 1);
  ring.put(3);
  EXPECT_EQ(ring.get(), 2);
  EXPECT_EQ(ring.get(), 3);
  EXPECT_THROW(ring.get(), runtime_error);
  CircularBuffer<int> endless(1, true);
  for (int i = 0; i < 10; ++i) endless.put(i);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(endless.get(), i);
}

}  // namespace
