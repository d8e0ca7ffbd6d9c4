#include "client/observer.h"

#include <chrono>
#include <thread>

#include "client/hello.h"

namespace tarn::detail {
namespace {

using namespace std::chrono_literals;
constexpr auto kAnswerWithin = 5s;
constexpr auto kPauseBetweenWorkers = 1ms;

}  // namespace

Result<std::shared_ptr<Observer>, Error> Observer::create(const Domain& domain) {
  std::shared_ptr<Observer> observer(new Observer(domain));
  const Deadline deadline = Deadline::in(kAnswerWithin);
  auto greeted = observer->greet(deadline);
  // A worker that dies before it answers is no error: the next one is asked.
  while (!greeted && greeted.error().code() == Error::node_lost && !deadline.has_passed()) {
    std::this_thread::sleep_for(kPauseBetweenWorkers);
    greeted = observer->greet(deadline);
  }
  if (!greeted) return std::move(greeted).error();
  return observer;
}

FullStatus Observer::greet(Deadline deadline) {
  auto socket = reach_node(domain_, deadline);
  if (!socket) return std::move(socket).error();
  wire::Hello hello = make_hello("observer");
  hello.flags = wire::kHelloObserver;
  auto reply = ask_once(socket->get(), wire::bytes_of(hello), -1, deadline);
  if (!reply) return std::move(reply).error();
  auto welcome = reply->as<wire::Welcome>("greet the node");
  if (!welcome) return std::move(welcome).error();
  socket_ = std::move(*socket);
  return Done{};
}

Result<Reply, Error> Observer::ask_bytes(std::span<const std::byte> request,
                                         std::span<const int> descriptors, const char* attempted) {
  const Deadline deadline = Deadline::in(kAnswerWithin);
  for (;;) {
    auto reply = ask_once(socket_.get(), request, descriptors, deadline);
    if (reply || reply.error().code() != Error::node_lost || deadline.has_passed()) return reply;
    auto greeted = greet(deadline);
    if (!greeted && greeted.error().code() != Error::node_lost) {
      return Error(Error::node_lost, attempted, greeted.error().object(), greeted.error().cure());
    }
    if (!greeted) std::this_thread::sleep_for(kPauseBetweenWorkers);
  }
}

}  // namespace tarn::detail
