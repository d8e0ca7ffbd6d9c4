// How a node begins and ends, and what it does not trust on the way.

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <fstream>

#include "tests/e2e/node_fixture.h"

namespace tarn::raw {
namespace {

using ::testing::HasSubstr;

using DaemonTest = NodeTest;

// What the daemon said when it did not start.
Error refusal(const std::string& line) {
  const auto report = wire::decode_start_report(line);
  return report ? Error(Error::none, "", line, "") : report.error();
}

struct stat facts_of(const std::string& path) {
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
  return facts;
}

TEST_F(DaemonTest, StartsAndEndsInOrder) {
  start();
  EXPECT_EQ(std::to_string(daemon_->pid()) + "\n", [&] {
    std::ifstream file(place_.paths().pid_file);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }());
  const auto status = observer().status();
  EXPECT_EQ(status.keeper_pid, daemon_->pid());
  EXPECT_EQ(status.worker_starts, 1u);
  EXPECT_EQ(status.ends_when_idle, 0u);
  EXPECT_EQ(wire::get_text(status.application), "test");
  EXPECT_EQ(wire::get_text(status.user), "tester");
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), wire::kExitOrdered);
  EXPECT_TRUE(place_.is_empty());
}

TEST_F(DaemonTest, LeavesNothingInDevShm) {
  const auto names = [] {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
      found.push_back(entry.path());
    }
    return found;
  };
  const auto before = names();
  start();
  Client client = session();
  MappedPipe pipe(client.open_pipe("p"));
  EXPECT_EQ(names(), before);
}

TEST_F(DaemonTest, TenAtOnceLeaveExactlyOne) {
  std::vector<std::unique_ptr<Daemon>> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(std::make_unique<Daemon>(place_, std::vector<std::string>{}));
  }
  int ready = 0;
  int busy = 0;
  for (auto& daemon : all) {
    const std::string line = daemon->start_line();
    ready += line == wire::kReadyLine ? 1 : 0;
    if (line != wire::kBusyLine) continue;
    ++busy;
    EXPECT_EQ(daemon->wait(), wire::kExitBusy);
  }
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(busy, 9);
  EXPECT_EQ(observer().status().worker_starts, 1u);
}

TEST_F(DaemonTest, StartsAndEndsAgainAndAgainAtOnce) {
  // Those that end remove the directories that others are about to make.
  for (int round = 0; round < 10; ++round) {
    std::vector<std::unique_ptr<Daemon>> all;
    for (int i = 0; i < 4; ++i) {
      all.push_back(std::make_unique<Daemon>(place_, std::vector<std::string>{"--idle-exit", "0"}));
    }
    for (auto& daemon : all) {
      const std::string line = daemon->start_line();
      EXPECT_TRUE(line == wire::kReadyLine || line == wire::kBusyLine) << line;
      daemon->wait();
    }
    EXPECT_TRUE(place_.is_empty());
  }
}

TEST_F(DaemonTest, SecondDaemonIsRefusedBeforeItTouchesAnything) {
  start();
  Client client = session();
  const auto paths = place_.paths();
  const auto pid_before = facts_of(paths.pid_file);
  const auto socket_before = facts_of(paths.socket);
  Daemon second(place_, {});
  EXPECT_EQ(second.start_line(), wire::kBusyLine);
  EXPECT_EQ(second.wait(), wire::kExitBusy);
  EXPECT_EQ(facts_of(paths.pid_file).st_ino, pid_before.st_ino);
  EXPECT_EQ(facts_of(paths.pid_file).st_mtim.tv_nsec, pid_before.st_mtim.tv_nsec);
  EXPECT_EQ(facts_of(paths.socket).st_ino, socket_before.st_ino);
  EXPECT_EQ(client.sessions().size(), 1u);
}

TEST_F(DaemonTest, FilesAreClosedToOthers) {
  start();
  const auto paths = place_.paths();
  for (const auto& path : {paths.pid_file, paths.lock_file, paths.socket, paths.log_file}) {
    EXPECT_EQ(facts_of(path).st_mode & 077, 0u) << path;
  }
  EXPECT_EQ(facts_of(paths.directory).st_mode & 0777, 0700u);
}

TEST_F(DaemonTest, RunDirectoryThatIsALinkIsRefused) {
  RuntimeDirectory elsewhere;
  std::filesystem::create_symlink(elsewhere.path(), place_.path() + "/tarn");
  Daemon daemon(place_, {});
  const Error error = refusal(daemon.start_line());
  EXPECT_EQ(error.code(), Error::unsafe_directory);
  EXPECT_THAT(error.object(), HasSubstr("is a link"));
  EXPECT_EQ(daemon.wait(), wire::kExitFailed);
  EXPECT_TRUE(elsewhere.is_empty());
  std::filesystem::remove(place_.path() + "/tarn");
}

