// kept_descriptors.h - a service manager's store of descriptors, in a test's own process: takes
// what sd_notify(3) describes.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "os/run/service.h"
#include "os/socket.h"

namespace tarn::testkit {

class KeptDescriptors {
 public:
  explicit KeptDescriptors(std::size_t keeps) : keeps_(keeps) {
    std::string pattern = "/tmp/tarn-manager-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    socket_ = os::UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_ + "/notify";
    std::memcpy(address.sun_path, path.c_str(), path.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~KeptDescriptors() { std::filesystem::remove_all(folder_); }
  KeptDescriptors(const KeptDescriptors&) = delete;
  KeptDescriptors& operator=(const KeptDescriptors&) = delete;

  // As a process of the service has it, but for what was kept.
  os::ServiceManager begin_service() const {
    ::setenv("NOTIFY_SOCKET", (folder_ + "/notify").c_str(), 1);
    ::setenv("FDSTORE", std::to_string(keeps_).c_str(), 1);
    return os::ServiceManager::from_environment();
  }
  // Descriptors of its own for what is kept now.
  std::vector<os::KeptDescriptor> copies() {
    listen();
    std::vector<os::KeptDescriptor> all;
    for (const os::KeptDescriptor& each : kept_) {
      all.push_back({each.name, os::UniqueFd(::fcntl(each.fd.get(), F_DUPFD_CLOEXEC, 3))});
    }
    return all;
  }
  std::size_t size() {
    listen();
    return kept_.size();
  }
  void lose(const std::string& name) {
    listen();
    EXPECT_EQ(forget(name), 1u);
  }
  void replace(const std::string& name, os::UniqueFd fd) {
    lose(name);
    kept_.push_back({name, std::move(fd)});
  }

 private:
  std::size_t forget(const std::string& name) {
    return std::erase_if(kept_, [&](const auto& each) { return each.name == name; });
  }
  void listen() {
    std::array<std::byte, 4096> buffer;
    for (;;) {
      auto said = os::receive_message(socket_.get(), buffer, false);
      if (said.outcome != os::ReceiveOutcome::ok) return;
      const std::string text(reinterpret_cast<const char*>(buffer.data()), said.size_bytes);
      const std::size_t at = text.find("FDNAME=.");
      ASSERT_NE(at, std::string::npos) << text;
      const std::string name = text.substr(at + 8);
      if (text.rfind("FDSTOREREMOVE=1\n", 0) == 0) {
        forget(name);
      } else {
        ASSERT_EQ(text.rfind("FDSTORE=1\nFDPOLL=0\n", 0), 0u) << text;
        ASSERT_EQ(said.descriptors.size(), 1u);
        keep(name, std::move(said.descriptors[0]));
      }
    }
  }
  // As systemd does: of two alike the first stays, and none beyond the limit.
  void keep(const std::string& name, os::UniqueFd fd) {
    const auto object = os::identify_object(fd.get());
    for (const os::KeptDescriptor& each : kept_) {
      if (os::identify_object(each.fd.get()) == object) return;
    }
    if (kept_.size() < keeps_) kept_.push_back({name, std::move(fd)});
  }

  const std::size_t keeps_;
  std::string folder_;
  os::UniqueFd socket_;
  std::vector<os::KeptDescriptor> kept_;
};

}  // namespace tarn::testkit
