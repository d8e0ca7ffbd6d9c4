// finding.h - one thing that an audit found: of which kind, at which object, and what stands there.
//
// Process-local. The evidence is a number that tells one state from another: a finding that is seen
// again with the same evidence was there all the time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "shm/audit/kind.h"

namespace tarn::audit {

enum class ObjectKind : std::uint32_t {
  node = 0,
  session = 1,
  pipe = 2,
  slab = 3,
  table = 4,
  run_directory = 5,
  client = 6
};

// Where. Numbers, as they travel to the node when it is asked for a repair.
struct Place {
  ObjectKind object = ObjectKind::node;
  std::uint32_t index = 0;       // session index, pipe id, segment index, client id, or table entry
  std::uint32_t generation = 0;  // of a session or segment
  std::uint32_t part = 0;        // slot, row, end; the other object of a link; 0 worker, 1 keeper
  auto operator<=>(const Place&) const noexcept = default;
};

struct Finding {
  Kind kind = Kind::none;
  Place place;
  std::uint64_t evidence = 0;
  std::string object;  // "pipe 'spectra' slot 17"
  std::string found;   // "it is claimed, by no session"

  // The same thing in the same state.
  bool is_same_as(const Finding& other) const noexcept {
    return kind == other.kind && place == other.place && evidence == other.evidence;
  }
};

// Counts findings of one kind at one object.
class Tally {
 public:
  // How many there are with this one.
  std::uint32_t count(Kind kind, const Place& place) {
    return ++counts_[{kind, place.object, place.index}];
  }

 private:
  struct Subject {
    Kind kind;
    ObjectKind object;
    std::uint32_t index;
    auto operator<=>(const Subject&) const noexcept = default;
  };
  std::map<Subject, std::uint32_t> counts_;
};

// So many of one kind at one object are worth telling: a pipe full of nonsense is one defect, not a
// million.
inline constexpr std::uint32_t kMostTold = 8;

// Findings as they are made. Many more are kept than are told: most of what is found once may be
// work in flight, behind which a defect must not hide.
class Findings {
 public:
  static constexpr std::uint32_t kMostOfAKind = 4096;

  void add(Kind kind, const Place& place, std::uint64_t evidence, std::string object,
           std::string found);
  const std::vector<Finding>& all() const noexcept { return all_; }
  std::vector<Finding> take() { return std::move(all_); }

 private:
  std::vector<Finding> all_;
  Tally tally_;
};

// Mixes numbers into one piece of evidence.
constexpr std::uint64_t evidence_of(std::uint64_t first, std::uint64_t second = 0,
                                    std::uint64_t third = 0) noexcept {
  std::uint64_t mixed = first * 0x9e37'79b9'7f4a'7c15 + second;
  mixed = (mixed ^ (mixed >> 29)) * 0xbf58'476d'1ce4'e5b9 + third;
  return mixed ^ (mixed >> 32);
}

}  // namespace tarn::audit
