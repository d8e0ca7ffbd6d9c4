// POSIX message queues. Unlinked as soon as they are open, so nothing can be left behind.
#include <fcntl.h>
#include <mqueue.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "tools/bench/peers/byte_channel.h"

namespace tarn::bench {
namespace {

long system_limit(const char* file, long otherwise) {
  std::ifstream stream(std::string("/proc/sys/fs/mqueue/") + file);
  long value = 0;
  return stream >> value ? value : otherwise;
}

class PosixMq : public ByteChannel {
 public:
  PosixMq(Waiting waiting, std::size_t message_bytes) : polling_(waiting == Waiting::polling) {
    static int serial = 0;
    const std::string name =
        "/tarn-bench-" + std::to_string(::getpid()) + "-" + std::to_string(++serial);
    mq_attr attributes{};
    attributes.mq_maxmsg = system_limit("msg_max", 10);
    attributes.mq_msgsize = static_cast<long>(message_bytes);
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | (polling_ ? O_NONBLOCK : 0);
    queue_ = ::mq_open(name.c_str(), flags, 0600, &attributes);
    if (queue_ < 0) throw BenchError(std::string("cannot open a message queue: ") + why());
    ::mq_unlink(name.c_str());
  }
  ~PosixMq() override { ::mq_close(queue_); }

  void send(std::span<const std::byte> message) override {
    const auto* bytes = reinterpret_cast<const char*>(message.data());
    while (::mq_send(queue_, bytes, message.size(), 0) != 0) {
      if (!again()) throw BenchError(std::string("mq_send failed: ") + why());
    }
  }
  void receive(std::span<std::byte> message) override {
    auto* bytes = reinterpret_cast<char*>(message.data());
    for (;;) {
      const ssize_t size = ::mq_receive(queue_, bytes, message.size(), nullptr);
      if (size == static_cast<ssize_t>(message.size())) return;
      if (size >= 0 || !again()) throw BenchError(std::string("mq_receive failed: ") + why());
    }
  }

 private:
  static const char* why() { return std::strerror(errno); }
  bool again() const { return errno == EINTR || (polling_ && errno == EAGAIN); }

  bool polling_;
  mqd_t queue_ = -1;
};

class PosixMqPeer : public Peer {
 public:
  std::string name() const override { return "posix_mq"; }
  std::size_t max_message_bytes() const override {
    return static_cast<std::size_t>(std::max(system_limit("msgsize_max", 8192), 0L));
  }
  std::unique_ptr<ByteChannel> make_channel(Waiting waiting,
                                            std::size_t message_bytes) const override {
    return std::make_unique<PosixMq>(waiting, message_bytes);
  }
};

}  // namespace

std::unique_ptr<Peer> make_posix_mq_peer() { return std::make_unique<PosixMqPeer>(); }

}  // namespace tarn::bench
