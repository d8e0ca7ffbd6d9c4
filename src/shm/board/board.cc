#include "shm/board/board.h"

#include <algorithm>
#include <climits>
#include <cstring>

#include "base/crash_point.h"
#include "os/futex.h"

namespace tarn {
namespace {

using layout::BoardFacts;
using layout::kLogBytes;
using layout::LogRecord;

constexpr int kReadAttempts = 100;

using FactWords = std::array<std::uint64_t, layout::kFactWords>;

constexpr std::uint64_t record_bytes(std::uint64_t text_bytes) noexcept {
  return sizeof(LogRecord) + round_up(text_bytes, sizeof(LogRecord));
}

// A word of the ring, which one process may write while another reads it.
std::atomic<std::uint64_t>& ring_word(std::byte* log, std::uint64_t position) noexcept {
  return *reinterpret_cast<std::atomic<std::uint64_t>*>(log + position % kLogBytes);
}

}  // namespace

Result<Board> Board::format(Segment segment, std::int32_t pid, std::uint64_t start_ticks) noexcept {
  Board board;
  board.segment_ = std::move(segment);
  const auto header = board.segment_.at<layout::BoardHeader>(0);
  const auto log = board.segment_.bytes(layout::kLogOffset, kLogBytes);
  if (!header || !log) return Error::corrupt;
  board.header_ = *header;
  board.log_ = log->data();
  begin_format(board.header_->segment, layout::SegmentKind::board, board.segment_.size());
  board.header_->shepherd_pid = pid;
  board.header_->shepherd_start_ticks = start_ticks;
  board.header_->log_bytes = static_cast<std::uint32_t>(kLogBytes);
  finish_format(board.header_->segment);
  return board;
}

void Board::begin_log_at(std::uint64_t position) noexcept {
  // relaxed: nobody else has the board yet.
  header_->log_first.store(position, std::memory_order_relaxed);
  header_->log_end.store(position, std::memory_order_relaxed);
}

// Crash: [1] writes the slot that does not count; [2] commits.
void Board::publish() noexcept {
  FactWords words;
  std::memcpy(words.data(), &facts_, sizeof facts_);
  // relaxed: this process alone writes it.
  const std::uint64_t next = header_->version.load(std::memory_order_relaxed) + 1;
  layout::FactSlot& slot = header_->slots[next & 1];
  // sync(board-slot-reused): whoever sees a word of [1] sees that the version has moved on.
  std::atomic_thread_fence(std::memory_order_release);
  for (std::size_t i = 0; i < words.size(); ++i) {
    // relaxed: nobody believes the slot before [2], and a reader checks the version afterwards.
    slot.words[i].store(words[i], std::memory_order_relaxed);  // [1]
  }
  TARN_CRASH_POINT("shepherd.board.written");
  // sync(board-published): hands [1] to facts().
  header_->version.store(next, std::memory_order_release);  // [2]
  tell_readers();
}

void Board::append(std::string_view text, std::uint32_t stream, std::int64_t unix_ns) noexcept {
  while (!text.empty()) {
    // A piece ends with its line, so that readers can put the time in front of each.
    std::size_t size = std::min<std::size_t>(text.size(), layout::kMaxPieceBytes);
    const std::size_t line_end = text.substr(0, size).find('\n');
    if (line_end != std::string_view::npos) size = line_end + 1;
    append_piece(text.substr(0, size), stream, unix_ns);
    text.remove_prefix(size);
  }
  tell_readers();
}

// Crash: [1] is beyond the end, which nobody reads; [2] commits.
void Board::append_piece(std::string_view text, std::uint32_t stream,
                         std::int64_t unix_ns) noexcept {
  // relaxed: this process alone writes it.
  const std::uint64_t begin = header_->log_end.load(std::memory_order_relaxed);
  const std::uint64_t size = record_bytes(text.size());
  make_room(size);
  const LogRecord record{unix_ns, static_cast<std::uint32_t>(text.size()), stream};
  std::array<std::uint64_t, 2> head;
  std::memcpy(head.data(), &record, sizeof record);
  put_word(begin, head[0]);
  put_word(begin + 8, head[1]);
  for (std::uint64_t at = 0; at < text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, std::min<std::size_t>(8, text.size() - at));
    put_word(begin + sizeof record + at, word);  // [1]
  }
  TARN_CRASH_POINT("shepherd.log.written");
  // sync(board-log-end): hands [1] to read_log().
  header_->log_end.store(begin + size, std::memory_order_release);  // [2]
}

