// convert.cc - `tarn value convert`: values from one form into another.
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "borders/write.h"
#include "tools/failure.h"
#include "tools/options.h"
#include "tools/pipe/progress.h"
#include "tools/print/text.h"
#include "tools/value/files.h"
#include "tools/value/output_file.h"
#include "tools/value/value_reader.h"
#include "tools/value/verbs.h"

namespace tarn::tools {
namespace {

struct ConvertOptions {
  FileName input;
  FileName output;
  std::optional<ValueForm> from;
  std::optional<ValueForm> to;
  borders::ReadOptions read;
  borders::WriteOptions write;
  bool progress = false;
};

// A tarn value is one in a file, where the others may be many.
void require_one(std::uint64_t count) {
  if (count == 1) return;
  throw Failure(ExitCode::failure, "invalid_argument", "write a tarn value",
                count == 0 ? "the input has no value" : "the input has more than one value",
                "give it exactly one, or choose another --to");
}

void write(const ValueView& value, borders::Format format, const borders::WriteOptions& options,
           OutputFile& output) {
  if (output.appears_whole()) {
    borders::Sink sink([&](std::span<const std::byte> bytes) { output.output().write(bytes); });
    borders::write_value(value, format, options, sink);
    sink.flush();
  } else {
    // All of an item, or an error and nothing of it.
    output.output().write(borders::to_text(value, format, options));
  }
  if (format == borders::Format::json) output.output().write("\n");
}

void convert_each(ValueReader& reader, ValueForm to, const ConvertOptions& options,
                  OutputFile& output, Progress& progress) {
  while (const auto value = reader.next()) {
    if (const auto format = format_of(to)) {
      write(*value, *format, options.write, output);
    } else {
      require_one(reader.count());
      output.output().write(reader.take().bytes());
    }
    progress.add(0);
  }
  if (to == ValueForm::tarn) require_one(reader.count());
}

void convert_all(ValueReader& reader, ValueForm to, const ConvertOptions& options,
                 OutputFile& output, Progress& progress) {
  try {
    convert_each(reader, to, options, output, progress);
  } catch (const Interrupted&) {
    throw;  // nobody reads the output, or nobody wants it
  } catch (const std::exception&) {
    if (!output.appears_whole()) output.output().flush();  // those before it
    throw;
  }
  output.finish();
}

// What would have no effect is a mistake.
void require_sense(const CommandContext& context, const ConvertOptions& options, ValueForm from,
                   ValueForm to) {
  require_use(options.read, from);
  if (options.write.pretty && to != ValueForm::json) {
    throw usage_failure("--pretty is about JSON", "leave it out, or choose --to json");
  }
  if (context.json && is_standard(options.output)) {
    throw usage_failure("the values go to standard output, where --json would say how many",
                        "name an OUTPUT, or leave --json out");
  }
}

ExitCode convert(CommandContext& context, const ConvertOptions& options) {
  const StopSignals signals;
  const ValueForm from = form_for(options.from, options.input, "--from");
  const ValueForm to = form_for(options.to, options.output, "--to");
  require_sense(context, options, from, to);
  InputFile input(options.input, signals);
  OutputFile output(options.output);
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  Progress progress({.live = options.progress && !context.json,
                     .terminal = terminal,
                     .verb = "converted",
                     .noun = "value"},
                    context.err);
  if (is_standard(options.output)) input.input().watch(output.output().descriptor());
  // What it has goes on before it waits for more.
  InputSource source(input.input(), {.read = [&](std::size_t size) { progress.add_bytes(size); },
                                     .wait = [&] { output.output().flush(); }});
  ValueReader reader(from, source, options.read, input.name());
  convert_all(reader, to, options, output, progress);
  if (context.json) {
    context.out << json_text({{"from", name_of(from)},
                              {"to", name_of(to)},
                              {"values", reader.count()},
                              {"bytes", progress.count().bytes},
                              {"elapsed_ns", progress.elapsed().count()}})
                << '\n';
  }
  return ExitCode::ok;
}

void add_options(CLI::App& command, const std::shared_ptr<ConvertOptions>& options) {
  command
      .add_option_function<std::string>(
          "INPUT", [options](const std::string& name) { options->input = name; },
          "The file to read; - is standard input [-]")
      ->type_name("");
  command
      .add_option_function<std::string>(
          "OUTPUT", [options](const std::string& name) { options->output = name; },
          "The file to write; - is standard output [-]")
      ->type_name("");
  add_value_form(command, "--from", options->from, "The form of the input [by its name's ending]");
  add_value_form(command, "--to", options->to, "The form of the output [by its name's ending]");
  command.add_flag("--lossless", options->write.lossless,
                   "What reads back as an equal value: arrays, tuples and ordered tables tagged");
  command.add_flag("--pretty", options->write.pretty, "JSON on several lines");
  add_read_options(command, options->read);
  command.add_flag("--progress", options->progress, "Show counts and rates on standard error");
}

}  // namespace

void register_value_convert(CLI::App& value, CommandContext& context) {
  CLI::App& command = add_command(
      value, "convert", "Converts between tarn values, JSON, MessagePack and CBOR",
      "  tarn value convert packet.json packet.tarn --arrays\n"
      "  tarn value convert packet.tarn --to json --pretty\n"
      "  tarn value convert --from json --to cbor < lines.json > items.cbor\n",
      "A tarn value is one in a file; the other forms may hold many, one after the other. A file\n"
      "appears under its name when it is complete. What becomes of what: "
      "docs/formats/borders.md\n");
  const auto options = std::make_shared<ConvertOptions>();
  add_options(command, options);
  run_on(command, context, [&context, options] { return convert(context, *options); });
}

}  // namespace tarn::tools
