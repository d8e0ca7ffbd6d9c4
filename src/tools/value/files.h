// files.h - the files that a command reads and writes; none, or "-", is standard input and output.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "tools/failure.h"
#include "tools/pipe/input.h"
#include "tools/value/value_form.h"

namespace tarn::tools {

using FileName = std::optional<std::string>;

// Whether that is standard input or output.
bool is_standard(const FileName& file);
// What errno says about the file.
Failure cannot(const char* what, const std::string& path);

// The optional positional FILE.
void add_input_file(CLI::App& command, FileName& target);

// What was asked for, else what the name's ending says. Throws Failure (usage) when neither does.
ValueForm form_for(std::optional<ValueForm> asked, const FileName& file, const char* option);

class InputFile {
 public:
  // Throws Failure when it cannot be opened.
  InputFile(const FileName& file, const StopSignals& signals);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  Input& input() noexcept { return *input_; }
  // What errors call it: "file 'x'", or nothing for standard input.
  const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
  int descriptor_;
  std::optional<Input> input_;
};

}  // namespace tarn::tools
