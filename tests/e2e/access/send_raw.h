// send_raw.h - a message as no library would send it: with any descriptors beside it.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstring>
#include <vector>

namespace tarn::raw {

// Sends it without any regard for limits of ours; what the kernel said.
inline ssize_t send_raw(int socket, std::size_t size_bytes, const std::vector<int>& descriptors) {
  std::vector<char> bytes(size_bytes, 'x');
  iovec part{bytes.data(), bytes.size()};
  std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size() * sizeof(int));
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace tarn::raw
