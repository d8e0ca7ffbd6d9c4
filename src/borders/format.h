// format.h - the forms in which a value crosses the border to programs that know nothing of tarn.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tarn::borders {

enum class Format : std::uint8_t { json, msgpack, cbor };

// "json", "msgpack", "cbor".
std::string_view name_of(Format format) noexcept;
std::optional<Format> format_named(std::string_view name) noexcept;
// By a file name's ending: .json .jsonl .ndjson, .msgpack .mpk, .cbor.
std::optional<Format> format_of_file(std::string_view path) noexcept;

// A table whose first key is one of these stands for something that the format itself cannot say.
// docs/formats/borders.md has the forms.
inline constexpr std::string_view kBytesTag = "$bytes";
inline constexpr std::string_view kFloatTag = "$float";
inline constexpr std::string_view kIntegerTag = "$integer";
inline constexpr std::string_view kComplexTag = "$complex";
inline constexpr std::string_view kArrayTag = "$array";
inline constexpr std::string_view kTupleTag = "$tuple";
inline constexpr std::string_view kTableTag = "$table";
inline constexpr std::string_view kOrderedTag = "$ordered";

// Whether a table that begins with this key would be taken for one of them.
bool is_tag(std::string_view key) noexcept;

}  // namespace tarn::borders
