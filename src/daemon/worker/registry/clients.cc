#include "daemon/worker/registry/clients.h"

#include "os/memory.h"

namespace tarn::daemon {
namespace {

constexpr std::size_t kCommandBytes = 120;

}  // namespace

FullStatus read_description(ClientItem& item) {
  const auto bytes = os::read_sealed(item.description.get(), wire::kMaxDescriptionBytes);
  if (!bytes) return bytes.error();
  const auto description = wire::decode_description(*bytes);
  if (!description) return description.error();
  item.command = wire::command_text(description->arguments, kCommandBytes);
  item.restart = description->policy.restart;
  item.facts.stop_ns = description->policy.stop_timeout_ns;
  return Done{};
}

}  // namespace tarn::daemon
