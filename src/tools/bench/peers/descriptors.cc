// Unix sockets and pipes: two descriptors, one for each direction's end.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tools/bench/peers/byte_channel.h"

namespace tarn::bench {
namespace {

enum class Kind : std::uint8_t { seqpacket, stream, pipe };

constexpr std::size_t kLargestMessage = 64 * 1024;
constexpr int kBufferBytes = 1 << 20;

BenchError failed(const char* attempted) {
  return BenchError(std::string(attempted) + " failed: " + std::strerror(errno));
}

// {read end, write end}
std::array<int, 2> open_ends(Kind kind, bool polling) {
  std::array<int, 2> ends{-1, -1};
  const int nonblocking = polling ? O_NONBLOCK : 0;
  if (kind == Kind::pipe) {
    if (::pipe2(ends.data(), O_CLOEXEC | nonblocking) != 0) throw failed("pipe2");
    ::fcntl(ends[1], F_SETPIPE_SZ, kBufferBytes);  // as far as allowed
    return ends;
  }
  const int type = (kind == Kind::seqpacket ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC |
                   (polling ? SOCK_NONBLOCK : 0);
  if (::socketpair(AF_UNIX, type, 0, ends.data()) != 0) throw failed("socketpair");
  ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &kBufferBytes, sizeof kBufferBytes);
  return ends;
}

class DescriptorChannel : public ByteChannel {
 public:
  DescriptorChannel(Kind kind, Waiting waiting)
      : polling_(waiting == Waiting::polling), ends_(open_ends(kind, polling_)) {}
  ~DescriptorChannel() override {
    for (const int end : ends_) ::close(end);
  }

  // Streams may take and give a message in parts.
  void send(std::span<const std::byte> message) override {
    while (!message.empty()) {
      const ssize_t size = ::write(ends_[1], message.data(), message.size());
      if (size > 0) {
        message = message.subspan(static_cast<std::size_t>(size));
      } else if (!again()) {
        throw failed("write");
      }
    }
  }
  void receive(std::span<std::byte> message) override {
    while (!message.empty()) {
      const ssize_t size = ::read(ends_[0], message.data(), message.size());
      if (size > 0) {
        message = message.subspan(static_cast<std::size_t>(size));
      } else if (size == 0 || !again()) {
        throw failed("read");
      }
    }
  }

 private:
  bool again() const {
    return errno == EINTR || (polling_ && (errno == EAGAIN || errno == EWOULDBLOCK));
  }

  bool polling_;
  std::array<int, 2> ends_;
};

class DescriptorPeer : public Peer {
 public:
  DescriptorPeer(std::string name, Kind kind) : name_(std::move(name)), kind_(kind) {}

  std::string name() const override { return name_; }
  std::size_t max_message_bytes() const override { return kLargestMessage; }
  std::unique_ptr<ByteChannel> make_channel(Waiting waiting, std::size_t) const override {
    return std::make_unique<DescriptorChannel>(kind_, waiting);
  }

 private:
  std::string name_;
  Kind kind_;
};

}  // namespace

std::unique_ptr<Peer> make_unix_seqpacket_peer() {
  return std::make_unique<DescriptorPeer>("unix_seqpacket", Kind::seqpacket);
}
std::unique_ptr<Peer> make_unix_stream_peer() {
  return std::make_unique<DescriptorPeer>("unix_stream", Kind::stream);
}
std::unique_ptr<Peer> make_pipe_peer() {
  return std::make_unique<DescriptorPeer>("pipe", Kind::pipe);
}

}  // namespace tarn::bench
