// value.cc - `tarn value`, and of it `show`: what stands in files of values.
#include <unistd.h>

#include <memory>
#include <string>

#include "borders/write.h"
#include "tools/failure.h"
#include "tools/options.h"
#include "tools/pipe/output.h"
#include "tools/value/files.h"
#include "tools/value/pretty.h"
#include "tools/value/value_reader.h"
#include "tools/value/verbs.h"

namespace tarn::tools {
namespace {

struct ShowOptions {
  std::optional<std::string> file;
  std::optional<ValueForm> from;
  borders::ReadOptions read;
  bool lossless = false;
};

void show_all(ValueReader& reader, const ShowOptions& options, const CommandContext& context,
              Output& output) {
  const borders::WriteOptions json{.lossless = options.lossless};
  PrettySequence sequence{Style(context.color_out)};
  while (const auto value = reader.next()) {
    output.write(context.json ? borders::to_text(*value, borders::Format::json, json) + '\n'
                              : sequence.next(*value));
  }
}

// Shows what it has before it waits for more, and ends when nobody looks any longer.
ExitCode show(CommandContext& context, const ShowOptions& options) {
  if (options.lossless && !context.json) {
    throw usage_failure("--lossless is about JSON", "say --json too, or leave it out");
  }
  const StopSignals signals;
  const ValueForm form = form_for(options.from, options.file, "--from");
  require_use(options.read, form);
  InputFile file(options.file, signals);
  Output output(STDOUT_FILENO);
  file.input().watch(output.descriptor());
  InputSource source(file.input(), {.wait = [&output] { output.flush(); }});
  ValueReader reader(form, source, options.read, file.name());
  try {
    show_all(reader, options, context, output);
  } catch (const Error&) {
    output.flush();  // those before it
    throw;
  }
  output.flush();
  return ExitCode::ok;
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
