#include "tools/value/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace tarn::tools {
namespace {

// What a new file gets. The process has one thread that makes files.
unsigned default_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

// Gives it to whom the file belongs that it replaces, and says what rights it may have: no more for
// anybody than there were. Where the system does not let us give it away, its group is another one
// and gets none, and the former one's members are among all others. Bits beyond 0777 would lend our
// rights.
unsigned mode_after_giving(int descriptor, const struct stat& former) {
  constexpr uid_t kAsItIs = static_cast<uid_t>(-1);
  const bool has_group = ::fchown(descriptor, former.st_uid, former.st_gid) == 0 ||
                         ::fchown(descriptor, kAsItIs, former.st_gid) == 0;
  if (has_group) return former.st_mode & 0777;
  return (former.st_mode & 0700) | (former.st_mode & 07 & (former.st_mode >> 3));
}

// Where the name leads in the end.
std::string resolved(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> target(::realpath(path.c_str(), nullptr), std::free);
  return target ? std::string(target.get()) : path;
}

}  // namespace

OutputFile::OutputFile(const FileName& file) : descriptor_(STDOUT_FILENO) {
  if (is_standard(file)) {
    output_.emplace(descriptor_);
    return;
  }
  path_ = *file;
  struct stat status {};
  struct stat link {};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  // It leads to nothing yet: the file is made where it leads.
  const bool is_loose_link = !exists && ::lstat(path_.c_str(), &link) == 0;
  if (is_loose_link || (exists && !S_ISREG(status.st_mode))) {
    open_special();
  } else {
    path_ = resolved(path_);
    open_beside(exists ? &status : nullptr);
  }
  output_.emplace(descriptor_, "file '" + *file + "'");
}

void OutputFile::open_special() {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw cannot("make the file", path_);
}

void OutputFile::open_beside(const struct stat* former) {
  std::string name = path_ + ".part-XXXXXX";
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) throw cannot("make a file beside", path_);
  temporary_ = name;
  // Never more open than what it replaces, not even while it is written.
  ::fchmod(descriptor_,
           former != nullptr ? mode_after_giving(descriptor_, *former) : default_mode());
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  if (descriptor_ != STDOUT_FILENO && descriptor_ >= 0) ::close(descriptor_);
}

void OutputFile::finish() {
  output_->flush();
  if (descriptor_ == STDOUT_FILENO) return;
  // Its bytes before its name: else a crash of the machine may leave the name of an empty file.
  if (!temporary_.empty() && ::fsync(descriptor_) != 0) throw cannot("write the file", path_);
  if (::close(std::exchange(descriptor_, -1)) != 0) throw cannot("write the file", path_);
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) throw cannot("name the file", path_);
  temporary_.clear();
}

}  // namespace tarn::tools
