#include "shm/board/board.h"

#include <gtest/gtest.h>

#include <cstring>

namespace tarn {
namespace {

using layout::BoardHeader;
using layout::ClientState;

class BoardTest : public ::testing::Test {
 protected:
  BoardTest() {
    auto owned = create_segment("test", layout::kBoardBytes, layout::kBoardBytes, false);
    auto seen = map_foreign(owned->fd.get(), layout::kBoardBytes, false, true);
    segment_ = std::move(*seen);
    auto board = Board::format(std::move(owned->segment), 7, 70);
    board_ = std::move(*board);
    view_ = *BoardView::attach(segment_);
  }
  BoardHeader& header() { return **segment_.at<BoardHeader>(0); }
  std::string text(std::uint64_t& position) {
    std::vector<LogPiece> pieces;
    EXPECT_TRUE(view_.read_log(position, pieces));
    std::string all;
    for (const LogPiece& piece : pieces) all += piece.text;
    return all;
  }

  Segment segment_;
  Board board_;
  BoardView view_;
};

TEST_F(BoardTest, FactsAreSeenOncePublished) {
  board_.edit().state = ClientState::running;
  board_.edit().starts = 3;
  EXPECT_EQ(view_.facts()->state, ClientState::registered);
  const std::uint32_t seen = view_.changes();
  board_.publish();
  EXPECT_EQ(view_.facts()->state, ClientState::running);
  EXPECT_EQ(view_.facts()->starts, 3u);
  EXPECT_NE(view_.changes(), seen);
  EXPECT_EQ(view_.shepherd_pid(), 7);
}

TEST_F(BoardTest, AWriterThatDiedInTheMiddleLeavesTheFormerFacts) {
  board_.edit().starts = 1;
  board_.publish();
  // What publish() does before its commit point.
  for (auto& word : header().slots[(header().version + 1) & 1].words) word = ~0ULL;
  EXPECT_EQ(view_.facts()->starts, 1u);
}

TEST_F(BoardTest, ImpossibleFactsAreCorrupt) {
  header().slots[header().version & 1].words[0] = 99;
  EXPECT_EQ(view_.facts().error(), Error::corrupt);
}

TEST_F(BoardTest, OutputComesBackInOrderAndOnce) {
  std::uint64_t position = 0;
  board_.append("one\ntwo\nthr", 1, 10);
  EXPECT_EQ(text(position), "one\ntwo\nthr");
  EXPECT_EQ(text(position), "");
  board_.append("ee\n", 2, 11);
  std::vector<LogPiece> pieces;
  ASSERT_TRUE(view_.read_log(position, pieces));
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].text, "ee\n");
  EXPECT_EQ(pieces[0].stream, 2u);
  EXPECT_EQ(pieces[0].unix_ns, 11);
}

TEST_F(BoardTest, OldestOutputMakesRoomForTheNewest) {
  std::string last;
  for (int i = 0; i < 20'000; ++i) {
    last = "line " + std::to_string(i) + " of many, each of another length" +
           std::string(static_cast<std::size_t>(i % 40), 'x');
    board_.append(last + "\n", 1, i);
  }
  std::uint64_t position = 0;
  const std::string all = text(position);
  EXPECT_GT(all.size(), layout::kLogBytes / 2);
  EXPECT_LE(all.size(), layout::kLogBytes);
  EXPECT_TRUE(all.ends_with(last + "\n"));
  EXPECT_TRUE(all.starts_with("line ")) << "it begins with a whole record";
}

TEST_F(BoardTest, LongLinesAreCutIntoPieces) {
  const std::string line(3 * layout::kMaxPieceBytes + 5, 'x');
  board_.append(line, 1, 0);
  std::uint64_t position = 0;
  EXPECT_EQ(text(position), line);
}

TEST_F(BoardTest, ASuccessorsLogGoesOnAtTheSamePositions) {
  board_.append("one\n", 1, 1);
  std::uint64_t position = 0;
  text(position);
  auto owned = create_segment("test", layout::kBoardBytes, layout::kBoardBytes, true);
  auto next = Board::format(std::move(owned->segment), 8, 80);
  next->begin_log_at(view_.log_first());
  next->append("one\n", 1, 1);
  next->append("two\n", 1, 2);
  const auto segment = map_foreign(owned->fd.get(), layout::kBoardBytes, true, false);
  view_ = *BoardView::attach(*segment);
  EXPECT_EQ(text(position), "two\n");
}

TEST_F(BoardTest, NonsenseInTheLogIsCorruptAndNeverFaults) {
  board_.append("one\ntwo\n", 1, 1);
  const std::uint64_t end = header().log_end;
  for (const std::uint64_t wrong : {end + 8, end + 16, layout::kLogBytes * 2, ~std::uint64_t{0}}) {
    header().log_end = wrong;
    std::uint64_t position = 0;
    std::vector<LogPiece> pieces;
    const auto outcome = view_.read_log(position, pieces);
    if (!outcome) {
      EXPECT_EQ(outcome.error(), Error::corrupt);
    }
  }
  header().log_end = end;
  const std::uint32_t size = 0xffff'ffff;
  std::memcpy(segment_.base() + layout::kLogOffset + 8, &size, sizeof size);
  std::uint64_t position = 0;
  std::vector<LogPiece> pieces;
  EXPECT_EQ(view_.read_log(position, pieces).error(), Error::corrupt);
}

TEST_F(BoardTest, AnotherSegmentIsNoBoard) {
  auto other = create_segment("test", layout::kBoardBytes, layout::kBoardBytes, false);
  EXPECT_FALSE(BoardView::attach(other->segment));
  EXPECT_FALSE(BoardView::attach(Segment()));
}

}  // namespace
}  // namespace tarn
