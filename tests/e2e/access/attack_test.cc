// What an account with a right on one thing tries to get of everything else, and one without any.

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tarn/pipe.h"
#include "tarn/session.h"
#include "tests/e2e/access/access_fixture.h"

namespace tarn::raw {
namespace {

using wire::MessageType;

Packet get_segment(Client& client, std::uint32_t index, std::uint32_t generation) {
  auto ask = wire::make<wire::SegmentGet>(0);
  ask.index = index;
  ask.generation = generation;
  return client.ask(ask);
}

wire::SegmentAdded add_slab(Client& owner, std::uint32_t audience) {
  Slab slab(2);
  slab.add.audience = audience;
  const auto added = slab.add_to(owner).as<wire::SegmentAdded>();
  EXPECT_TRUE(added);
  return added ? *added : wire::SegmentAdded{};
}

TEST_F(AccessTest, GuessedSegmentsAreNotHandedOut) {
  start();
  allow(user_rule(kBob, kWrite, "a"));
  allow(user_rule(kCarol, kWrite, "b"));
  Client owner = session();
  const MappedPipe pipe_a(owner.open_pipe("a"));
  const MappedPipe pipe_b(owner.open_pipe("b"));
  add_slab(owner, 0);
  add_slab(owner, pipe_b.id);
  const auto for_a = add_slab(owner, pipe_a.id);
  const std::string socket = door().socket;
  EXPECT_EQ(as(kBob,
               [&] {
                 Client bob(socket);
                 bob.begin_session();
                 // Not even the slab of a pipe that it may open, before it has opened it.
                 for (int opened = 0; opened < 2; ++opened) {
                   int got = 0;
                   for (std::uint32_t index = 1; index < 20; ++index) {
                     for (std::uint32_t generation = 0; generation < 20; ++generation) {
                       const Packet packet = get_segment(bob, index, generation);
                       if (packet.type() == MessageType::segment_got) {
                         ++got;
                         if (index != for_a.index || generation != for_a.generation) return 1;
                         continue;
                       }
                       if (packet.code() != Error::not_found) return 2;
                       if (!packet.descriptors.empty()) return 3;
                     }
                   }
                   if (got != opened) return 4;
                   bob.open_pipe("a");
                 }
                 return 0;
               }),
            0);
}

TEST_F(AccessTest, WhatIsHandedOutCannotBeWritten) {
  start();
  allow(user_rule(kBob, kWrite, "a"));
  Client owner = session();
  const MappedPipe pipe(owner.open_pipe("a"));
  const auto slab = add_slab(owner, pipe.id);
  EXPECT_EQ(as(kBob,
               [&] {
                 Client bob(door().socket);
                 bob.begin_session();
                 bob.open_pipe("a");
                 const Packet got = get_segment(bob, slab.index, slab.generation);
                 if (got.descriptors.size() != 1) return 1;
                 const int fd = got.descriptors[0].get();
                 if (::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED) return 2;
                 if (::mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED) return 3;
                 const std::string again = "/proc/self/fd/" + std::to_string(fd);
                 const int reopened = ::open(again.c_str(), O_RDWR | O_CLOEXEC);
                 if (reopened >= 0) return 4;
                 if (::write(fd, "x", 1) > 0) return 5;
                 return ::ftruncate(fd, 0) == 0 ? 6 : 0;
               }),
            0);
}

TEST_F(AccessTest, AnswersTellNothingOfWhatTheAskerMayNotSee) {
  start();
  make_pipe("secret");
  allow(user_rule(kBob, kWrite, "a"));
  Client owner = session();
  EXPECT_EQ(as(kBob,
               [&] {
                 Client bob(door().socket);
                 bob.begin_session();
                 const auto same = [](std::string one, const std::string& other) {
                   const auto at = one.find("secret");
                   return at != std::string::npos && one.replace(at, 6, "nought") == other;
                 };
                 const auto open = [&](const char* name, wire::OpenMode mode) {
                   return std::string(bob.open_pipe(name, 0, mode).error().what());
                 };
                 for (const auto mode : {wire::OpenMode::open_or_create, wire::OpenMode::open_only,
                                         wire::OpenMode::create_only}) {
                   if (!same(open("secret", mode), open("nought", mode))) return 1;
                 }
                 const auto remove = [&](const char* name) {
                   return std::string(bob.remove_pipe(name).error().what());
                 };
                 if (!same(remove("secret"), remove("nought"))) return 2;
                 const auto look = [&](const char* name) {
                   auto ask = wire::make<wire::PipeList>(0);
                   wire::put_text(ask.name, name);
                   return std::string(bob.ask(ask).error().what());
                 };
                 if (!same(look("secret"), look("nought"))) return 3;
                 if (bob.sessions().size() != 1 || bob.status().sessions != 1) return 4;
                 const auto status = bob.status();
                 return status.keeper_pid == 0 && status.worker_pid == 0 ? 0 : 5;
               }),
            0);
  EXPECT_EQ(owner.pipes().size(), 1u) << "asking created nothing";
}

TEST_F(AccessTest, TheOwnersRequestsAreNotForOthers) {
  start();
  allow(user_rule(kBob, kWrite));
  Client owner = session();
  const MappedPipe pipe(owner.open_pipe("a"));
  EXPECT_EQ(as(kBob,
               [&] {
                 Client bob(door().socket);
                 bob.begin_session();
                 auto put = wire::make<wire::AccessSet>(0);
                 put.rule = user_rule(kBob, kWrite);
                 if (bob.ask(put).code() != Error::access_denied) return 1;
                 if (bob.ask<wire::AccessGet>().code() != Error::access_denied) return 2;
                 if (bob.ask<wire::AccessQuotaSet>().code() != Error::access_denied) return 3;
                 auto shutdown = wire::make<wire::Shutdown>(0);
                 shutdown.force = 1;
                 if (bob.ask(shutdown).code() != Error::access_denied) return 4;
                 auto carry = wire::make<wire::SegmentCarry>(0);
                 carry.pipe_id = pipe.id;
                 if (bob.ask(carry).code() != Error::access_denied) return 5;
                 auto look = wire::make<wire::PipeGet>(0);
                 look.pipe_id = pipe.id;
                 if (bob.ask(look).code() != Error::access_denied) return 6;
                 if (bob.remove_pipe("a").code() != Error::access_denied) return 7;
                 // Whatever else there is, or will be: a bare header of each type.
                 for (std::uint16_t type = 0; type < 128; ++type) {
                   if (type == static_cast<std::uint16_t>(MessageType::goodbye)) continue;
                   auto bare = wire::make<wire::StatusGet>(0);
                   bare.header.type = static_cast<MessageType>(type);
                   const Packet packet = bob.ask(bare);
                   const bool is_status = bare.header.type == MessageType::status;
                   if (packet.type() != MessageType::error && !is_status) return 8;
                 }
                 return 0;
               }),
            0);
  EXPECT_EQ(owner.pipes().size(), 1u);
}

// A name in every folder of /proc/PID that leads to memory, of every process of the node and of an
// attached program.
int open_through_proc(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) {
    const std::string base = "/proc/" + std::to_string(pid);
    if (::open((base + "/mem").c_str(), O_RDONLY | O_CLOEXEC) >= 0) return 1;
    for (const char* folder : {"/fd", "/map_files"}) {
      if (DIR* listing = ::opendir((base + folder).c_str()); listing != nullptr) {
        ::closedir(listing);
        if (std::string_view(folder) == "/fd") return 2;
      }
    }
    for (int fd = 0; fd < 64; ++fd) {
      const std::string path = base + "/fd/" + std::to_string(fd);
      if (::open(path.c_str(), O_RDONLY | O_CLOEXEC) >= 0) return 3;
    }
  }
  return 0;
}

TEST_F(AccessTest, NothingLeadsThroughProc) {
  start();
  allow(user_rule(kBob, kWrite));
  Client owner = session();
  const auto status = owner.status();
  const std::vector<pid_t> pids = {status.keeper_pid, status.worker_pid, ::getpid()};
  EXPECT_EQ(as(kBob, [&] { return open_through_proc(pids); }), 0);
  EXPECT_EQ(as(kMallory, [&] { return open_through_proc(pids); }), 0);
}

TEST_F(AccessTest, ASquattedDoorIsNotUsed) {
  start();
  const std::string top = doors_ + "/tarn-door-" + std::to_string(os::own_uid());
  const auto put_fails = [&] {
    Client owner = observer();
    const Packet answer = change(owner, wire::AccessChange::put, user_rule(kBob, kWrite));
    EXPECT_EQ(answer.code(), Error::unsafe_directory) << answer.error().what();
    EXPECT_EQ(access().door_open, 0u);
    EXPECT_NE(wire::get_text(access().problem), "");
  };
  // Somebody else's directory.
  EXPECT_EQ(as(kMallory, [&] { return ::mkdir(top.c_str(), 0777); }), 0);
  put_fails();
  EXPECT_TRUE(std::filesystem::is_empty(top)) << "nothing was put there";
  // Without a rule that lets anybody in there is no door to fail.
  reset();
  {
    Client owner = observer();
    const Packet answer = change(owner, wire::AccessChange::put, user_rule(kBob, kNone));
    EXPECT_EQ(answer.type(), MessageType::done) << answer.error().what();
    EXPECT_EQ(wire::get_text(access().problem), "");
  }
  ::rmdir(top.c_str());
  // A link, to somebody else's place or ours.
  const std::string target = doors_ + "/target";
  ::mkdir(target.c_str(), 0755);
  EXPECT_EQ(as(kMallory, [&] { return ::symlink(target.c_str(), top.c_str()); }), 0);
  put_fails();
  EXPECT_TRUE(std::filesystem::is_empty(target));
  ::unlink(top.c_str());
  ::rmdir(target.c_str());
  // A file.
  EXPECT_EQ(as(kMallory, [&] { return ::mknod(top.c_str(), S_IFREG | 0666, 0); }), 0);
  put_fails();
  ::unlink(top.c_str());
  // A public directory in which others could rename what is ours.
  ::chmod(doors_.c_str(), 0777);
  put_fails();
  ::chmod(doors_.c_str(), 01777);
  allow(user_rule(kBob, kWrite));
  EXPECT_EQ(access().door_open, 1u);
  EXPECT_EQ(wire::get_text(access().problem), "");
}

// A library's client of the owner's domain, as that account.
Error::Code connect_code(const std::string& owner) {
  try {
    connect({.application = "test", .user = "tester", .observer = true, .owner = owner});
    return Error::none;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST_F(AccessTest, NobodyElsePosesAsTheNode) {
  keeps_doors_ = true;
  const auto paths = door();
  const auto bob_sees = [&](Error::Code code) {
    return as(kBob, [&] { return connect_code("0") == code ? 0 : 1; });
  };
  EXPECT_EQ(bob_sees(Error::access_denied), 0) << "nothing is there";
  // Everything by Mallory, who answers, too.
  const auto pose = [&](bool as_mallory_from_the_start) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(kWatchdogSeconds);
      if (as_mallory_from_the_start) become(kMallory);
      ::umask(0);
      std::filesystem::create_directories(paths.directory);
      const int socket = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      std::strncpy(address.sun_path, paths.socket.c_str(), sizeof address.sun_path - 1);
      ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address);
      for (std::string level = paths.socket; level.size() > doors_.size();
           level.erase(level.rfind('/'))) {
        ::chmod(level.c_str(), level == paths.socket ? 0666 : 0755);
      }
      // A socket that a service of the owner's left behind, in the hands of somebody else.
      if (!as_mallory_from_the_start) become(kMallory);
      ::listen(socket, 8);
      for (;;) ::pause();
    }
    EXPECT_TRUE(eventually([&] {
      auto reached = os::connect_to(paths.socket);
      return reached.has_value();
    }));
    return child;
  };
  for (const auto& [early, code] :
       {std::pair{true, Error::unsafe_directory}, std::pair{false, Error::access_denied}}) {
    const pid_t child = pose(early);
    EXPECT_EQ(bob_sees(code), 0) << "as Mallory from the start: " << early;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    for (const auto& each : std::filesystem::directory_iterator(doors_)) {
      std::filesystem::remove_all(each.path());
    }
  }
}

