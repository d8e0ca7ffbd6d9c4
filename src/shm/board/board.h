// board.h - writing a supervised client's board, and reading it while it is written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "shm/board/board_layout.h"
#include "shm/segment/segment.h"

namespace tarn {

// The one writer's end.
class Board {
 public:
  // Formats a fresh segment of kBoardBytes. `pid` and `start_ticks` are the writer's.
  static Result<Board> format(Segment segment, std::int32_t pid,
                              std::uint64_t start_ticks) noexcept;

  const layout::BoardFacts& facts() const noexcept { return facts_; }
  layout::BoardFacts& edit() noexcept { return facts_; }
  // On a fresh board: the log goes on where a predecessor's began, so that readers' positions hold.
  void begin_log_at(std::uint64_t position) noexcept;
  // Makes what was edited visible, and wakes whoever waits for it.
  void publish() noexcept;
  // Puts output down, in pieces of at most kMaxPieceBytes; the oldest makes room.
  void append(std::string_view text, std::uint32_t stream, std::int64_t unix_ns) noexcept;

 private:
  void append_piece(std::string_view text, std::uint32_t stream, std::int64_t unix_ns) noexcept;
  void make_room(std::uint64_t size_bytes) noexcept;
  std::uint64_t word_at(std::uint64_t position) const noexcept;
  void put_word(std::uint64_t position, std::uint64_t word) noexcept;
  void tell_readers() noexcept;

  Segment segment_;
  layout::BoardHeader* header_ = nullptr;
  std::byte* log_ = nullptr;
  layout::BoardFacts facts_{};
};

// A piece of output.
struct LogPiece {
  std::int64_t unix_ns = 0;
  std::uint32_t stream = 0;
  std::string text;
};

// A reader's end. Whatever stands there, it neither faults nor loops.
class BoardView {
 public:
  BoardView() noexcept = default;
  // corrupt when the segment is no board. Borrows the segment.
  static Result<BoardView> attach(const Segment& segment) noexcept;

  explicit operator bool() const noexcept { return header_ != nullptr; }
  std::int32_t shepherd_pid() const noexcept { return header_->shepherd_pid; }
  std::uint64_t shepherd_start_ticks() const noexcept { return header_->shepherd_start_ticks; }
  // corrupt when they make no sense, or change all the time.
  Result<layout::BoardFacts> facts() const noexcept;

  // Adds the output from `position` on to `pieces`, and moves `position` to its end. What is gone
  // already is left out. corrupt when the records make no sense.
  Status read_log(std::uint64_t& position, std::vector<LogPiece>& pieces) const;
  // Where the oldest output stands.
  std::uint64_t log_first() const noexcept;
  // Where the next output will stand.
  std::uint64_t log_end() const noexcept;

  std::uint32_t changes() const noexcept;
  // Waits until something has changed since changes() returned `seen`, or the deadline passes.
  void wait(std::uint32_t seen, Deadline deadline) const noexcept;

 private:
  explicit BoardView(const layout::BoardHeader* header, const std::byte* log) noexcept
      : header_(header), log_(log) {}
  const layout::BoardHeader* header_ = nullptr;
  const std::byte* log_ = nullptr;
};

}  // namespace tarn
