// check_fixture.h - a real node with two raw clients, everything of which lies open to the test:
// defects are planted in the memory that the node and its auditor see.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <utility>

#include "tarn/check.h"
#include "testing/clean_node.h"
#include "tests/e2e/node_fixture.h"

namespace tarn::raw {

// The memory of another process, through the kernel: where its only writer is somebody else.
class ForeignMemory {
 public:
  // The writable mapping of a memfd of that label.
  ForeignMemory(pid_t pid, const std::string& label)
      : fd_(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR | O_CLOEXEC)) {
    std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
    for (std::string line; std::getline(maps, line);) {
      const bool is_it = line.find("/memfd:" + label) != std::string::npos &&
                         line.find(" rw-s ") != std::string::npos;
      if (is_it) base_ = std::stoull(line.substr(0, line.find('-')), nullptr, 16);
    }
  }
  bool is_open() const { return fd_ && base_ != 0; }
  template <class T>
  T exchange(std::uint64_t offset, T value) {
    T before{};
    const auto at = static_cast<off_t>(base_ + offset);
    EXPECT_EQ(::pread(fd_.get(), &before, sizeof before, at), ssize_t{sizeof before});
    EXPECT_EQ(::pwrite(fd_.get(), &value, sizeof value, at), ssize_t{sizeof value});
    return before;
  }

 private:
  os::UniqueFd fd_;
  std::uint64_t base_ = 0;
};

class CheckTest : public NodeTest {
 public:
  static constexpr std::uint64_t word_of(std::uint32_t slot) {
    return layout::kSlotsOffset + slot * sizeof(layout::Slot);
  }

 protected:
  void SetUp() override {
    NodeTest::SetUp();
    ::setenv("XDG_RUNTIME_DIR", place_.path().c_str(), 1);
    start();
    staff();
  }

  static ConnectOptions domain() { return {.application = "test", .user = "tester"}; }
  static CheckReport check(std::chrono::milliseconds patience = 0ms) {
    CheckOptions options;
    options.patience = patience;
    return check_node(domain(), options);
  }
  static std::set<std::string> kinds_of(const CheckReport& report) {
    std::set<std::string> kinds;
    for (const Defect& each : report.defects) {
      EXPECT_FALSE(each.object.empty());
      EXPECT_FALSE(each.found.empty());
      EXPECT_FALSE(each.cure.empty());
      kinds.insert(each.kind);
    }
    return kinds;
  }
  static CheckReport repair(std::chrono::milliseconds patience = 0ms) {
    CheckOptions options;
    options.patience = patience;
    return repair_node(domain(), options);
  }
  // What was planted is found, it alone; a repair comes to that outcome, and says why. Afterwards
  // there is nothing left, and nothing for a second repair to do; or it is there as it was.
  static void expect_dealt_with(const std::string& kind, const std::string& outcome,
                                std::chrono::milliseconds patience = 0ms) {
    SCOPED_TRACE(kind);
    const std::set<std::string> alone = {kind};
    const CheckReport found = check(patience);
    EXPECT_EQ(kinds_of(found), alone) << testing::text_of(found);
    const CheckReport repaired = repair(patience);
    EXPECT_EQ(kinds_of(repaired), alone) << testing::text_of(repaired);
    for (const Defect& each : repaired.defects) {
      EXPECT_EQ(each.outcome, outcome) << each.verdict;
      EXPECT_FALSE(each.verdict.empty());
    }
    const CheckReport after = check(patience);
    if (outcome == "left") {
      EXPECT_EQ(kinds_of(after), alone) << testing::text_of(after);
      return;
    }
    EXPECT_EQ(testing::text_of(after), "");
    EXPECT_EQ(after.quarantined, outcome == "quarantined" ? 1u : 0u);
    EXPECT_TRUE(repair(patience).is_clean());
  }

  // Messages go through it, as often as it has slots and more.
  static void expect_flow(MappedPipe& pipe, std::uint32_t session) {
    const auto self = static_cast<std::uint16_t>(session);
    const auto pop = [&](Peeked& found) {
      ASSERT_TRUE(pipe.view.take(self, found));
      if (!pipe.view.at_least_once()) return;
      pipe.view.acknowledge(self, found.position, found.word.redelivered());
    };
    Peeked found;
    while (pipe.view.peek(found) == SlotPop::ok) pop(found);
    for (std::uint32_t i = 0; i < 3 * pipe.view.slot_count(); ++i) {
      ASSERT_EQ(pipe.push_text(session, "flow"), SlotPush::ok) << i;
      ASSERT_EQ(pipe.view.peek(found), SlotPop::ok) << i;
      pop(found);
    }
    EXPECT_EQ(testing::text_of(check()), "");
  }

  // The owner has a slab, of which the viewer holds a chunk. Both have the pipes open, in which
  // stand small messages and references; the viewer has taken one without acknowledging it.
  void staff() {
    owner_.emplace(session());
    viewer_.emplace(session());
    ASSERT_EQ(slab_.add_to(*owner_).type(), wire::MessageType::segment_added);
    slab_id_ = {1, 1};
    once_.emplace(owner_->open_pipe("once", 8));
    open_least();
    viewer_->open_pipe("once");
    see(slab_id_);
    auto row = viewer_->record->add_row(slab_id_, 4);
    ASSERT_TRUE(row);
    ++(*row)[2];
    for (Client* client : {&*owner_, &*viewer_}) {
      auto end = client->record->add_end(once_->id);
      (*end)->pushed = 1;
    }
    once_->push_text(owner(), "one");
    once_->push_text(viewer(), "two");
    once_->push_chunk(owner(), slab_id_, 1);
    least_->push_text(owner(), "three");
    Peeked found;
    ASSERT_EQ(least_->view.peek(found), SlotPop::ok);
    ASSERT_TRUE(least_->view.take(viewer16(), found));
  }
  // The viewer gets to see a slab.
  void see(SegmentId id) {
    auto get = wire::make<wire::SegmentGet>(0);
    get.index = id.index;
    get.generation = id.generation;
    ASSERT_EQ(viewer_->ask(get).type(), wire::MessageType::segment_got);
  }
  void open_least() {
    auto wish = wire::make<wire::PipeOpen>(0);
    wire::put_text(wish.name, "least");
    wish.has_capacity = 1;
    wish.capacity = 8;
    wish.has_delivery = 1;
    wish.delivery = 1;
    least_.emplace(owner_->ask(wish));
    viewer_->ask(wish);
  }
  std::uint32_t owner() const { return owner_->welcome.session_index; }
  std::uint32_t viewer() const { return viewer_->welcome.session_index; }
  std::uint16_t viewer16() const { return static_cast<std::uint16_t>(viewer()); }
  // Writes it there, for good.
  template <class T>
  static void write(std::byte* base, std::uint64_t offset, T value) {
    std::memcpy(base + offset, &value, sizeof value);
  }

  std::optional<Client> owner_;
  std::optional<Client> viewer_;
  Slab slab_{4};
  SegmentId slab_id_;
  std::optional<MappedPipe> once_;
  std::optional<MappedPipe> least_;
};

}  // namespace tarn::raw
