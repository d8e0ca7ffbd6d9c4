// hostile_test.cc - a hostile consumer tries to write to a segment that it may read, in every way
// that the kernel offers, and is refused each time; and a stranger gets nothing at all.
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "os/process.h"
#include "os/socket.h"
#include "shm/session/session.h"
#include "tarn/tarn.h"
#include "testing/node_test.h"
#include "testing/pattern.h"
#include "testing/shared_board.h"
#include "wire/messages.h"
#include "wire/names.h"

namespace tarn {
namespace {

using testkit::Arguments;

constexpr std::size_t kVictimBytes = 300'000;
constexpr std::uint64_t kVictimSeed = 4711;
constexpr uid_t kOrdinaryUser = 65534;

struct Board {
  std::atomic<std::uint32_t> attempts;
  std::atomic<std::uint32_t> successes;  // of the attacker
  std::atomic<std::int32_t> victim_pid;
  std::atomic<std::uint32_t> may_end;
};
using SharedBoard = testkit::SharedBoard<Board>;

std::filesystem::path board_in(const Arguments& arguments) {
  return std::filesystem::path(arguments.at(0)) / "board";
}

// Counts the attempts, and says which one got through.
class Attack {
 public:
  explicit Attack(SharedBoard& board, std::string target)
      : board_(board), target_(std::move(target)) {}
  void expect_refused(const char* what, bool refused) {
    ++board_->attempts;
    if (refused) return;
    ++board_->successes;
    std::fprintf(stderr, "uid %d: %s on %s succeeded\n", ::getuid(), what, target_.c_str());
  }

