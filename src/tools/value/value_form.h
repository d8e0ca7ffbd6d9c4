// value_form.h - the forms in which files and streams hold values, and the options about them.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "borders/read.h"

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
// --no-tags, --last-of-duplicates.
std::vector<CLI::Option*> add_strictness(CLI::App& command, borders::ReadOptions& target);
// --arrays besides.
std::vector<CLI::Option*> add_read_options(CLI::App& command, borders::ReadOptions& target);
// Throws Failure (usage) when one of them was given for what has no use for it.
void require_use(const borders::ReadOptions& options, ValueForm form);
// Whether one of them was given.
bool is_any_given(const borders::ReadOptions& options) noexcept;

}  // namespace tarn::tools
