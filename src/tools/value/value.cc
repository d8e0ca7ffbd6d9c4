// value.cc - `tarn value show` and `tarn value check`: what stands in files of values.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "borders/write.h"
#include "tools/failure.h"
#include "tools/options.h"
#include "tools/print/format.h"
#include "tools/print/text.h"
#include "tools/value/files.h"
#include "tools/value/pretty.h"
#include "tools/value/verbs.h"

namespace tarn::tools {
namespace {

struct ShowOptions {
  std::optional<std::string> file;
  std::optional<ValueForm> from;
  borders::ReadOptions read;
  bool lossless = false;
};

ExitCode show(CommandContext& context, const ShowOptions& options) {
  const StopSignals signals;
  InputFile file(options.file, signals);
  InputSource source(file.input());
  ValueReader reader(form_for(options.from, options.file, "--from"), source, options.read);
  const Style style(context.color_out);
  while (const auto value = reader.next()) {
    if (context.json) {
      const borders::WriteOptions json{.lossless = options.lossless};
      context.out << borders::to_text(value->view(), borders::Format::json, json) << '\n';
    } else {
      context.out << pretty(value->view(), style);
    }
  }
  return ExitCode::ok;
}

struct CheckOptions {
  std::vector<std::string> files;
  std::optional<ValueForm> from;
};

struct Verdict {
  std::string file;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  std::string what = {};  // of the first value
  std::optional<Failure> failure = {};
};

// Everything that is wrong with the file is a verdict; that it cannot be read at all is none.
Verdict verdict_of(const std::string& path, std::optional<ValueForm> from) {
  Verdict verdict{.file = path};
  const StopSignals signals;
  InputFile file(path, signals);
  InputSource source(file.input(), [&](std::size_t size) { verdict.bytes += size; });
  try {
    ValueReader reader(form_for(from, path, "--from"), source, {});
    while (const auto value = reader.next()) {
      if (verdict.count++ == 0) verdict.what = summary_of(value->view(), {.most_bytes = 40});
    }
  } catch (const Error& error) {
    verdict.failure.emplace(error);
  }
  return verdict;
}

nlohmann::ordered_json json_of(const Verdict& verdict) {
  nlohmann::ordered_json object = {{"file", verdict.file},
                                   {"good", !verdict.failure},
                                   {"values", verdict.count},
                                   {"bytes", verdict.bytes}};
  if (verdict.failure) {
    object["code"] = verdict.failure->code;
    object["found"] = verdict.failure->object;
  }
  return object;
}

std::string text_of(const Verdict& verdict, const Style& style) {
  std::string text = printable(verdict.file) + ": ";
  if (verdict.failure) {
    return text + style.paint(Paint::red, verdict.failure->code) + ": " +
           printable(verdict.failure->object);
  }
  text += style.paint(Paint::green, "good") + ", " + format_size(verdict.bytes) + ", ";
  return text + (verdict.count == 1 ? verdict.what : format_count(verdict.count) + " values");
}

ExitCode check(CommandContext& context, const CheckOptions& options) {
  auto all = nlohmann::ordered_json::array();
  bool good = true;
  for (const std::string& path : options.files) {
    const Verdict verdict = verdict_of(path, options.from);
    good = good && !verdict.failure;
    all.push_back(json_of(verdict));
    if (!context.json) context.out << text_of(verdict, Style(context.color_out)) << '\n';
  }
  if (context.json) context.out << json_text(all) << '\n';
  return good ? ExitCode::ok : ExitCode::findings;
}

void register_value_show(CLI::App& value, CommandContext& context) {
  CLI::App& command = add_command(value, "show", "Shows the values of a file or of standard input",
                                  "  tarn value show packet.tarn\n"
                                  "  curl -s ... | tarn value show --from json\n",
                                  "Arrays are summarised: type, shape, range, first elements. With "
                                  "--json each value is one line of JSON.\n");
  const auto options = std::make_shared<ShowOptions>();
  add_input_file(command, options->file);
  add_value_form(command, "--from", options->from, "The form of the input [by its name's ending]");
  add_read_options(command, options->read);
  command.add_flag("--lossless", options->lossless,
                   "With --json: all that JSON cannot say, tagged");
  run_on(command, context, [&context, options] { return show(context, *options); });
}

void register_value_check(CLI::App& value, CommandContext& context) {
  CLI::App& command =
      add_command(value, "check", "Checks whether files are whole and well-formed",
                  "  tarn value check *.tarn\n", "Exits with 9 when one of them is not.\n");
  const auto options = std::make_shared<CheckOptions>();
  command.add_option("FILE", options->files, "The files")->required()->type_name("");
  add_value_form(command, "--from", options->from, "Their form [by their names' ending]");
  run_on(command, context, [&context, options] { return check(context, *options); });
}

}  // namespace

void register_value(CLI::App& app, CommandContext& context) {
  CLI::App& value = add_command(app, "value", "Files of values: converts, shows and checks them",
                                "  tarn value convert packet.json packet.tarn\n"
                                "  tarn value show packet.tarn\n");
  value.require_subcommand(1);
  register_value_convert(value, context);
  register_value_show(value, context);
  register_value_check(value, context);
}

}  // namespace tarn::tools
