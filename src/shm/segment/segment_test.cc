#include "shm/segment/segment.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "testing/shared_pipe.h"

namespace tarn {
namespace {

constexpr std::uint64_t kSize = 16 * kPage;

OwnedSegment make(bool one_writer) {
  auto made = create_segment("tarn-test", kSize, kSize, one_writer);
  TARN_ASSERT(made.has_value());
  return *std::move(made);
}

// --- Who may write: the kernel decides ----------------------------------------------------------

struct SealTest : ::testing::Test {
  // What a process has that received the descriptor.
  OwnedSegment owned = make(true);
  int fd() const { return owned.fd.get(); }
};

TEST_F(SealTest, TheOwnerGoesOnWritingAndReadersSeeIt) {
  auto reader = map_foreign(fd(), kSize, true, false);
  ASSERT_TRUE(reader);
  EXPECT_NE(reader->base(), owned.segment.base());
  owned.segment.base()[kPage] = std::byte{42};
  EXPECT_EQ(reader->base()[kPage], std::byte{42});
}

TEST_F(SealTest, ASecondWritableMappingIsRefused) {
  EXPECT_EQ(::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd(), 0), MAP_FAILED);
  EXPECT_EQ(errno, EPERM);
  EXPECT_FALSE(map_foreign(fd(), kSize, true, true));
}

TEST_F(SealTest, AReadersMappingCannotBeMadeWritable) {
  auto reader = map_foreign(fd(), kSize, true, false);
  ASSERT_TRUE(reader);
  EXPECT_NE(::mprotect(reader->base(), kSize, PROT_READ | PROT_WRITE), 0);
  EXPECT_EQ(errno, EACCES);
}

TEST_F(SealTest, WritingIsRefused) {
  const char bytes[] = "x";
  EXPECT_EQ(::write(fd(), bytes, 1), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::pwrite(fd(), bytes, 1, kPage), -1);
  EXPECT_EQ(errno, EPERM);
}

TEST_F(SealTest, ShrinkingGrowingAndPunchingHolesIsRefused) {
  for (const off_t size : {off_t{0}, off_t{kPage}, off_t{2 * kSize}}) {
    EXPECT_NE(::ftruncate(fd(), size), 0);
    EXPECT_EQ(errno, EPERM);
  }
  EXPECT_NE(::fallocate(fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kPage), 0);
  EXPECT_EQ(errno, EPERM);
  EXPECT_NE(::fallocate(fd(), 0, kSize, kPage), 0);
  EXPECT_EQ(errno, EPERM);
}

TEST_F(SealTest, ReopeningItThroughProcDoesNotHelp) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd());
  const os::UniqueFd reopened(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  // Permitted to open, since memory has no owner but the uid: but not to write.
  if (!reopened) return;
  EXPECT_EQ(::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, reopened.get(), 0),
            MAP_FAILED);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::pwrite(reopened.get(), "x", 1, 0), -1);
  EXPECT_NE(::ftruncate(reopened.get(), 0), 0);
  const os::UniqueFd truncated(::open(path.c_str(), O_RDWR | O_TRUNC | O_CLOEXEC));
  EXPECT_FALSE(truncated);
}

TEST_F(SealTest, SealsCannotBeTakenOff) {
  EXPECT_NE(::fcntl(fd(), F_ADD_SEALS, 0), 0);
  EXPECT_EQ(errno, EPERM);
}

TEST_F(SealTest, AStoreThroughAReadersMappingKillsTheReader) {
  auto reader = map_foreign(fd(), kSize, true, false);
  ASSERT_TRUE(reader);
  EXPECT_DEATH(*const_cast<volatile std::byte*>(reader->base()) = std::byte{1}, "");
}

