#include "tools/value/value_form.h"

#include "tools/failure.h"

namespace tarn::tools {

std::string_view name_of(ValueForm form) noexcept {
  const auto format = format_of(form);
  return format ? borders::name_of(*format) : "tarn";
}

std::optional<borders::Format> format_of(ValueForm form) noexcept {
  switch (form) {
    case ValueForm::tarn:
      return std::nullopt;
    case ValueForm::json:
      return borders::Format::json;
    case ValueForm::msgpack:
      return borders::Format::msgpack;
    case ValueForm::cbor:
      return borders::Format::cbor;
  }
  return std::nullopt;
}

namespace {

std::optional<ValueForm> form_of(std::optional<borders::Format> format) noexcept {
  if (!format) return std::nullopt;
  switch (*format) {
    case borders::Format::json:
      return ValueForm::json;
    case borders::Format::msgpack:
      return ValueForm::msgpack;
    case borders::Format::cbor:
      return ValueForm::cbor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ValueForm> value_form_named(std::string_view name) noexcept {
  if (name == "tarn") return ValueForm::tarn;
  return form_of(borders::format_named(name));
}

std::optional<ValueForm> value_form_of_file(std::string_view path) noexcept {
  if (path.ends_with(".tarn") || path.ends_with(".tval")) return ValueForm::tarn;
  return form_of(borders::format_of_file(path));
}

CLI::Option* add_value_form(CLI::App& command, const std::string& names,
                            std::optional<ValueForm>& target, const std::string& description) {
  const auto read = [&target, names](const std::string& text) {
    target = value_form_named(text);
    if (!target) {
      throw CLI::ValidationError(names, "'" + text + "' is none of tarn, json, msgpack and cbor");
    }
  };
  return command.add_option_function<std::string>(names, read, description)
      ->type_name("tarn|json|msgpack|cbor");
}

CLI::Option* add_format(CLI::App& command, std::optional<borders::Format>& target,
                        const std::string& description) {
  const auto read = [&target](const std::string& text) {
    target = borders::format_named(text);
    if (!target && text != "raw") {
      throw CLI::ValidationError("--format",
                                 "'" + text + "' is none of json, msgpack, cbor and raw");
    }
  };
  return command.add_option_function<std::string>("--format", read, description)
      ->type_name("json|msgpack|cbor|raw");
}

std::vector<CLI::Option*> add_strictness(CLI::App& command, borders::ReadOptions& target) {
  return {command.add_flag_callback(
              "--no-tags", [&target] { target.tags = false; },
              "Tables like {\"$bytes\": ...} stay tables, whatever they stand for"),
          command.add_flag("--last-of-duplicates", target.last_of_duplicates,
                           "A key may stand twice in a table: its last value counts")};
}

std::vector<CLI::Option*> add_read_options(CLI::App& command, borders::ReadOptions& target) {
  auto options = std::vector{
      command.add_flag("--arrays", target.number_arrays, "Lists of numbers become typed arrays")};
  for (CLI::Option* each : add_strictness(command, target)) options.push_back(each);
  return options;
}

bool is_any_given(const borders::ReadOptions& options) noexcept {
  return options.number_arrays || !options.tags || options.last_of_duplicates;
}

void require_use(const borders::ReadOptions& options, ValueForm form) {
  if (form != ValueForm::tarn || !is_any_given(options)) return;
  throw usage_failure("--arrays, --no-tags and --last-of-duplicates are about other forms",
                      "leave them out: a tarn value is what it is");
}

}  // namespace tarn::tools
