#include "tools/value/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "tools/failure.h"

namespace tarn::tools {

bool is_standard(const FileName& file) { return !file || file->empty() || *file == "-"; }

Failure cannot(const char* what, const std::string& path) {
  const int error = errno;
  const ExitCode exit = error == ENOENT                     ? ExitCode::not_found
                        : error == EACCES || error == EPERM ? ExitCode::denied
                                                            : ExitCode::failure;
  const char* code = error == ENOENT ? "not_found" : error == EACCES ? "access_denied" : "os";
  return Failure(exit, code, what, "file '" + path + "'", "check its name and rights", error);
}

void add_input_file(CLI::App& command, FileName& target) {
  command
      .add_option_function<std::string>(
          "FILE", [&target](const std::string& name) { target = name; },
          "The file [standard input]")
      ->type_name("");
}

ValueForm form_for(std::optional<ValueForm> asked, const FileName& file, const char* option) {
  if (asked) return *asked;
  if (!is_standard(file)) {
    if (const auto form = value_form_of_file(*file)) return *form;
  }
  throw usage_failure(is_standard(file)
                          ? "a stream does not say what form its values have"
                          : "the name of '" + *file + "' does not say what form its values have",
                      std::string("say it: ") + option + " tarn, json, msgpack or cbor");
}

InputFile::InputFile(const FileName& file, const StopSignals& signals)
    : name_(is_standard(file) ? std::string() : "file '" + *file + "'"),
      descriptor_(is_standard(file) ? STDIN_FILENO : ::open(file->c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw cannot("open the file", *file);
  input_.emplace(descriptor_, signals, name_.empty() ? "standard input" : name_);
}

InputFile::~InputFile() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

}  // namespace tarn::tools
