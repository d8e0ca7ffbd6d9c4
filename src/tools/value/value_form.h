// value_form.h - the forms in which files and streams hold values, and reading them one by one.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "borders/read.h"
#include "tarn/value.h"
#include "tools/pipe/input.h"

namespace tarn::tools {

enum class ValueForm : std::uint8_t { tarn, json, msgpack, cbor };

std::string_view name_of(ValueForm form) noexcept;
std::optional<ValueForm> value_form_named(std::string_view name) noexcept;
// By a file name's ending: .tarn or .tval, else as borders::format_of_file().
std::optional<ValueForm> value_form_of_file(std::string_view path) noexcept;
// Nothing for ValueForm::tarn.
std::optional<borders::Format> format_of(ValueForm form) noexcept;

// FORM, into `target`.
CLI::Option* add_value_form(CLI::App& command, const std::string& names,
                            std::optional<ValueForm>& target, const std::string& description);
// --format of messages: nothing for raw.
CLI::Option* add_format(CLI::App& command, std::optional<borders::Format>& target,
                        const std::string& description);
// --arrays, --no-tags, --last-of-duplicates.
void add_read_options(CLI::App& command, borders::ReadOptions& target);

// A buffered descriptor as the readers want it.
class InputSource final : public borders::Source {
 public:
  // `read` is told of each piece.
  explicit InputSource(Input& input, std::function<void(std::size_t)> read = {})
      : input_(input), read_(std::move(read)) {}
  std::span<const std::byte> next() override;

 private:
  Input& input_;
  std::function<void(std::size_t)> read_;
  std::size_t given_ = 0;
};

// The values of a stream. A tarn value takes all of it.
class ValueReader {
 public:
  ValueReader(ValueForm form, InputSource& source, borders::ReadOptions options);
  // Nothing at the end. Throws Error.
  std::optional<Value> next();
  std::uint64_t count() const noexcept { return count_; }

 private:
  InputSource& source_;
  std::optional<borders::Reader> reader_;  // none: a tarn value
  std::uint64_t count_ = 0;
};

}  // namespace tarn::tools
