#include "wire/messages.h"

namespace tarn::wire {

Result<Header> decode_header(std::span<const std::byte> packet) noexcept {
  Header header;
  if (packet.size() < sizeof header) return Error::corrupt;
  std::memcpy(&header, packet.data(), sizeof header);
  if (header.size_bytes != packet.size()) return Error::corrupt;
  return header;
}

ErrorReply make_error(std::uint64_t request, const Error& error) noexcept {
  auto reply = make<ErrorReply>(request);
  reply.code = error.code();
  reply.system_error = error.system_error();
  put_text(reply.attempted, error.attempted());
  put_text(reply.object, error.object());
  put_text(reply.cure, error.cure());
  return reply;
}

Error to_error(const ErrorReply& reply) {
  // A code that this build does not know is still an error of the node's.
  const auto code = reply.code <= Error::os ? static_cast<Error::Code>(reply.code) : Error::os;
  return Error(code, std::string(get_text(reply.attempted)), std::string(get_text(reply.object)),
               std::string(get_text(reply.cure)), reply.system_error);
}

}  // namespace tarn::wire