 private:
  SharedBoard& board_;
  std::string target_;
};

bool can_map_writable(int descriptor, std::size_t size_bytes) {
  void* base = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (base == MAP_FAILED) return false;
  ::munmap(base, size_bytes);
  return true;
}
// A mapping that may be read, made writable afterwards.
bool can_protect_writable(int descriptor, std::size_t size_bytes) {
  void* base = ::mmap(nullptr, size_bytes, PROT_READ, MAP_SHARED, descriptor, 0);
  if (base == MAP_FAILED) return false;
  const bool done = ::mprotect(base, size_bytes, PROT_READ | PROT_WRITE) == 0;
  ::munmap(base, size_bytes);
  return done;
}

// All that can be tried with a descriptor of somebody else's memory.
void attack_descriptor(SharedBoard& board, int descriptor, const std::string& target) {
  Attack attack(board, target);
  struct stat facts {};
  ::fstat(descriptor, &facts);
  const auto size_bytes = static_cast<std::size_t>(facts.st_size);
  const off_t middle = facts.st_size / 2;
  char poison[64] = "poison";
  const iovec piece{poison, sizeof poison};
  attack.expect_refused("mmap", !can_map_writable(descriptor, size_bytes));
  attack.expect_refused("mprotect", !can_protect_writable(descriptor, size_bytes));
  attack.expect_refused("write", ::write(descriptor, poison, sizeof poison) < 0);
  attack.expect_refused("pwrite", ::pwrite(descriptor, poison, sizeof poison, middle) < 0);
  attack.expect_refused("pwritev", ::pwritev(descriptor, &piece, 1, middle) < 0);
  attack.expect_refused("ftruncate to nothing", ::ftruncate(descriptor, 0) != 0);
  attack.expect_refused("ftruncate to more", ::ftruncate(descriptor, 2 * facts.st_size) != 0);
  attack.expect_refused("fallocate beyond", ::fallocate(descriptor, 0, facts.st_size, 4096) != 0);
  for (const int mode : {FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
                         FALLOC_FL_COLLAPSE_RANGE}) {
    attack.expect_refused("fallocate inside", ::fallocate(descriptor, mode, 0, 4096) != 0);
  }
  attack.expect_refused("fewer seals", ::fcntl(descriptor, F_ADD_SEALS, 0) != 0);
}

// The same, and with every further descriptor that it can be turned into.
void attack_and_reopen(SharedBoard& board, int descriptor, const std::string& target) {
  attack_descriptor(board, descriptor, target);
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  for (const int flags : {O_RDWR, O_WRONLY, O_RDWR | O_TRUNC, O_RDWR | O_APPEND}) {
    const int again = ::open(path.c_str(), flags | O_CLOEXEC);
    if (again < 0) continue;
    attack_descriptor(board, again, target + " reopened");
    ::close(again);
  }
}

// All that can be tried with a mapping that one may read.
void attack_mapping(SharedBoard& board, const testkit::MappedRange& range) {
  Attack attack(board, "the mapping of " + range.what);
  auto* base = reinterpret_cast<std::byte*>(range.begin);
  EXPECT_EQ(range.rights, "r--s") << range.what;
  attack.expect_refused("mprotect", ::mprotect(base, range.size(), PROT_READ | PROT_WRITE) != 0);
  attack.expect_refused("mprotect of a page", ::mprotect(base + 4096, 4096, PROT_WRITE) != 0);
  void* moved = ::mremap(base, 0, 4096, MREMAP_MAYMOVE);  // a second mapping of a shared one
  if (moved != MAP_FAILED) {
    attack.expect_refused("mprotect of a copy", ::mprotect(moved, 4096, PROT_WRITE) != 0);
    ::munmap(moved, 4096);
  }
  attack.expect_refused("madvise(REMOVE)", ::madvise(base, 4096, MADV_REMOVE) != 0);
  // Writing through the kernel, which does not care about page tables where it may.
  const int memory = ::open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  attack.expect_refused("/proc/self/mem",
                        ::pwrite(memory, "poison", 6, static_cast<off_t>(range.begin) + 4096) < 0);
  ::close(memory);
  const iovec from{const_cast<char*>("poison"), 6};
  const iovec to{base + 4096, 6};
  attack.expect_refused("process_vm_writev",
                        ::process_vm_writev(::getpid(), &from, 1, &to, 1, 0) < 0);
  // By name: the file behind the mapping.
  char name[128];
  std::snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", range.begin, range.end);
  const int file = ::open(name, O_RDWR | O_CLOEXEC);
  if (file >= 0) attack_and_reopen(board, file, "the file of " + range.what);
}

// A consumer that attacks all that it was given, and all that it finds.
int attack(const Arguments& arguments) {
  SharedBoard board(board_in(arguments));
  Session session = connect({.name = "attacker"});
  Pipe pipe = session.pipe("x");
  const Popped popped = pipe.pop();
  if (!popped || !testkit::has_pattern(popped.message.bytes(), kVictimSeed)) return 2;
  std::size_t foreign = 0;
  for (const auto& range : testkit::mapped_ranges(::getpid())) {
    const bool is_slab = range.what.find("memfd:tarn-slab") != std::string::npos;
    const bool is_table = range.what.find("memfd:tarn-node") != std::string::npos;
    if (!is_slab && !is_table) continue;
    attack_mapping(board, range);
    ++foreign;
  }
  if (foreign < 2) return 3;
  // What it could take from others, being the same user.
  for (const pid_t pid : {session.status().keeper_pid, session.status().worker_pid}) {
    for (const char* label : {"tarn-slab", "tarn-session", "tarn-node"}) {
      for (const int number : testkit::memory_descriptors(pid, label)) {
        const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(number);
        for (const int flags : {O_RDONLY, O_RDWR}) {
          const int taken = ::open(path.c_str(), flags | O_CLOEXEC);
          if (taken < 0) continue;
          attack_and_reopen(board, taken, std::string(label) + " of the node");
          ::close(taken);
        }
      }
    }
  }
  return testkit::has_pattern(popped.message.bytes(), kVictimSeed) ? 0 : 4;
}

// Asks the node for every slab and every session, as a session that got nothing, and attacks what
// comes.
int attack_by_asking(const Arguments& arguments) {
  SharedBoard board(board_in(arguments));
  const auto paths = wire::run_paths({"test", "tester"}, arguments.at(0), ::getuid());
  auto socket = os::connect_to(paths->socket);
  if (!socket) return 2;
  auto record = SessionRecord::create(*os::identify(::getpid()));
  auto hello = wire::make<wire::Hello>(1);
  hello.magic = wire::kHelloMagic;
  hello.protocol_version = wire::kProtocolVersion;
  hello.byte_order = wire::kByteOrderMark;
  hello.layout_version = layout::kLayoutVersion;
  const auto ask = [&](std::span<const std::byte> request, int descriptor) {
    std::vector<std::byte> buffer(wire::kMaxMessageBytes);
    os::send_message(socket->get(), request, std::span(&descriptor, descriptor >= 0 ? 1 : 0), true);
    return os::receive_message(socket->get(), buffer, true);
  };
  auto welcome = ask(wire::bytes_of(hello), record->fd());
  if (welcome.descriptors.size() != 1) return 3;
  attack_and_reopen(board, welcome.descriptors[0].get(), "the node's table");
  std::size_t got = 0;
  for (std::uint32_t generation = 1; generation < 16; ++generation) {
    for (std::uint32_t index = 1; index < 16; ++index) {
      auto segment = wire::make<wire::SegmentGet>(2);
      segment.index = index;
      segment.generation = generation;
      for (const auto& each : ask(wire::bytes_of(segment), -1).descriptors) {
        attack_and_reopen(board, each.get(), "a slab that was asked for");
        ++got;
      }
      auto session = wire::make<wire::SessionGet>(3);
      session.index = index;
      session.generation = generation;
      // Only the owner of slabs that a session looks into may see its segment.
      EXPECT_TRUE(ask(wire::bytes_of(session), -1).descriptors.empty());
    }
  }
  return got > 0 ? 0 : 4;
}

// Pushes a message, and watches over its bytes while others try to change them.
int be_victim(const Arguments& arguments) {
  SharedBoard board(board_in(arguments));
  Session session = connect({.name = "victim"});
  Pipe pipe = session.pipe("x");
  std::vector<std::span<const std::byte>> sent;
  for (int i = 0; i < 2; ++i) {
    Loan loan = pipe.loan(kVictimBytes);
    testkit::fill_pattern(loan.bytes(), kVictimSeed);
    sent.emplace_back(loan.bytes());
    if (pipe.push(std::move(loan)) != PushStatus::ok) return 2;
  }
  board->victim_pid = ::getpid();
  testkit::await([&] { return board->may_end == 1; });
  for (const auto& bytes : sent) {
    if (!testkit::has_pattern(bytes, kVictimSeed)) return 3;
  }
  return 0;
}

// A stranger with the domain's directories and socket wide open: only the kernel's word for who it
// is keeps it out.
int knock(const Arguments& arguments) {
  const auto paths = wire::run_paths({"test", "tester"}, arguments.at(0), 0);
  auto socket = os::connect_to(paths->socket);
  if (!socket) return 2;
  auto hello = wire::make<wire::Hello>(1);
  hello.magic = wire::kHelloMagic;
  hello.protocol_version = wire::kProtocolVersion;
  hello.byte_order = wire::kByteOrderMark;
  hello.layout_version = layout::kLayoutVersion;
  hello.flags = wire::kHelloObserver;
  os::send_message(socket->get(), wire::bytes_of(hello), {}, true);
  std::vector<std::byte> buffer(wire::kMaxMessageBytes);
  const auto received = os::receive_message(socket->get(), buffer, true);
  buffer.resize(received.size_bytes);
  const auto refusal = wire::decode<wire::ErrorReply>(buffer);
  if (!refusal || !received.descriptors.empty()) return 3;
  std::printf("%s\n", wire::to_error(*refusal).what());
  if (refusal->code != Error::access_denied) return 4;
  // And the library, which looks before it speaks.
  try {
    connect({.start_node = false});
    return 5;
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return error.code() == Error::unsafe_directory || error.code() == Error::access_denied ? 0 : 6;
  }
}

// Becomes an ordinary user, who may trace and open what that user may.
void become_ordinary() {
  if (::setgroups(0, nullptr) != 0 ||
      ::setresgid(kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) != 0 ||
      ::setresuid(kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) != 0) {
    ::_exit(99);
  }
}

class HostileTest : public testkit::NodeTest {
 protected:
  HostileTest() : board_(board_file()) {}
  // Everybody of the test runs as `traits` say: node, victim and attacker.
  void run_attacks(const testkit::ChildTraits& traits = {}) {
    start_node({}, traits);
    auto victim = play("be_victim", {}, traits);
    testkit::await([&] { return board_->victim_pid != 0 || victim.has_ended(); });
    for (const char* role : {"attack", "attack_by_asking"}) {
      auto attacker = play(role, {}, traits);
      expect_success(attacker);
    }
    board_->may_end = 1;
    expect_success(victim);
    std::printf("%u attempts\n", board_->attempts.load());
    EXPECT_GE(board_->attempts, 100u);
    EXPECT_EQ(board_->successes, 0u);
  }
  static void SetUpTestSuite() {
    if (::getuid() == 0) testkit::open_programs_to_all();
  }
  // Gives all that the test made so far to the ordinary user.
  void give_away() {
    for (const auto& path : {domain_.folder(), board_file()}) {
      EXPECT_EQ(::chown(path.c_str(), kOrdinaryUser, kOrdinaryUser), 0);
    }
  }
  SharedBoard board_;
};

TEST_F(HostileTest, AConsumerOfTheSameUserCannotWriteToAnothersSegment) { run_attacks(); }

TEST_F(HostileTest, NeitherCanAnOrdinaryUser) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can become one";
  give_away();
  run_attacks({.before_exec = become_ordinary});
}

TEST_F(HostileTest, AStrangerIsDeniedWhateverThePermissions) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can become one";
  start_node();
  for (auto path = domain_.run_directory(); path != domain_.folder().parent_path();
       path = path.parent_path()) {
    EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
  }
  EXPECT_EQ(::chmod((domain_.run_directory() / "socket").c_str(), 0666), 0);
  auto stranger = play("knock", {}, {.before_exec = become_ordinary});
  expect_success(stranger);
  for (auto path = domain_.run_directory(); path != domain_.folder().parent_path();
       path = path.parent_path()) {
    EXPECT_EQ(::chmod(path.c_str(), 0700), 0);
  }
  EXPECT_NO_THROW(connect({.start_node = false}));
}

}  // namespace
}  // namespace tarn

int main(int argc, char** argv) {
  return tarn::testkit::run(argc, argv,
                            {{"attack", tarn::attack},
                             {"attack_by_asking", tarn::attack_by_asking},
                             {"be_victim", tarn::be_victim},
                             {"knock", tarn::knock}});
}
