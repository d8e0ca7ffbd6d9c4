#include "borders/format.h"

#include <algorithm>
#include <array>

namespace tarn::borders {
namespace {

struct Ending {
  std::string_view text;
  Format format;
};
constexpr std::array kEndings = {
    Ending{".json", Format::json},   Ending{".jsonl", Format::json},
    Ending{".ndjson", Format::json}, Ending{".msgpack", Format::msgpack},
    Ending{".mpk", Format::msgpack}, Ending{".cbor", Format::cbor},
};
constexpr std::array kTags = {kBytesTag, kFloatTag, kIntegerTag, kComplexTag,
                              kArrayTag, kTupleTag, kTableTag,   kOrderedTag};

}  // namespace

std::string_view name_of(Format format) noexcept {
  switch (format) {
    case Format::json:
      return "json";
    case Format::msgpack:
      return "msgpack";
    case Format::cbor:
      return "cbor";
  }
  return "unknown";
}

std::optional<Format> format_named(std::string_view name) noexcept {
  for (const Format each : {Format::json, Format::msgpack, Format::cbor}) {
    if (name_of(each) == name) return each;
  }
  return std::nullopt;
}

std::optional<Format> format_of_file(std::string_view path) noexcept {
  const auto found = std::find_if(kEndings.begin(), kEndings.end(),
                                  [&](const Ending& each) { return path.ends_with(each.text); });
  if (found == kEndings.end()) return std::nullopt;
  return found->format;
}

bool is_tag(std::string_view key) noexcept {
  return key.starts_with('$') && std::find(kTags.begin(), kTags.end(), key) != kTags.end();
}

}  // namespace tarn::borders
