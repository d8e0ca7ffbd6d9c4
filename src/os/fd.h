// fd.h - owns one file descriptor.
#pragma once

#include <utility>

namespace tarn::os {

class UniqueFd {
 public:
  UniqueFd() noexcept = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  // Gives up ownership.
  int release() noexcept { return std::exchange(fd_, -1); }
  // Closes what it owns.
  void reset() noexcept;

 private:
  int fd_ = -1;
};

}  // namespace tarn::os