TEST_F(DaemonTest, RunDirectoryOpenToOthersIsRefused) {
  std::filesystem::create_directory(place_.path() + "/tarn");
  ::chmod((place_.path() + "/tarn").c_str(), 0755);
  Daemon daemon(place_, {});
  const Error error = refusal(daemon.start_line());
  EXPECT_EQ(error.code(), Error::unsafe_directory);
  EXPECT_THAT(error.object(), HasSubstr("open to other users"));
  EXPECT_EQ(daemon.wait(), wire::kExitFailed);
  std::filesystem::remove(place_.path() + "/tarn");
}

TEST_F(DaemonTest, RunDirectoryOfSomebodyElseIsRefused) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  std::filesystem::create_directory(place_.path() + "/tarn");
  ::chmod((place_.path() + "/tarn").c_str(), 0700);
  ASSERT_EQ(::chown((place_.path() + "/tarn").c_str(), 65534, 65534), 0);
  Daemon daemon(place_, {});
  const Error error = refusal(daemon.start_line());
  EXPECT_EQ(error.code(), Error::unsafe_directory);
  EXPECT_THAT(error.object(), HasSubstr("belongs to uid 65534"));
  EXPECT_EQ(daemon.wait(), wire::kExitFailed);
  std::filesystem::remove(place_.path() + "/tarn");
}

TEST_F(DaemonTest, LockThatIsALinkIsRefused) {
  const auto paths = place_.paths();
  std::filesystem::create_directories(paths.directory);
  std::string level = paths.directory;
  for (; level.size() > place_.path().size(); level.erase(level.rfind('/'))) {
    ::chmod(level.c_str(), 0700);
  }
  RuntimeDirectory elsewhere;
  std::filesystem::create_symlink(elsewhere.path() + "/target", paths.lock_file);
  Daemon daemon(place_, {});
  EXPECT_EQ(refusal(daemon.start_line()).code(), Error::os);
  EXPECT_EQ(daemon.wait(), wire::kExitFailed);
  EXPECT_TRUE(elsewhere.is_empty());
  std::filesystem::remove_all(place_.path() + "/tarn");
}

TEST_F(DaemonTest, SocketPathThatIsTooLongIsRefused) {
  const std::string deep = place_.path() + "/" + std::string(80, 'x');
  std::filesystem::create_directory(deep);
  Daemon daemon(place_, {}, [&] { ::setenv("XDG_RUNTIME_DIR", deep.c_str(), 1); });
  const Error error = refusal(daemon.start_line());
  EXPECT_EQ(error.code(), Error::invalid_argument);
  EXPECT_THAT(error.cure(), HasSubstr("107"));
  EXPECT_EQ(daemon.wait(), wire::kExitFailed);
  std::filesystem::remove(deep);
}

TEST_F(DaemonTest, NameThatCannotBeIsRefused) {
  Daemon daemon(place_, {"--application", "../x"});
  EXPECT_EQ(refusal(daemon.start_line()).code(), Error::invalid_argument);
  EXPECT_EQ(daemon.wait(), wire::kExitFailed);
}

TEST_F(DaemonTest, FullRunDirectoryIsAnErrorAndIsLeftAsItWas) {
  // Five inodes: the root, tarn, its two levels, and the lock. Nothing is left for the rest.
  const std::string& at = place_.path();
  bool mounted = false;
  const auto mount_small = [&] {
    mounted = ::unshare(CLONE_NEWNS) == 0 &&
              ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
              ::mount("tmpfs", at.c_str(), "tmpfs", 0, "nr_inodes=5,mode=700") == 0;
    if (!mounted) ::_exit(126);
  };
  Daemon daemon(place_, {}, mount_small);
  const std::string line = daemon.start_line();
  const int status = daemon.wait();
  if (status == 126) GTEST_SKIP() << "this user cannot mount";
  EXPECT_EQ(refusal(line).code(), Error::no_memory) << line;
  EXPECT_EQ(status, wire::kExitFailed);
}

TEST_F(DaemonTest, UnknownOptionIsAUsageError) {
  Daemon daemon(place_, {"--nonsense"});
  EXPECT_EQ(daemon.start_line(), "");
  EXPECT_EQ(daemon.wait(), wire::kExitUsage);
}

