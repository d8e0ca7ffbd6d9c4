// check.cc - `tarn value check`: whether files of values are whole.
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "tools/failure.h"
#include "tools/options.h"
#include "tools/print/format.h"
#include "tools/print/text.h"
#include "tools/value/files.h"
#include "tools/value/pretty.h"
#include "tools/value/value_reader.h"
#include "tools/value/verbs.h"

namespace tarn::tools {
namespace {

struct CheckOptions {
  std::vector<std::string> files;
  std::optional<ValueForm> from;
  borders::ReadOptions read;
};

struct Verdict {
  std::string file;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  std::string what = {};  // of the first value
  std::optional<Failure> failure = {};
};

void read_all(Verdict& verdict, ValueForm form, const borders::ReadOptions& options) {
  const StopSignals signals;
  InputFile file(verdict.file, signals);
  InputSource source(file.input(), {.read = [&](std::size_t size) { verdict.bytes += size; }});
  ValueReader reader(form, source, options, {});
  while (const auto value = reader.next()) {
    if (verdict.count++ == 0) verdict.what = summary_of(*value, {.most_bytes = 40});
  }
  if (verdict.count > 0) return;
  throw Error(Error::corrupt, "read a value", "it has no value",
              "look at the program that should have written it");
}

// Everything that is wrong with the file is a verdict, also that it is not there: the others are
// looked at all the same.
Verdict verdict_of(const std::string& path, ValueForm form, const borders::ReadOptions& options) {
  Verdict verdict{.file = path};
  try {
    read_all(verdict, form, options);
  } catch (const Error& error) {
    verdict.failure.emplace(error);
  } catch (const Failure& failure) {
    verdict.failure.emplace(failure);
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
    object["cure"] = verdict.failure->cure;
  }
  return object;
}

std::string text_of(const Verdict& verdict, const Style& style) {
  std::string text = printable(verdict.file) + ": ";
  if (verdict.failure) {
    // The system's reason, which the name of the file is no more than: that stands before already.
    const int reason = verdict.failure->system_error;
    return text + style.paint(Paint::red, verdict.failure->code) + ": " +
           (reason != 0 ? std::strerror(reason) : printable(verdict.failure->object));
  }
  text += style.paint(Paint::green, "good") + ", " + format_size(verdict.bytes) + ", ";
  return text + (verdict.count == 1 ? verdict.what : format_count(verdict.count) + " values");
}

ExitCode check(CommandContext& context, const CheckOptions& options) {
  std::vector<ValueForm> forms;
  for (const std::string& path : options.files) {
    forms.push_back(form_for(options.from, path, "--from"));
  }
  auto all = nlohmann::ordered_json::array();
  bool good = true;
  for (std::size_t i = 0; i < forms.size(); ++i) {
    const Verdict verdict = verdict_of(options.files[i], forms[i], options.read);
    good = good && !verdict.failure;
    all.push_back(json_of(verdict));
    if (!context.json) context.out << text_of(verdict, Style(context.color_out)) << '\n';
  }
  if (context.json) context.out << json_text(all) << '\n';
  return good ? ExitCode::ok : ExitCode::findings;
}

}  // namespace

void register_value_check(CLI::App& value, CommandContext& context) {
  CLI::App& command =
      add_command(value, "check", "Checks whether files are whole and well-formed",
                  "  tarn value check *.tarn\n",
                  "Exits with 9 when one of them is not, is missing, or has no value.\n");
  const auto options = std::make_shared<CheckOptions>();
  command.add_option("FILE", options->files, "The files")->required()->type_name("");
  add_value_form(command, "--from", options->from, "Their form [by their names' ending]");
  add_strictness(command, options->read);
  run_on(command, context, [&context, options] { return check(context, *options); });
}

}  // namespace tarn::tools