TEST_F(AccessTest, APipeFromBeforeOthersWereAllowedStaysClosedWhileItIsUsed) {
  start();
  Client owner = session();
  const MappedPipe pipe(owner.open_pipe("a"));
  allow(user_rule(kBob, kWrite, "a"));
  const auto bob_opens = [&] {
    return as(kBob, [&] {
      Client bob(door().socket);
      bob.begin_session();
      return bob.open_pipe("a").type() == MessageType::pipe_opened ? 0 : 1;
    });
  };
  EXPECT_EQ(bob_opens(), 1);
  EXPECT_EQ(owner.leave_pipe(pipe.id).type(), MessageType::done);
  EXPECT_EQ(bob_opens(), 0);
}

TEST_F(AccessTest, WhatWasSaidBeforeOthersWereAllowedIsNotHandedOut) {
  start();
  const std::string secret = "known to the owner alone";
  Client owner = session();
  {
    MappedPipe pipe(owner.open_pipe("a", 8));
    pipe.push_text(owner.welcome.session_index, secret);
    Peeked found;
    ASSERT_EQ(pipe.view.peek(found), SlotPop::ok);
    const auto self = static_cast<std::uint16_t>(owner.welcome.session_index);
    ASSERT_TRUE(pipe.view.take(self, found));
    ASSERT_TRUE(pipe.view.is_drained());
    ASSERT_EQ(owner.leave_pipe(pipe.id).type(), MessageType::done);
  }
  allow(user_rule(kBob, kWrite, "a"));
  EXPECT_EQ(as(kBob,
               [&] {
                 Client bob(door().socket);
                 bob.begin_session();
                 const Packet opened = bob.open_pipe("a");
                 const auto facts = opened.as<wire::PipeOpened>();
                 if (!facts || facts->slot_count != 8 || facts->created != 0) return 1;
                 const MappedPipe pipe(opened);
                 const auto bytes = pipe.segment.bytes(0, facts->size_bytes);
                 const std::string_view all(reinterpret_cast<const char*>((*bytes).data()),
                                            (*bytes).size());
                 return all.find(secret) == std::string_view::npos ? 0 : 2;
               }),
            0);
  EXPECT_EQ(owner.pipes().size(), 1u);
}

TEST_F(AccessTest, NothingIsCarriedBetweenAccountsByReference) {
  start();
  allow(user_rule(kBob, kWrite, "a"));
  Client owner = session();
  const MappedPipe shared(owner.open_pipe("a"));
  const MappedPipe own(owner.open_pipe("b"));
  const auto slab = add_slab(owner, 0);
  auto carry = wire::make<wire::SegmentCarry>(0);
  carry.index = slab.index;
  carry.generation = slab.generation;
  carry.pipe_id = own.id;
  EXPECT_EQ(owner.ask(carry).type(), MessageType::done);
  carry.pipe_id = shared.id;
  EXPECT_EQ(owner.ask(carry).code(), Error::access_denied);
  // A slab for a pipe that is nobody's, or for this account alone.
  Slab wrong(1);
  for (const std::uint32_t audience : {own.id, 999U}) {
    wrong.add.audience = audience;
    EXPECT_EQ(wrong.add_to(owner).code(), Error::corrupt);
  }
}

}  // namespace
}  // namespace tarn::raw