TEST_F(DaemonTest, KilledKeeperTakesItsWorkerAlongAndTheNextNodeStarts) {
  start();
  const auto before = observer().status();
  Client client = session();
  daemon_->signal(SIGKILL);
  daemon_->wait();
  // The kernel kills the worker with its keeper; it may see the keeper's end first, and say so.
  Packet last = client.receive();
  if (last.type() == wire::MessageType::notice_shutdown) last = client.receive();
  EXPECT_TRUE(last.ended());
  EXPECT_TRUE(eventually([&] { return ::kill(before.worker_pid, 0) != 0; }));
  EXPECT_FALSE(place_.is_empty());  // the files of the dead node
  start();
  EXPECT_NE(observer().status().keeper_pid, before.keeper_pid);
  client.reconnect();
  EXPECT_EQ(client.resume().code(), Error::access_denied) << "another node, another session";
}

TEST_F(DaemonTest, EndsWhenIdleOnceTheLastSessionIsGone) {
  start({"--idle-exit", "0.05"});
  {
    Client client(socket_path());
    // The node may have ended before we came.
    if (client.is_connected() && !client.begin_session().ended()) {
      EXPECT_EQ(client.status().ends_when_idle, 1u);
      EXPECT_EQ(client.ask<wire::Goodbye>().type(), wire::MessageType::done);
    }
  }
  EXPECT_EQ(daemon_->wait(), wire::kExitOrdered);
  EXPECT_TRUE(place_.is_empty());
}

TEST_F(DaemonTest, UndeliveredMessageKeepsAnIdleNode) {
  start({"--idle-exit", "1"});
  std::optional<Client> producer(session());
  MappedPipe pipe(producer->open_pipe("p"));
  ASSERT_EQ(pipe.push_text(producer->welcome.session_index, "hello"), SlotPush::ok);
  EXPECT_EQ(producer->ask<wire::Goodbye>().type(), wire::MessageType::done);
  std::this_thread::sleep_for(1500ms);  // longer than the idle time
  EXPECT_EQ(observer().status().pipes, 1u);
  Peeked found;
  ASSERT_EQ(pipe.view.peek(found), SlotPop::ok);
  ASSERT_TRUE(pipe.view.take(1, found));
  EXPECT_EQ(daemon_->wait(), wire::kExitOrdered);
}

TEST_F(DaemonTest, ShutdownIsBusyWhileSessionsAreAttachedUnlessForced) {
  start();
  Client client = session();
  Client other = observer();
  auto wish = wire::make<wire::Shutdown>(0);
  const Packet refused = other.ask(wish);
  EXPECT_EQ(refused.code(), Error::busy);
  EXPECT_THAT(refused.error().object(), HasSubstr("session 1 'raw' (pid "));
  wish.force = 1;
  EXPECT_EQ(other.ask(wish).type(), wire::MessageType::done);
  EXPECT_EQ(client.receive().type(), wire::MessageType::notice_shutdown);
  EXPECT_TRUE(client.receive().ended());
  EXPECT_EQ(daemon_->wait(), wire::kExitOrdered);
  EXPECT_TRUE(place_.is_empty());
}

TEST_F(DaemonTest, SignalToTheWorkerEndsTheNodeToo) {
  start();
  ::kill(observer().status().worker_pid, SIGTERM);
  EXPECT_EQ(daemon_->wait(), wire::kExitOrdered);
}

TEST_F(DaemonTest, SmallDescriptorLimitIsAnErrorForTheNewcomerAlone) {
  start({}, [] {
    const rlimit limit{24, 24};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  });
  std::vector<Client> clients;
  Error::Code code = Error::none;
  for (int i = 0; i < 30 && code == Error::none; ++i) {
    clients.emplace_back(socket_path());
    const Packet packet = clients.back().begin_session();
    code = packet.code();
    EXPECT_TRUE(code != Error::none || packet.type() == wire::MessageType::welcome);
  }
  EXPECT_EQ(code, Error::no_descriptors);
  ASSERT_GE(clients.size(), 2u);
  EXPECT_EQ(clients.front().status().sessions, clients.size() - 1);
  clients.pop_back();
  // Room again once somebody leaves.
  EXPECT_EQ(clients.front().ask<wire::Goodbye>().type(), wire::MessageType::done);
  EXPECT_TRUE(eventually([&] {
    Client newcomer(socket_path());
    return newcomer.begin_session().type() == wire::MessageType::welcome &&
           newcomer.ask<wire::Goodbye>().type() == wire::MessageType::done;
  }));
  EXPECT_EQ(observer().status().worker_starts, 1u);
  clients.erase(clients.begin());
  kill_worker();
  for (Client& client : clients) EXPECT_TRUE(client.come_back());
}

TEST_F(DaemonTest, ClosedStandardStreamsDoNotCostTheLock) {
  start({}, [] {
    for (const int fd : {0, 1, 2}) ::close(fd);
  });
  Daemon second(place_, {});
  EXPECT_EQ(second.start_line(), wire::kBusyLine);
}

}  // namespace
}  // namespace tarn::raw
