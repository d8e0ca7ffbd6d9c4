// hello.h - the first record of every connection.
#pragma once

#include <string_view>

#include "shm/segment/segment_layout.h"
#include "wire/messages.h"

namespace tarn {

inline wire::Hello make_hello(std::string_view name) noexcept {
  auto hello = wire::make<wire::Hello>(1);
  hello.magic = wire::kHelloMagic;
  hello.protocol_version = wire::kProtocolVersion;
  hello.byte_order = wire::kByteOrderMark;
  hello.layout_version = layout::kLayoutVersion;
  wire::put_text(hello.name, name);
  return hello;
}

}  // namespace tarn
