#include "os/access/accounts.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cerrno>

#include "os/system_error.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

namespace tarn::os {
namespace {

// A group may have many members: its entry is long.
constexpr std::size_t kFirstBuffer = 4096;
constexpr std::size_t kLargestBuffer = std::size_t{1} << 22;

// Calls look(buffer, size) with larger and larger buffers until it no longer says ERANGE.
template <class Look>
void with_buffer(Look&& look) {
  std::vector<char> buffer(kFirstBuffer);
  while (look(buffer.data(), buffer.size()) == ERANGE && buffer.size() < kLargestBuffer) {
    buffer.resize(2 * buffer.size());
  }
}

}  // namespace

std::optional<std::uint32_t> find_user(const std::string& name) {
  std::optional<std::uint32_t> uid;
  with_buffer([&](char* buffer, std::size_t size) {
    passwd entry{};
    passwd* found = nullptr;
    const int error = ::getpwnam_r(name.c_str(), &entry, buffer, size, &found);
    if (found != nullptr) uid = found->pw_uid;
    return error;
  });
  return uid;
}

std::optional<std::uint32_t> find_group(const std::string& name) {
  std::optional<std::uint32_t> gid;
  with_buffer([&](char* buffer, std::size_t size) {
    group entry{};
    group* found = nullptr;
    const int error = ::getgrnam_r(name.c_str(), &entry, buffer, size, &found);
    if (found != nullptr) gid = found->gr_gid;
    return error;
  });
  return gid;
}

std::string user_name(std::uint32_t uid) {
  std::string name;
  with_buffer([&](char* buffer, std::size_t size) {
    passwd entry{};
    passwd* found = nullptr;
    const int error = ::getpwuid_r(uid, &entry, buffer, size, &found);
    if (found != nullptr) name = found->pw_name;
    return error;
  });
  return name;
}

std::string group_name(std::uint32_t gid) {
  std::string name;
  with_buffer([&](char* buffer, std::size_t size) {
    group entry{};
    group* found = nullptr;
    const int error = ::getgrgid_r(gid, &entry, buffer, size, &found);
    if (found != nullptr) name = found->gr_name;
    return error;
  });
  return name;
}

Result<std::vector<std::uint32_t>, Error> peer_groups(int socket) {
  std::vector<gid_t> groups(64);
  for (;;) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      return std::vector<std::uint32_t>(groups.begin(), groups.end());
    }
    // Then `size` says how much there is.
    if (errno != ERANGE || size <= groups.size() * sizeof(gid_t)) {
      return system_error("identify a client's groups", "socket");
    }
    groups.resize(size / sizeof(gid_t));
  }
}

}  // namespace tarn::os