// Crash: the oldest output is given up before anything is written over it.
void Board::make_room(std::uint64_t size_bytes) noexcept {
  // relaxed: this process alone writes both.
  const std::uint64_t end = header_->log_end.load(std::memory_order_relaxed);
  std::uint64_t first = header_->log_first.load(std::memory_order_relaxed);
  while (end + size_bytes - first > kLogBytes) {
    LogRecord oldest;
    const std::array<std::uint64_t, 2> head{word_at(first), word_at(first + 8)};
    std::memcpy(&oldest, head.data(), sizeof oldest);
    first += record_bytes(oldest.size_bytes);
  }
  // relaxed: the fence below orders it.
  header_->log_first.store(first, std::memory_order_relaxed);
  // sync(board-log-first): whoever sees a word written over sees that it was given up.
  std::atomic_thread_fence(std::memory_order_release);
}

std::uint64_t Board::word_at(std::uint64_t position) const noexcept {
  // relaxed: this process alone writes it.
  return ring_word(log_, position).load(std::memory_order_relaxed);
}

void Board::put_word(std::uint64_t position, std::uint64_t word) noexcept {
  // relaxed: log_end publishes it.
  ring_word(log_, position).store(word, std::memory_order_relaxed);
}

void Board::tell_readers() noexcept {
  // sync(board-changes): who wakes up for it sees what was changed before.
  header_->changes.fetch_add(1, std::memory_order_release);
  os::futex_wake(header_->changes, INT_MAX);
}

Result<BoardView> BoardView::attach(const Segment& segment) noexcept {
  if (auto good = check_header(segment, layout::SegmentKind::board); !good) return good.error();
  const auto header = segment.at<layout::BoardHeader>(0);
  const auto log = segment.bytes(layout::kLogOffset, kLogBytes);
  if (!header || !log || (*header)->log_bytes != kLogBytes) return Error::corrupt;
  return BoardView(*header, log->data());
}

Result<BoardFacts> BoardView::facts() const noexcept {
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    // sync(board-published): receives the slot's words.
    const std::uint64_t version = header_->version.load(std::memory_order_acquire);
    FactWords words;
    for (std::size_t i = 0; i < words.size(); ++i) {
      // relaxed: the version decides below whether they count.
      words[i] = header_->slots[version & 1].words[i].load(std::memory_order_relaxed);
    }
    // sync(board-slot-reused): a word of newer facts comes with a newer version.
    std::atomic_thread_fence(std::memory_order_acquire);
    // relaxed: ordered by the fence.
    if (header_->version.load(std::memory_order_relaxed) != version) continue;
    BoardFacts facts;
    std::memcpy(&facts, words.data(), sizeof facts);
    if (static_cast<std::uint32_t>(facts.state) >= layout::kClientStates) return Error::corrupt;
    return facts;
  }
  return Error::corrupt;
}

std::uint64_t BoardView::log_first() const noexcept {
  // relaxed: it may move on at once.
  return header_->log_first.load(std::memory_order_relaxed);
}

std::uint64_t BoardView::log_end() const noexcept {
  // sync(board-log-end): receives the records before it.
  return header_->log_end.load(std::memory_order_acquire);
}

Status BoardView::read_log(std::uint64_t& position, std::vector<LogPiece>& pieces) const {
  const std::uint64_t end = log_end();
  // relaxed: it is looked at again below.
  const std::uint64_t begin =
      std::max(position, header_->log_first.load(std::memory_order_relaxed));
  if (begin >= end) {
    position = end;
    return Done{};
  }
  if (end - begin > kLogBytes || begin % sizeof(LogRecord) != 0 || end % sizeof(LogRecord) != 0) {
    return Error::corrupt;
  }
  std::vector<std::uint64_t> words((end - begin) / 8);
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto* log = const_cast<std::byte*>(log_);
    // relaxed: log_first decides below which of them count.
    words[i] = ring_word(log, begin + 8 * i).load(std::memory_order_relaxed);
  }
  // sync(board-log-first): a word that was written over comes with a newer beginning.
  std::atomic_thread_fence(std::memory_order_acquire);
  // relaxed: ordered by the fence.
  const std::uint64_t first = header_->log_first.load(std::memory_order_relaxed);
  std::uint64_t at = std::max(first, begin);
  if (at % sizeof(LogRecord) != 0) return Error::corrupt;
  while (at < end) {
    LogRecord record;
    std::memcpy(&record, words.data() + (at - begin) / 8, sizeof record);
    const std::uint64_t size = record_bytes(record.size_bytes);
    if (record.size_bytes > layout::kMaxPieceBytes || size > end - at) return Error::corrupt;
    const auto* text = reinterpret_cast<const char*>(words.data() + (at - begin) / 8 + 2);
    pieces.push_back({record.unix_ns, record.stream, std::string(text, record.size_bytes)});
    at += size;
  }
  position = end;
  return Done{};
}

std::uint32_t BoardView::changes() const noexcept {
  // sync(board-changes): receives what was changed before it.
  return header_->changes.load(std::memory_order_acquire);
}

void BoardView::wait(std::uint32_t seen, Deadline deadline) const noexcept {
  os::futex_wait(header_->changes, seen, deadline);
}

}  // namespace tarn
