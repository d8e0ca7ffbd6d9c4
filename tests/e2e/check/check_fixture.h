// check_fixture.h - a real node with two raw clients, everything of which lies open to the test:
// defects are planted in the memory that the node and its auditor see.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>

#include <fstream>
#include <functional>
#include <set>
#include <utility>

#include "tarn/check.h"
#include "testing/clean_node.h"
#include "tests/e2e/node_fixture.h"

namespace tarn::raw {

// Puts a value somewhere, and what stood there back at the end.
template <class T>
class Poke {
 public:
  Poke(std::byte* base, std::uint64_t offset, T value) : place_(base + offset) {
    std::memcpy(&before_, place_, sizeof before_);
    std::memcpy(place_, &value, sizeof value);
  }
  Poke(const Poke&) = delete;
  Poke& operator=(const Poke&) = delete;
  ~Poke() { std::memcpy(place_, &before_, sizeof before_); }

 private:
  std::byte* place_;
  T before_{};
};

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
  // What is planted is found, it alone, and not before and not after.
  void expect_found(const std::string& kind, const std::function<void()>& plant,
                    const std::function<void()>& undo, std::chrono::milliseconds patience = 0ms) {
    SCOPED_TRACE(kind);
    plant();
    const CheckReport report = check(patience);
    EXPECT_EQ(kinds_of(report), std::set<std::string>{kind}) << testing::text_of(report);
    undo();
    EXPECT_EQ(testing::text_of(check()), "");
    found_.insert(kind);
  }
  template <class T>
  void expect_found_at(const std::string& kind, std::byte* base, std::uint64_t offset, T value,
                       std::chrono::milliseconds patience = 0ms) {
    std::optional<Poke<T>> poke;
    expect_found(
        kind, [&] { poke.emplace(base, offset, value); }, [&] { poke.reset(); }, patience);
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
    auto get = wire::make<wire::SegmentGet>(0);
    get.index = slab_id_.index;
    get.generation = slab_id_.generation;
    ASSERT_EQ(viewer_->ask(get).type(), wire::MessageType::segment_got);
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

  static constexpr std::uint64_t word_of(std::uint32_t slot) {
    return layout::kSlotsOffset + slot * sizeof(layout::Slot);
  }

  std::optional<Client> owner_;
  std::optional<Client> viewer_;
  Slab slab_{4};
  SegmentId slab_id_;
  std::optional<MappedPipe> once_;
  std::optional<MappedPipe> least_;
  std::set<std::string> found_;
};

}  // namespace tarn::raw