TEST_F(SealTest, AChildDoesNotGetTheMapping) {
  const pid_t child = ::fork();
  if (child == 0) {
    unsigned char resident[kSize / kPage];
    const bool mapped = ::mincore(owned.segment.base(), kSize, resident) == 0;
    ::_exit(mapped ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(SealTest, AControlSegmentIsWritableForItsParticipantsAndKeepsItsSize) {
  const OwnedSegment control = make(false);
  auto participant = map_foreign(control.fd.get(), kSize, false, true);
  ASSERT_TRUE(participant);
  participant->base()[0] = std::byte{7};
  EXPECT_EQ(control.segment.base()[0], std::byte{7});
  EXPECT_NE(::ftruncate(control.fd.get(), 0), 0);
  EXPECT_NE(::ftruncate(control.fd.get(), 2 * kSize), 0);
}

// --- Mapping what others made -------------------------------------------------------------------

TEST(MapForeignTest, OnlyTheAnnouncedSizeIsMapped) {
  const OwnedSegment owned = make(true);
  for (const std::uint64_t announced : {std::uint64_t{0}, kSize - 1, kSize + kPage, UINT64_MAX}) {
    const auto mapped = map_foreign(owned.fd.get(), announced, true, false);
    ASSERT_FALSE(mapped) << announced;
    EXPECT_EQ(mapped.error().code(), Error::corrupt);
  }
}

TEST(MapForeignTest, MemoryWhoseSizeCanChangeIsRefused) {
  const auto fd = os::create_memory("tarn-test", kSize);
  ASSERT_TRUE(fd);
  EXPECT_EQ(map_foreign(fd->get(), kSize, false, false).error().code(), Error::corrupt);
  ASSERT_EQ(::fcntl(fd->get(), F_ADD_SEALS, F_SEAL_GROW), 0);
  EXPECT_EQ(map_foreign(fd->get(), kSize, false, false).error().code(), Error::corrupt);
  ASSERT_EQ(::fcntl(fd->get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
  EXPECT_TRUE(map_foreign(fd->get(), kSize, false, false));
  // Its size is fixed, but anybody may write.
  EXPECT_EQ(map_foreign(fd->get(), kSize, true, false).error().code(), Error::corrupt);
}

TEST(MapForeignTest, WhatIsNoMemoryIsRefused) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const os::UniqueFd read_end(ends[0]);
  const os::UniqueFd write_end(ends[1]);
  EXPECT_FALSE(map_foreign(read_end.get(), kSize, true, false));
  EXPECT_FALSE(map_foreign(-1, kSize, true, false));
  const os::UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(map_foreign(file.get(), kSize, true, false));
}

TEST(CreateSegmentTest, MoreThanThereIsIsAnErrorAndLeavesNothing) {
  const auto refused = create_segment("tarn-test", std::uint64_t{1} << 60, kPage, true);
  EXPECT_FALSE(refused);
  const auto too_large = create_segment("tarn-test", UINT64_MAX, kPage, true);
  EXPECT_FALSE(too_large);
}

// --- From numbers to addresses ------------------------------------------------------------------

TEST(SegmentTest, BytesLieInsideOrAreCorrupt) {
  const Segment segment = testing::shared_memory(kSize);
  EXPECT_EQ(segment.bytes(0, kSize)->size(), kSize);
  EXPECT_EQ(segment.bytes(kSize, 0)->size(), 0u);
  EXPECT_EQ(segment.bytes(kSize - 1, 1)->data(), segment.base() + kSize - 1);
  struct Range {
    std::uint64_t offset;
    std::uint64_t size;
  };
  for (const Range& bad :
       {Range{0, kSize + 1}, Range{kSize, 1}, Range{kSize + 1, 0}, Range{UINT64_MAX, 1},
        Range{1, UINT64_MAX}, Range{UINT64_MAX, UINT64_MAX},
        Range{kSize - 1, UINT64_MAX - kSize + 2}}) {
    const auto bytes = segment.bytes(bad.offset, bad.size);
    ASSERT_FALSE(bytes) << bad.offset << " " << bad.size;
    EXPECT_EQ(bytes.error(), Error::corrupt);
  }
}

TEST(SegmentTest, RecordsLieInsideAndAlignedOrAreCorrupt) {
  const Segment segment = testing::shared_memory(kSize);
  EXPECT_TRUE(segment.at<std::uint64_t>(0));
  EXPECT_TRUE(segment.at<std::uint64_t>(kSize - 8));
  EXPECT_FALSE(segment.at<std::uint64_t>(4));
  EXPECT_FALSE(segment.at<std::uint64_t>(kSize));
  EXPECT_FALSE(segment.at<std::uint64_t>(kSize - 4));
  EXPECT_FALSE(segment.at<std::uint64_t>(UINT64_MAX - 7));
  EXPECT_FALSE(Segment().at<std::uint64_t>(0));
}

TEST(SegmentTest, AnUnfinishedHeaderIsCorrupt) {
  const Segment segment = testing::shared_memory(kSize);
  auto& header = **segment.at<layout::SegmentHeader>(0);
  EXPECT_EQ(check_header(segment, layout::SegmentKind::slab).error(), Error::corrupt);
  begin_format(header, layout::SegmentKind::slab, kSize);
  EXPECT_EQ(check_header(segment, layout::SegmentKind::slab).error(), Error::corrupt);
  finish_format(header);
  EXPECT_TRUE(check_header(segment, layout::SegmentKind::slab));
  EXPECT_EQ(check_header(segment, layout::SegmentKind::pipe).error(), Error::corrupt);
  header.size_bytes = kSize + 1;
  EXPECT_EQ(check_header(segment, layout::SegmentKind::slab).error(), Error::corrupt);
  header.size_bytes = kSize;
  header.layout_version = layout::kLayoutVersion + 1;
  EXPECT_EQ(check_header(segment, layout::SegmentKind::slab).error(), Error::version_mismatch);
}

// Field VmFlags of the mapping that begins there, as /proc/self/smaps says it.
std::string flags_of(const Segment& segment) {
  std::ifstream smaps("/proc/self/smaps");
  char start[32];
  std::snprintf(start, sizeof start, "%lx-", reinterpret_cast<unsigned long>(segment.base()));
  bool is_it = false;
  for (std::string line; std::getline(smaps, line);) {
    if (line.starts_with(start)) is_it = true;
    if (is_it && line.starts_with("VmFlags:")) return line + ' ';
  }
  return "";
}

// The kernel tells of a death after it has written the dump.
TEST(SegmentTest, IsInNoCoreDumpAndNoChild) {
  const auto owned = create_segment("segment-test", 2 * kPage, 2 * kPage, false);
  ASSERT_TRUE(owned);
  const auto foreign = map_foreign(owned->fd.get(), 2 * kPage, false, true);
  ASSERT_TRUE(foreign);
  for (const Segment* segment : {&owned->segment, &*foreign}) {
    EXPECT_NE(flags_of(*segment).find(" dd "), std::string::npos) << flags_of(*segment);
    EXPECT_NE(flags_of(*segment).find(" dc "), std::string::npos) << flags_of(*segment);
  }
}

}  // namespace
}  // namespace tarn
