// observer.h - a connection that only asks: for command lines and dashboards.
#pragma once

#include <mutex>

#include "client/connection.h"
#include "client/domain.h"

namespace tarn::detail {

// Thread-safe: one question at a time.
class Observer {
 public:
  static Result<std::shared_ptr<Observer>, Error> create(const Domain& domain);

  const Domain& domain() const noexcept { return domain_; }

  template <class T, class Request>
  Result<T, Error> ask(Request request, const char* attempted) {
    return ask_with<T>(request, {}, attempted, nullptr);
  }
  // With descriptors beside the question, and the one that came with the answer, if any.
  template <class T, class Request>
  Result<T, Error> ask_with(Request request, std::span<const int> descriptors,
                            const char* attempted, os::UniqueFd* received) {
    const std::lock_guard guard(lock_);
    request.header.request = ++last_request_;
    auto reply = ask_bytes(wire::bytes_of(request), descriptors, attempted);
    if (!reply) return std::move(reply).error();
    if (received != nullptr && !reply->descriptors.empty()) {
      *received = std::move(reply->descriptors.front());
    }
    return reply->template as<T>(attempted);
  }
  // A request that has its number, and its answer with what came beside it.
  Result<Reply, Error> ask_for_reply(std::span<const std::byte> request, const char* attempted) {
    const std::lock_guard guard(lock_);
    return ask_bytes(request, {}, attempted);
  }

 private:
  explicit Observer(Domain domain) : domain_(std::move(domain)) {}
  FullStatus greet(Deadline deadline);
  // Connects once more when the worker was restarted since the last question.
  Result<Reply, Error> ask_bytes(std::span<const std::byte> request,
                                 std::span<const int> descriptors, const char* attempted);

  const Domain domain_;
  std::mutex lock_;
  os::UniqueFd socket_;
  std::uint64_t last_request_ = 0;
};

}  // namespace tarn::detail
