#include "client/observer.h"

#include <chrono>

#include "client/hello.h"

namespace tarn::detail {
namespace {

using namespace std::chrono_literals;
constexpr auto kAnswerWithin = 5s;

}  // namespace

Result<std::shared_ptr<Observer>, Error> Observer::create(const Domain& domain) {
  std::shared_ptr<Observer> observer(new Observer(domain));
  if (auto greeted = observer->greet(); !greeted) return std::move(greeted).error();
  return observer;
}

FullStatus Observer::greet() {
  auto socket = reach_node(domain_);
  if (!socket) return std::move(socket).error();
  wire::Hello hello = make_hello("observer");
  hello.flags = wire::kHelloObserver;
  auto reply = ask_once(socket->get(), wire::bytes_of(hello), -1, Deadline::in(kAnswerWithin));
  if (!reply) return std::move(reply).error();
  auto welcome = reply->as<wire::Welcome>("greet the node");
  if (!welcome) return std::move(welcome).error();
  socket_ = std::move(*socket);
  return Done{};
}

Result<Reply, Error> Observer::ask_bytes(std::span<const std::byte> request,
                                         const char* attempted) {
  auto reply = ask_once(socket_.get(), request, -1, Deadline::in(kAnswerWithin));
  if (reply || reply.error().code() != Error::node_lost) return reply;
  if (auto greeted = greet(); !greeted) {
    return Error(Error::node_lost, attempted, greeted.error().object(), greeted.error().cure());
  }
  return ask_once(socket_.get(), request, -1, Deadline::in(kAnswerWithin));
}

}  // namespace tarn::detail
