// output_file.h - a file that appears under its name when it is complete, or not at all.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "tools/pipe/output.h"
#include "tools/value/files.h"

namespace tarn::tools {

// What stands under the name is replaced in one step, and keeps its owner, group and rights, or
// fewer rights where the system does not let us give it away; a symbolic link goes on leading where
// it leads. Devices and named pipes are written to as they are. A crash leaves the
// former file, and perhaps what was written beside it: NAME.part-XXXXXX.
class OutputFile {
 public:
  // Throws Failure when it cannot be made.
  explicit OutputFile(const FileName& file);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  Output& output() noexcept { return *output_; }
  // Nobody sees any of it before finish(); not so standard output, devices and named pipes.
  bool appears_whole() const noexcept { return !temporary_.empty(); }
  // Writes what is buffered to the disk, and gives the file its name. Throws Failure when any of
  // it is refused; then the name is as it was.
  void finish();

 private:
  void open_special();
  void open_beside(const struct stat* former);

  std::string path_;       // empty: standard output
  std::string temporary_;  // beside it; empty once it has its name
  int descriptor_;
  std::optional<Output> output_;
};

}  // namespace tarn::tools
