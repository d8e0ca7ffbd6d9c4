#include "os/run/service.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string>

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
                             "LISTEN_FDS", "LISTEN_FDNAMES"}) {
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
