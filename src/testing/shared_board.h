// shared_board.h - a record that all processes of a test read and write: what the test knows
// independently of what it tests.
//
// Lives in  a file of the test's own folder, mapped shared by each process. What a killed process
//           had stored is there: the file outlives everybody.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>

namespace tarn::testkit {

// T starts as all zero bytes, and is made of lock-free atomics.
template <class T>
class SharedBoard {
  static_assert(std::is_standard_layout_v<T> && std::is_trivially_destructible_v<T>);

 public:
  // Makes the file when it is missing.
  explicit SharedBoard(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ::ftruncate(fd, sizeof(T)) != 0) fail(file);
    void* base = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) fail(file);
    ::close(fd);
    board_ = static_cast<T*>(base);
  }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  ~SharedBoard() { ::munmap(static_cast<void*>(board_), sizeof(T)); }

  T* operator->() const noexcept { return board_; }
  T& operator*() const noexcept { return *board_; }

 private:
  [[noreturn]] static void fail(const std::filesystem::path& file) {
    std::perror(file.c_str());
    std::abort();
  }
  T* board_ = nullptr;
};

}  // namespace tarn::testkit
