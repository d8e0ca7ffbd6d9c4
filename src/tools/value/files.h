// files.h - the files that a command reads and writes; none, or "-", is standard input and output.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "tools/pipe/input.h"
#include "tools/pipe/output.h"
#include "tools/value/value_form.h"

namespace tarn::tools {

using FileName = std::optional<std::string>;

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

 private:
  int descriptor_;
  std::optional<Input> input_;
};

// A file that appears under its name when it is complete, or not at all.
class OutputFile {
 public:
  // Throws Failure when it cannot be made.
  explicit OutputFile(const FileName& file);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  Output& output() noexcept { return *output_; }
  // Writes what is buffered, and gives the file its name.
  void finish();

 private:
  std::string path_;       // empty: standard output
  std::string temporary_;  // beside it; empty once it has its name
  int descriptor_;
  std::optional<Output> output_;
};

}  // namespace tarn::tools
