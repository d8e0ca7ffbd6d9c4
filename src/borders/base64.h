// base64.h - bytes as text: RFC 4648, the standard alphabet.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::borders {

std::string to_base64(std::span<const std::byte> bytes);
// With or without padding; nothing when it is not base64.
std::optional<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace tarn::borders
