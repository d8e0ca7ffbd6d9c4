#include "os/run/service.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string>

#include "base/deadline.h"
#include "os/child.h"
#include "os/process.h"
#include "os/socket.h"

namespace tarn::os {
namespace {

// A manager's end of the notification socket.
class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() {
    std::string pattern = "/tmp/tarn-service-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ + "/notify";
    manager_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    EXPECT_EQ(::bind(manager_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~ServiceTest() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID",
                             "LISTEN_FDS", "LISTEN_FDNAMES", "FDSTORE"}) {
      EXPECT_EQ(::getenv(name), nullptr) << name << " is not for those that we start";
      ::unsetenv(name);
    }
    std::filesystem::remove_all(folder_);
  }
  std::string said() {
    std::array<char, 512> text{};
    const ssize_t count = ::recv(manager_.get(), text.data(), text.size(), MSG_DONTWAIT);
    return count <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(count));
  }

  std::string folder_;
  std::string path_;
  UniqueFd manager_;
};

TEST_F(ServiceTest, WithoutAManagerThereIsNoneAndNothingIsSaid) {
  ServiceManager service = ServiceManager::from_environment();
  EXPECT_FALSE(service);
  EXPECT_EQ(service.watchdog_ns(), 0);
  EXPECT_FALSE(service.take_listener());
  service.notify("READY=1");
  EXPECT_EQ(said(), "");
}

TEST_F(ServiceTest, WhatIsNotifiedArrives) {
  ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "2000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(own_pid()).c_str(), 1);
  const ServiceManager service = ServiceManager::from_environment();
  ASSERT_TRUE(service);
  EXPECT_EQ(service.watchdog_ns(), 2'000'000'000);
  service.notify("READY=1\nSTATUS=here");
  EXPECT_EQ(said(), "READY=1\nSTATUS=here");
}

TEST_F(ServiceTest, WhatIsMeantForAnotherProcessIsLeftAlone) {
  ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "2000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  ::setenv("LISTEN_PID", "1", 1);
  ::setenv("LISTEN_FDS", "1", 1);
  ServiceManager service = ServiceManager::from_environment();
  EXPECT_EQ(service.watchdog_ns(), 0);
  EXPECT_FALSE(service.take_listener());
}

// In a process of its own: the numbers from 3 on are the manager's there.
TEST_F(ServiceTest, WhatWasKeptIsToldFromTheListenerByItsName) {
  const auto listener = listen_at(folder_ + "/socket");
  const auto pair = socket_pair();
  const auto child = fork_process();
  ASSERT_TRUE(child);
  if (*child == 0) {
    const int wanted[] = {::fcntl(pair->first.get(), F_DUPFD, 100),
                          ::fcntl(listener->get(), F_DUPFD, 100),
                          ::fcntl(pair->second.get(), F_DUPFD, 100)};
    for (int i = 0; i < 3; ++i) ::dup2(wanted[i], 3 + i);
    ::setenv("LISTEN_PID", std::to_string(own_pid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "3", 1);
    ::setenv("LISTEN_FDNAMES", ".BOOK:tarn@test.socket:.1a", 1);
    ServiceManager service = ServiceManager::from_environment();
    const auto kept = service.take_kept();
    const bool good = kept.size() == 2 && kept[0].name == "BOOK" && kept[0].fd.get() == 3 &&
                      kept[1].name == "1a" && kept[1].fd.get() == 5 &&
                      service.take_listener().get() == 4 && service.take_kept().empty();
    exit_at_once(good ? 0 : 1);
  }
  EXPECT_EQ(reap_child(*child).status, 0);
}

TEST_F(ServiceTest, KeepAndForgetSayWhatTheManagerUnderstands) {
  ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  ::setenv("FDSTORE", "512", 1);
  const ServiceManager service = ServiceManager::from_environment();
  EXPECT_EQ(service.keeps(), 512u);
  EXPECT_TRUE(service.keep("1a", manager_.get()));
  EXPECT_EQ(said(), "FDSTORE=1\nFDPOLL=0\nFDNAME=.1a");
  EXPECT_TRUE(service.forget("1a"));
  EXPECT_EQ(said(), "FDSTOREREMOVE=1\nFDNAME=.1a");
  EXPECT_FALSE(service.keep("1a", -1)) << "there is nothing to keep";
  EXPECT_FALSE(ServiceManager().keep("1a", manager_.get()));
}

// Its processes begin with the limit that this one began with, and get all of them back.
TEST_F(ServiceTest, NoMoreIsKeptThanASuccessorMayHave) {
  ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  ::setenv("FDSTORE", "8192", 1);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit usual{1024, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  const std::size_t keeps = ServiceManager::from_environment().keeps();
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_GT(keeps, 900u);
  EXPECT_LT(keeps, 1000u);
}

TEST_F(ServiceTest, AManagerThatStallsIsWaitedForOnce) {
  ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  const ServiceManager service = ServiceManager::from_environment();
  while (service.keep("1a", manager_.get())) {  // it takes none out; the last one is waited for
  }
  const std::int64_t before_ns = monotonic_ns();
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(service.forget("1a"));
  EXPECT_LT(monotonic_ns() - before_ns, 900'000'000);
  while (!said().empty()) {
  }
  EXPECT_TRUE(service.forget("1a"));
  EXPECT_EQ(said(), "FDSTOREREMOVE=1\nFDNAME=.1a");
}

TEST_F(ServiceTest, AManagerThatTakesNothingIsNotWaitedForLong) {
  ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  const ServiceManager service = ServiceManager::from_environment();
  EXPECT_EQ(service.keeps(), 0u);
  int taken = 0;
  while (taken < 100'000 && service.forget("x")) ++taken;
  EXPECT_LT(taken, 100'000);
}

TEST_F(ServiceTest, NonsenseInTheEnvironmentIsNoManager) {
  for (const char* wrong : {"", "/", "relative", "/no/such/socket", "@"}) {
    ::setenv("NOTIFY_SOCKET", wrong, 1);
    EXPECT_FALSE(ServiceManager::from_environment()) << wrong;
  }
  ::setenv("NOTIFY_SOCKET", std::string(200, '/').c_str(), 1);
  EXPECT_FALSE(ServiceManager::from_environment());
}

TEST_F(ServiceTest, OnlyAListenerAtThePathIsTakenOver) {
  const std::string path = folder_ + "/socket";
  const auto listener = listen_at(path);
  ASSERT_TRUE(listener);
  EXPECT_TRUE(adopt_listener(listener->get(), path));
  EXPECT_NE(::fcntl(listener->get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_FALSE(adopt_listener(listener->get(), folder_ + "/another"));
  EXPECT_FALSE(adopt_listener(manager_.get(), path_)) << "datagrams";
  const auto pair = socket_pair();
  EXPECT_FALSE(adopt_listener(pair->first.get(), "")) << "it does not listen";
  EXPECT_FALSE(adopt_listener(-1, path));
}

}  // namespace
}  // namespace tarn::os
