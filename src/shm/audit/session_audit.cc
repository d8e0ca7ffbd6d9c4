// A session's segment: what it says it holds and has open, against itself and against the node.
//
// Copies, made row by row while the session goes on: each finding has to be seen twice unchanged.
// A row may name a segment that is gone: its session has yet to hear of it. One that never was
// nobody ever gave it.
#include <algorithm>
#include <string>

#include "shm/audit/audit.h"
#include "shm/session/session.h"

namespace tarn::audit {
namespace {

struct RowCopy {
  std::uint64_t segment;
  std::uint32_t offset;
  std::uint32_t chunk_count;
};
static_assert(sizeof(RowCopy) == sizeof(layout::RowEntry));

struct EndCopy {
  std::uint32_t pipe;
  std::uint32_t reserved;
  std::uint64_t pushed;
  std::uint64_t pushed_bytes;
  std::uint64_t push_waits;
  std::uint64_t copied_in;
  std::uint64_t pushed_elsewhere;
  std::uint64_t pushed_bytes_elsewhere;
  std::uint64_t reserved_producer;
  std::uint64_t popped;
  std::uint64_t popped_bytes;
  std::uint64_t pop_waits;
  std::uint64_t popped_elsewhere;
  std::uint64_t popped_bytes_elsewhere;
  std::uint64_t reserved_consumer[3];
};
static_assert(sizeof(EndCopy) == sizeof(layout::EndEntry));

std::string number(std::uint64_t value) { return std::to_string(value); }

class SessionAudit {
 public:
  SessionAudit(const SessionImage& session, const NodeImage* node, Seen& seen, Findings& out)
      : session_(session), node_(node), seen_(seen), out_(out), object_(name_of(session)) {}

  void run() {
    ++seen_.counts.sessions;
    if (!check_segment(session_.memory.get(), layout::SegmentKind::session, layout::kSessionBytes,
                       true, place(), object_, out_)) {
      return;
    }
    const std::uint32_t rows = read_count(offsetof(layout::SessionHeader, row_count),
                                          layout::kMaxRows, Kind::session_row_count, "rows");
    const std::uint32_t ends = read_count(offsetof(layout::SessionHeader, end_count),
                                          layout::kMaxEnds, Kind::session_end_count, "ends");
    check_rows(rows);
    check_overlaps();
    check_ends(ends);
  }

 private:
  struct UsedRow {
    std::uint32_t index;
    RowCopy row;
  };

  Place place(std::uint32_t part = 0) const {
    return {ObjectKind::session, session_.index, session_.generation, part};
  }
  void add_row(Kind kind, const UsedRow& used, std::string found) {
    const RowCopy& row = used.row;
    out_.add(kind, place(used.index),
             evidence_of(row.segment, (std::uint64_t{row.offset} << 32) | row.chunk_count),
             object_ + " row " + number(used.index), std::move(found));
  }

  std::uint32_t read_count(std::uint64_t offset, std::uint32_t most, Kind kind, const char* what) {
    std::uint32_t count = 0;
    session_.memory->copy_record(offset, count);
    if (count <= most) return count;
    out_.add(kind, place(), count, object_,
             "it says it has " + number(count) + ' ' + what + ", where " + number(most) + " fit");
    return most;
  }

  template <class T>
  std::vector<T> copy_table(std::uint64_t offset, std::uint32_t count) const {
    std::vector<T> table(count);
    if (!session_.memory->copy(offset, std::as_writable_bytes(std::span(table)))) table.clear();
    return table;
  }

  void check_rows(std::uint32_t count) {
    const auto rows = copy_table<RowCopy>(layout::kRowTableOffset, count);
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
      if (rows[i].segment == 0) continue;
      ++seen_.counts.rows;
      const UsedRow used{i, rows[i]};
      if (is_inside(used)) {
        used_.push_back(used);
        check_holds(used);
      }
      if (node_ != nullptr) check_segment_of(used);
    }
    check_twins();
  }

  bool is_inside(const UsedRow& used) {
    const std::uint64_t begin = used.row.offset;
    const std::uint64_t bytes = std::uint64_t{used.row.chunk_count} * sizeof(layout::HoldCount);
    const bool inside =
        begin >= layout::kRowArenaOffset && begin % sizeof(layout::HoldCount) == 0 &&
        used.row.chunk_count <= layout::kMaxChunks && begin + bytes <= layout::kSessionBytes;
    if (!inside) {
      add_row(Kind::row_outside, used,
              "its " + number(used.row.chunk_count) + " counts at byte " + number(begin) +
                  " do not lie where counts may");
    }
    return inside;
  }

  void check_holds(const UsedRow& used) {
    const auto counts = copy_table<std::uint16_t>(used.row.offset, used.row.chunk_count);
    for (std::uint32_t chunk = 0; chunk < counts.size(); ++chunk) {
      if (counts[chunk] == 0) continue;
      seen_.counts.holds += counts[chunk];
      seen_.counted.insert(used.row.segment);
      if (counts[chunk] <= kMostHolds) continue;
      add_row(Kind::hold_saturated, used,
              "it counts " + number(counts[chunk]) + " holds of chunk " + number(chunk) +
                  ", where " + number(kMostHolds) + " are the most");
    }
  }

