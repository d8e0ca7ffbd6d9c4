#include "os/system_error.h"

#include <cerrno>
#include <utility>

namespace tarn::os {

Error system_error(std::string attempted, std::string object, int number) {
  switch (number) {
    case EMFILE:
      return Error(Error::no_descriptors, std::move(attempted), std::move(object),
                   "raise the limit of open files (ulimit -n) or close some", number);
    case ENFILE:
      return Error(Error::no_descriptors, std::move(attempted), std::move(object),
                   "raise fs.file-max: the whole machine has no descriptors left", number);
    case ENOMEM:
    case ENOSPC:
      return Error(Error::no_memory, std::move(attempted), std::move(object),
                   "free memory, or raise the cgroup's limit", number);
    case EACCES:
    case EPERM:
      return Error(Error::access_denied, std::move(attempted), std::move(object),
                   "ask the owner, or run as the same user", number);
    default:
      return Error(Error::os, std::move(attempted), std::move(object), {}, number);
  }
}

Error system_error(std::string attempted, std::string object) {
  return system_error(std::move(attempted), std::move(object), errno);
}

}  // namespace tarn::os
