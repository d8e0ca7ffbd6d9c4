// Boost.Interprocess message_queue, where its headers were there to build with. Its shared memory
// has a name of our own, and goes with the channel.
#include "tools/bench/peers/byte_channel.h"

#if __has_include(<boost/interprocess/ipc/message_queue.hpp>)

#include <unistd.h>

#include <boost/interprocess/ipc/message_queue.hpp>

namespace tarn::bench {
namespace {

namespace interprocess = boost::interprocess;

constexpr std::size_t kLargestMessage = 64 * 1024;
constexpr std::size_t kSlots = 64;

class BoostMq : public ByteChannel {
 public:
  BoostMq(Waiting waiting, std::size_t message_bytes)
      : polling_(waiting == Waiting::polling),
        name_(fresh_name()),
        queue_(interprocess::create_only, name_.c_str(), kSlots, message_bytes) {
    // Both processes inherit the mapping; without a name nothing can be left behind.
    interprocess::message_queue::remove(name_.c_str());
  }

  void send(std::span<const std::byte> message) override {
    if (!polling_) {
      queue_.send(message.data(), message.size(), 0);
      return;
    }
    while (!queue_.try_send(message.data(), message.size(), 0)) {
    }
  }
  void receive(std::span<std::byte> message) override {
    interprocess::message_queue::size_type size = 0;
    unsigned int priority = 0;
    if (!polling_) {
      queue_.receive(message.data(), message.size(), size, priority);
    } else {
      while (!queue_.try_receive(message.data(), message.size(), size, priority)) {
      }
    }
    if (size != message.size()) throw BenchError("a message of another size came");
  }

 private:
  static std::string fresh_name() {
    static int serial = 0;
    return "tarn-bench-" + std::to_string(::getpid()) + "-" + std::to_string(++serial);
  }

  bool polling_;
  std::string name_;
  interprocess::message_queue queue_;
};

class BoostMqPeer : public Peer {
 public:
  std::string name() const override { return "boost_mq"; }
  std::size_t max_message_bytes() const override { return kLargestMessage; }
  std::unique_ptr<ByteChannel> make_channel(Waiting waiting,
                                            std::size_t message_bytes) const override {
    try {
      return std::make_unique<BoostMq>(waiting, message_bytes);
    } catch (const interprocess::interprocess_exception& failure) {
      throw BenchError(std::string("cannot create a Boost message queue: ") + failure.what());
    }
  }
};

}  // namespace

std::unique_ptr<Peer> make_boost_mq_peer() { return std::make_unique<BoostMqPeer>(); }

}  // namespace tarn::bench

#else

namespace tarn::bench {

std::unique_ptr<Peer> make_boost_mq_peer() { return nullptr; }

}  // namespace tarn::bench

#endif
