#include "tarn/error.h"

#include <array>
#include <cstring>
#include <utility>

namespace tarn {
namespace {

struct CodeName {
  Error::Code code;
  std::string_view name;
};

constexpr std::array kNames = {
    CodeName{Error::none, "none"},
    CodeName{Error::invalid_argument, "invalid_argument"},
    CodeName{Error::not_found, "not_found"},
    CodeName{Error::exists, "exists"},
    CodeName{Error::option_mismatch, "option_mismatch"},
    CodeName{Error::closed, "closed"},
    CodeName{Error::too_large, "too_large"},
    CodeName{Error::forked, "forked"},
    CodeName{Error::domain_full, "domain_full"},
    CodeName{Error::quota_exceeded, "quota_exceeded"},
    CodeName{Error::no_memory, "no_memory"},
    CodeName{Error::no_descriptors, "no_descriptors"},
    CodeName{Error::table_full, "table_full"},
    CodeName{Error::busy, "busy"},
    CodeName{Error::node_unavailable, "node_unavailable"},
    CodeName{Error::node_lost, "node_lost"},
    CodeName{Error::peer_died, "peer_died"},
    CodeName{Error::access_denied, "access_denied"},
    CodeName{Error::version_mismatch, "version_mismatch"},
    CodeName{Error::unsafe_directory, "unsafe_directory"},
    CodeName{Error::corrupt, "corrupt"},
    CodeName{Error::os, "os"},
    CodeName{Error::wrong_type, "wrong_type"},
    CodeName{Error::out_of_range, "out_of_range"},
};

std::string sentence(Error::Code code, const std::string& attempted, const std::string& object,
                     const std::string& cure, int system_error) {
  std::string text = "cannot " + attempted;
  if (!object.empty()) text += ": " + object;
  text += " (";
  text += name_of(code);
  if (system_error != 0) text += std::string(": ") + std::strerror(system_error);
  text += ")";
  if (!cure.empty()) text += "; " + cure;
  return text;
}

}  // namespace

Error::Error(Code code, std::string attempted, std::string object, std::string cure,
             int system_error)
    : code_(code),
      system_error_(system_error),
      attempted_(std::move(attempted)),
      object_(std::move(object)),
      cure_(std::move(cure)),
      text_(sentence(code_, attempted_, object_, cure_, system_error_)) {}

std::string_view name_of(Error::Code code) noexcept {
  for (const CodeName& entry : kNames) {
    if (entry.code == code) return entry.name;
  }
  return "unknown";
}

}  // namespace tarn
