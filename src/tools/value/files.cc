#include "tools/value/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "tools/failure.h"

namespace tarn::tools {
namespace {

bool is_standard(const FileName& file) { return !file || file->empty() || *file == "-"; }

Failure cannot(const char* what, const std::string& path) {
  const int error = errno;
  const ExitCode exit = error == ENOENT                     ? ExitCode::not_found
                        : error == EACCES || error == EPERM ? ExitCode::denied
                                                            : ExitCode::failure;
  const char* code = error == ENOENT ? "not_found" : error == EACCES ? "access_denied" : "os";
  return Failure(exit, code, what, "file '" + path + "'", "check its name and rights", error);
}

}  // namespace

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
    : descriptor_(is_standard(file) ? STDIN_FILENO : ::open(file->c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw cannot("open the file", *file);
  input_.emplace(descriptor_, signals);
}

InputFile::~InputFile() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

OutputFile::OutputFile(const FileName& file) : descriptor_(STDOUT_FILENO) {
  if (!is_standard(file)) {
    path_ = *file;
    struct stat status {};
    // A device or a named pipe is written to as it is.
    const bool is_special = ::stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
    const std::string target = is_special ? path_ : path_ + ".part-" + std::to_string(::getpid());
    const int flags = O_WRONLY | O_CLOEXEC | (is_special ? 0 : O_CREAT | O_EXCL);
    descriptor_ = ::open(target.c_str(), flags, 0666);
    if (descriptor_ < 0) throw cannot("make the file", target);
    if (!is_special) temporary_ = target;
  }
  output_.emplace(descriptor_);
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  if (descriptor_ != STDOUT_FILENO) ::close(descriptor_);
}

void OutputFile::finish() {
  output_->flush();
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) throw cannot("name the file", path_);
  temporary_.clear();
}

}  // namespace tarn::tools