  void check_segment_of(const UsedRow& used) {
    const SegmentId id = SegmentId::unpack(used.row.segment);
    const auto found = node_->slabs.find(id.index);
    const bool is_there = found != node_->slabs.end();
    const bool never_was = id.index == 0 || id.index >= layout::kMaxSegments ||
                           id.generation == 0 ||
                           id.generation > node_->figures.last_segment_generation ||
                           (is_there && id.generation > found->second.generation);
    if (never_was) {
      add_row(Kind::row_unknown_segment, used,
              "it counts holds of generation " + number(id.generation) + " of segment " +
                  number(id.index) + ", which never was");
      return;
    }
    if (!is_there || found->second.generation != id.generation) return;
    if (used.row.chunk_count != found->second.chunk_count) {
      add_row(Kind::row_chunk_count, used,
              "it has counts for " + number(used.row.chunk_count) + " chunks of segment " +
                  number(id.index) + ", which has " + number(found->second.chunk_count));
    }
    if (!node_->viewings.contains({session_.index, id.index})) {
      add_row(Kind::row_without_viewing, used,
              "it counts holds of segment " + number(id.index) +
                  ", whose owner was not told that it looks there");
    }
  }

  void check_twins() {
    std::map<std::uint64_t, std::uint32_t> first;
    for (const UsedRow& used : used_) {
      const auto [at, is_new] = first.emplace(used.row.segment, used.index);
      if (is_new) continue;
      add_row(Kind::row_twice, used,
              "it counts holds of the same segment as row " + number(at->second));
    }
  }

  void check_overlaps() {
    std::sort(used_.begin(), used_.end(), [](const UsedRow& one, const UsedRow& other) {
      return one.row.offset < other.row.offset;
    });
    std::uint64_t end = 0;
    for (const UsedRow& used : used_) {
      if (used.row.offset < end) {
        add_row(Kind::row_overlap, used, "its counts lie among those of another row");
      }
      const std::uint64_t bytes = std::uint64_t{used.row.chunk_count} * sizeof(layout::HoldCount);
      end = std::max(end, used.row.offset + bytes);
    }
  }

  void check_ends(std::uint32_t count) {
    const auto ends = copy_table<EndCopy>(layout::kEndTableOffset, count);
    for (std::uint32_t i = 0; i < ends.size(); ++i) {
      if (ends[i].pipe == 0) continue;
      check_counters(i, ends[i]);
      if (node_ != nullptr) check_pipe_of(i, ends[i].pipe);
    }
  }

  void add_end(Kind kind, std::uint32_t index, std::uint64_t evidence, std::string found) {
    out_.add(kind, place(index), evidence, object_ + " end " + number(index), std::move(found));
  }

  // A message is counted before its bytes are.
  void check_counters(std::uint32_t index, const EndCopy& end) {
    const bool bytes_of_none = (end.pushed_bytes != 0 && end.pushed == 0) ||
                               (end.popped_bytes != 0 && end.popped == 0) ||
                               (end.pushed_bytes_elsewhere != 0 && end.pushed_elsewhere == 0) ||
                               (end.popped_bytes_elsewhere != 0 && end.popped_elsewhere == 0);
    if (!bytes_of_none && end.copied_in <= end.pushed + end.pushed_elsewhere) return;
    add_end(Kind::end_counters, index,
            evidence_of(end.pushed_bytes, end.popped_bytes, end.copied_in),
            bytes_of_none ? "it counts bytes and no message"
                          : "it counts more messages copied in than pushed");
  }

  void check_pipe_of(std::uint32_t index, std::uint32_t pipe) {
    if (pipe > node_->figures.last_pipe_id) {
      add_end(Kind::end_unknown_pipe, index, pipe,
              "it counts for pipe " + number(pipe) + ", which never was");
    } else if (!session_.is_stopped && !node_->openings.contains({session_.index, pipe})) {
      // Between the node's answer that it has left and the end of its own record.
      add_end(Kind::end_without_opening, index, pipe,
              "it counts for pipe " + number(pipe) + ", which it does not have open");
    }
  }

  const SessionImage& session_;
  const NodeImage* node_;
  Seen& seen_;
  Findings& out_;
  const std::string object_;
  std::vector<UsedRow> used_;
};

}  // namespace

std::string name_of(const SessionImage& session) {
  std::string name = "session " + number(session.index);
  if (!session.name.empty()) name += " '" + session.name + "'";
  return name;
}

void check_session(const SessionImage& session, const NodeImage* node, Seen& seen, Findings& out) {
  SessionAudit(session, node, seen, out).run();
}

std::vector<Finding> audit_session(const SessionImage& session) {
  Seen seen;
  Findings out;
  check_session(session, nullptr, seen, out);
  return out.take();
}

}  // namespace tarn::audit
